"""The files that a backtest is given: a policy to try, rules and delegations to try. Checked by field."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml  # type: ignore[import-untyped]
from pydantic import Field, ValidationError

from domain.actions import ACTION_NAMES
from domain.approvals import ApprovalKind
from domain.buildings import Strict
from domain.errors import InvalidError
from domain.policy import Policy
from domain.rules import Delegation, Rule
from domain.text import Name, Text

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
    actions: Annotated[list[dict[str, Any]], Field(min_length=1)]
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


def read_policy(file: Path) -> dict[str, object]:
    """Fields of the policy, as the file has them.

    Raises:
        InvalidError: the file cannot be read, or a field is unknown or out of range; the message names it.
    """
    fields = _read(file)
    if not isinstance(fields, dict):
        raise InvalidError(f"{file}: write the policy's fields, such as `po_limit: 50000`.")
    _checked(file, Policy, fields)
    return fields


def read_rules(file: Path) -> RulesOnTrial:
    """Rules and delegations to try.

    Raises:
        InvalidError: the file cannot be read, or something in it is wrong; the message names the field.
    """
    given = _checked(file, TrialRules, _read(file))
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


def _checked(file: Path, model: type[M], fields: Any) -> M:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidError(f"{file}: {wrong}") from error


def _read(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidError(f"{file} cannot be read: {error}") from error
