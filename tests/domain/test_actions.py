"""Every action is declared in one file with all that is known of it, and every table follows from that."""

import ast
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from domain import actions
from domain.actions import ACTION_NAMES, hold_item, registry, remove_item
from domain.actions.kinds import ActionKind, Reach
from domain.plain_words import approves_by_name
from domain.replies import WishName
from domain.reply_words import actions_spoken_of
from tests.agent.test_effects import CASES
from tests.test_documents import rows, text_of
from tools.catalogue import EFFECTS

ROOT = Path(actions.__path__[0]).parents[1]
ROOMS = ("domain", "tools", "api", "cli", "evals", "storage", "nodes", "graph", "runtime")
ENTRIES = [entry.name for entry in fields(ActionKind)]


def test_no_entry_of_a_declaration_has_a_default() -> None:
    assert [f.name for f in fields(ActionKind) if f.default is not MISSING or f.default_factory is not MISSING] == []


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("name", ACTION_NAMES)
def test_an_action_without_one_of_its_entries_cannot_be_declared(name: str, entry: str) -> None:
    kind = registry.ACTION_KINDS[name]
    whole: dict[str, Any] = {one: getattr(kind, one) for one in ENTRIES}
    ActionKind(**whole)
    with pytest.raises(TypeError, match=entry):
        ActionKind(**{one: value for one, value in whole.items() if one != entry})


@pytest.mark.parametrize("name", ACTION_NAMES)
def test_an_action_is_known_wherever_one_is_needed(name: str) -> None:
    kind = registry.ACTION_KINDS[name]
    arguments = set(kind.shape.model_fields["arguments"].annotation.model_fields)  # type: ignore[union-attr]
    assert (ROOT / "domain" / "actions" / f"{name}.py").exists()
    assert name in EFFECTS, "tools/catalogue.py: its effect"
    assert name in rows(text_of("docs/for-managers.md")), "docs/for-managers.md: its row"
    assert name in CASES, "tests/agent/test_effects.py: called twice, it acts once"
    assert set(kind.of_the_case) <= arguments
    assert {kind.recipient} <= arguments | {None}
    assert _named_in(kind.phrase) <= arguments
    assert kind.done
    assert (kind.from_reply is not None) == (name in get_args(WishName)), "domain/replies.py: the schema for models"
    assert (kind.spoken is not None) == (kind.from_reply is not None), "what a reply can ask for, it has words for"
    assert kind.spoken is not None or not kind.called


def _named_in(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field}


@pytest.mark.parametrize("name", [name for name in ACTION_NAMES if registry.ACTION_KINDS[name].called])
def test_a_plain_reply_by_any_name_of_an_action_means_it(name: str) -> None:
    kind, recommended = registry.ACTION_KINDS[name], [{"name": name, "arguments": {"item": "steel"}}]
    around = [phrase.format("the steel") for phrase in kind.called_around.split(", ") if phrase]
    for phrase in (*kind.called.split(", "), *around):
        assert approves_by_name(f"yes, {phrase}", recommended, "Steel"), phrase


def test_words_of_a_reply_are_told_apart_by_the_declared_patterns() -> None:
    assert actions_spoken_of("please cancel it and tell the site manager") == {"cancel_purchase_order", "notify_team"}


def test_the_sets_are_what_they_were_before_they_were_derived() -> None:
    told = {"flag_potential_issue", "notify_team", "request_information"}
    alone = told | {"issue_purchase_order", "start_tracking", "schedule_inspection", "dismiss_event"}
    assert alone == registry.AGENT_ALONE
    assert {"issue_purchase_order", "reorder_item"} == registry.SPENDING
    assert {"accept_as_is"} == registry.BINDING
    assert {"revise_purchase_order"} == registry.REVISING
    undone = alone - {"issue_purchase_order", "dismiss_event"} | {"hold_item", "change_required_by"}
    assert undone == registry.REVERSIBLE
    assert {"grant_delegation", "complete_item", "judge_goods_taken_on"} == registry.PERSONS_OWN
    assert {"cancel_purchase_order", "hold_item", "dismiss_event"} == registry.ONLY_UNDOES
    assert told == registry.ONLY_SAYS
    assert {"start_tracking", "schedule_inspection"} == registry.ACCOMPANIES
    days = {"on", "until", "required_by", "end_date"}
    words = {"note", "reason", "message", "question", "detail", "method"}
    of_lines = {"quantity", "event", "ncr_number", "then", "order", "lines", "entry"}
    assert days | words | of_lines == registry.OF_THE_CASE
    assert registry.RECIPIENTS == {"notify_team": "team", "request_information": "to"}


@pytest.mark.parametrize("name", ACTION_NAMES)
def test_what_is_declared_of_one_action_agrees_with_itself(name: str) -> None:
    kind = registry.ACTION_KINDS[name]
    commits = kind.commits != "nothing"
    assert not commits or kind.reach == Reach.COMMITMENT, "money is a commitment"
    assert not (kind.is_reversible and kind.reach == Reach.COMMITMENT), "a commitment binds somebody outside"
    assert not (kind.is_persons_own and not kind.needs_a_person)
    assert (kind.recipient is None) == (kind.reach != Reach.MESSAGE)


MAY_LIST = {
    "domain/actions/__init__.py": "the closed union",
    "domain/replies.py": "the schema for models",
    "tools/catalogue.py": "the effects",
    "evals/graders/actions.py": "a judge's own opinion",
    "evals/graders/messages.py": "a judge's own opinion",
    "evals/stories/playing.py": "a judge's own opinion",
    "evals/long_building.py": "what the people of a made-up building answer",
}


def _tables(tree: ast.AST) -> Iterator[tuple[int, list[str]]]:
    """Collections and comparisons that name two or more actions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            parts: list[ast.expr | None] = list(node.keys)
        elif isinstance(node, ast.List | ast.Set | ast.Tuple):
            parts = list(node.elts)
        else:
            continue
        named = [str(part.value) for part in parts if isinstance(part, ast.Constant) and part.value in ACTION_NAMES]
        if len(named) > 1:
            yield node.lineno, named


def test_no_other_module_lists_actions() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {named}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in MAY_LIST
        for line, named in _tables(ast.parse(path.read_text()))
    ]
    assert found == []


def test_a_file_that_declares_another_action_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold_item, "KIND", remove_item.KIND)
    with pytest.raises(ImportError, match="remove_item"):
        registry._find_kinds()


def test_an_action_that_is_not_in_the_union_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ACTION_NAMES", tuple(name for name in ACTION_NAMES if name != "hold_item"))
    with pytest.raises(ImportError, match="union Action: hold_item"):
        registry._find_kinds()
