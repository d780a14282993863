"""The files that a backtest is given: a policy to try, rules and delegations to try. Checked by line and field."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError

from domain.actions import ACTION_NAMES
from domain.approvals import ApprovalKind
from domain.buildings import Strict
from domain.plain_json import JsonObject
from domain.policy import Policy
from domain.rules import Delegation, Rule
from domain.text import Name, Text
from evals.source import ScenarioError, Source, read_yaml
from evals.teaching import Templates

ON_TRIAL = "the backtest"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class _Scope(Strict):
    kind: ApprovalKind = Field(description="The kind of question that it answers.")
    category: Name | None = None
    vendor_id: Name | None = None
    item_id: Name | None = None
    about: Name | None = None


class TrialRule(_Scope):
    """A rule to try; `{item}` in its actions is the line in question."""

    title: Name
    text: Text | None = None
    actions: Templates
    autonomy: Literal["recommend", "earned", "alone"] = "alone"


class TrialDelegation(_Scope):
    """A delegation to try."""

    actions: Annotated[list[Literal[ACTION_NAMES]], Field(min_length=1)]  # type: ignore[valid-type]
    amount_limit: Decimal | None = None


class TrialRules(Strict):
    """A file of `--rules`."""

    rules: list[TrialRule] = []
    delegations: list[TrialDelegation] = []


@dataclass(frozen=True)
class RulesOnTrial:
    """Rows as they stand in a sandbox from its beginning."""

    rules: Sequence[Rule] = ()
    delegations: Sequence[Delegation] = ()


def read_policy(file: Path) -> JsonObject:
    """Fields of the policy, as the file has them.

    Raises:
        ScenarioError: the file cannot be read, or a field is unknown or out of range; the message names its line.
    """
    source = _read(file)
    if not isinstance(source.value, dict):
        raise ScenarioError(f"{file}:1: write the policy's fields, such as `po_limit: 50000`.")
    for name in source.value:
        if name not in Policy.model_fields:
            near = get_close_matches(name, Policy.model_fields, 1)
            instead = f"did you mean {near[0]}?" if near else f"there are {', '.join(Policy.model_fields)}"
            raise ScenarioError(source.problem((name,), f"the policy has no such field; {instead}"))
    _checked(source, Policy)
    return dict(source.value)


def read_rules(file: Path) -> RulesOnTrial:
    """Rules and delegations to try.

    Raises:
        ScenarioError: the file cannot be read, or something in it is wrong; the message names line and field.
    """
    source = _read(file)
    if not isinstance(source.value, dict):
        raise ScenarioError(f"{file}:1: write `rules:` or `delegations:`, each with a list.")
    given = _checked(source, TrialRules)
    rules = [
        Rule(
            **one.model_dump(exclude={"text"}),
            rule_id=f"trial-{number}",
            text=one.text or one.title,
            source="",
            learned_from=ON_TRIAL,
            learned_at=BEGINNING,
        )
        for number, one in enumerate(given.rules, start=1)
    ]
    delegations = [
        Delegation(**one.model_dump(), delegation_id=f"trial-{number}", granted_by=ON_TRIAL, granted_at=BEGINNING)
        for number, one in enumerate(given.delegations, start=1)
    ]
    return RulesOnTrial(rules, delegations)


M = TypeVar("M", Policy, TrialRules)


def _checked(source: Source, model: type[M]) -> M:
    try:
        return model.model_validate(source.value)
    except ValidationError as error:
        raise ScenarioError("\n".join(source.problems(error))) from error


def _read(file: Path) -> Source:
    try:
        return read_yaml(str(file), file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ScenarioError(f"{file} cannot be read: {reason}.") from error
