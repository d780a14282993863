"""Every kind of question is declared in one file with all that is known of it, and every table follows from that."""

import ast
from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from domain import questions, wording
from domain.approvals import Approval, ApprovalKind
from domain.mail_subjects import question_subject
from domain.policy import DelegableKind
from domain.questions import registry
from domain.questions.kinds import FreeKind, LineKind, QuestionKind, Subject
from domain.rules import case_of
from tests.histories.dump import FOLDER, read

ROOT = Path(questions.__path__[0]).parents[1]
ROOMS = ("domain", "tools", "api", "cli", "evals", "storage", "nodes", "graph", "runtime")
NAMES = sorted(registry.KINDS)


def test_the_schema_of_the_api_names_the_kinds_that_are_declared() -> None:
    assert set(get_args(ApprovalKind)) == set(NAMES)
    assert set(get_args(DelegableKind)) == registry.DELEGABLE


@pytest.mark.parametrize("shape", [QuestionKind, LineKind, FreeKind])
def test_nothing_may_be_left_out_of_a_declaration(shape: type[QuestionKind[Any]]) -> None:
    assert [f.name for f in fields(shape) if f.default is not MISSING or f.default_factory is not MISSING] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_with_an_entry_left_out_cannot_be_made(name: str) -> None:
    kind = registry.KINDS[name]
    whole: dict[str, Any] = {f.name: getattr(kind, f.name) for f in fields(kind)}
    for entry in whole:
        with pytest.raises(TypeError, match=entry):
            type(kind)(**{one: value for one, value in whole.items() if one != entry})


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_has_its_file_and_its_words_wherever_it_is_shown(name: str) -> None:
    kind = registry.KINDS[name]
    assert (ROOT / "domain" / "questions" / f"{name}.py").exists()
    assert kind.policy(kind.read({}))
    approval = Approval(
        approval_id="a-1-0",
        key="1.0",
        kind=kind.name,
        summary="?",
        fingerprint="x",
        raised_at=datetime(2026, 2, 1, tzinfo=UTC),
        raised_seq=1,
        evidence={"item": {"name": "Pumps"}},
    )
    assert question_subject(approval, "asked", date(2026, 2, 1))
    assert (kind.when is None) == kind.is_always_a_persons
    assert (name in wording.WHEN) == (kind.when is not None)


@pytest.mark.parametrize("name", NAMES)
def test_a_subject_of_any_version_can_be_read_and_keeps_what_is_not_known(name: str) -> None:
    kind = registry.KINDS[name]
    assert issubclass(kind.subject, Subject)
    assert kind.read({}).matter is None
    assert kind.read({"of_another_version": [1]}).model_dump(exclude_unset=True) == {"of_another_version": [1]}
    case_of(name, None, {})


@pytest.mark.parametrize("recorded", sorted(file.stem for file in FOLDER.glob("*.json")))
def test_subjects_that_earlier_versions_stored_are_read_whole(recorded: str) -> None:
    for row in read(recorded).get("approvals", []):
        subject = registry.KINDS[row["kind"]].read(row["subject"])
        assert subject.model_dump(mode="json", exclude_unset=True) == row["subject"]


def test_the_sets_are_what_they_were_before_they_were_derived() -> None:
    people = {"hold_expired", "event_failed", "decision_overruled", "delegation_request"}
    assert people | {"change_order", "goods_taken_on"} == registry.ALWAYS_A_PERSON
    assert {"item_unknown", "event_unclear", "event_failed"} == registry.ANSWERED_BY_ANYONE
    free = {"item_unknown", "event_unclear", "event_failed", "delegation_request", "goods_taken_on"}
    assert free == registry.WITHOUT_LINE
    assert {"order_beyond_authority", "order_incomplete", "facts_contradict", "change_order"} == registry.ASKED_ONCE
    assert {"milestone_overdue", "change_order"} == registry.LETS_THE_LINE_GO_ON
    assert people | {"milestone_overdue", "goods_taken_on"} == registry.NOT_ABOUT_AN_EVENT
    assert set(NAMES) - {"delegation_request"} == registry.ESCALATES


MAY_LIST = {
    "domain/approvals.py": "the API's schema",
    "domain/policy.py": "the API's schema of delegations",
    "evals/long_building.py": "what the people of a made-up building answer",
}


def _tables(tree: ast.AST) -> Iterator[tuple[int, list[str]]]:
    """Collections and comparisons that name two or more kinds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            parts: list[ast.expr | None] = list(node.keys)
        elif isinstance(node, ast.List | ast.Set | ast.Tuple):
            parts = list(node.elts)
        else:
            continue
        named = [str(part.value) for part in parts if isinstance(part, ast.Constant) and part.value in NAMES]
        if len(named) > 1:
            yield node.lineno, named


def test_no_other_module_lists_kinds() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {named}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "questions" not in path.parts and str(path.relative_to(ROOT)) not in MAY_LIST
        for line, named in _tables(ast.parse(path.read_text()))
    ]
    assert found == []


def test_a_file_that_declares_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from domain.questions import hold_expired, schedule_conflict

    monkeypatch.setattr(hold_expired, "KIND", schedule_conflict.KIND)
    with pytest.raises(ImportError, match="schedule_conflict"):
        registry._find_kinds()
