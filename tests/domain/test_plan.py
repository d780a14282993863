"""What passes between nodes is a closed union: read whole from the state of any version, and written back the same."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from domain.approvals import POLICY, Advice
from domain.plan import DONE, PLAN, Act, Ask, Done, Review, Step, Tell
from domain.settlement import SETTLEMENT, Applied, KeptOpen, Outdated, Reading
from tests.histories.dump import FOLDER, read

ORDER: Any = {"name": "issue_purchase_order", "arguments": {"item": "steel", "reason": None}}
PLANNED: list[Step] = [
    Act(action=ORDER, responder=POLICY, decision="0"),
    Act(action=ORDER, responder=POLICY),
    Ask(kind="schedule_conflict", item_id="steel", subject={"a": None, "b": [1, {"c": "2"}]}, advise=True),
    Ask(
        kind="inspection_failed",
        item_id=None,
        subject={},
        refused=2,
        advice=Advice(responder=POLICY, why="?", title="Replace", actions=[ORDER]),
    ),
    Review(item_id="steel"),
    Tell(
        kind="schedule_conflict",
        item_id="steel",
        rule_id="r1",
        delegation_id=None,
        policy="po_limit",
        title="Expedite",
        summary="Late.",
        why="always so",
        responder=POLICY,
    ),
]


@pytest.mark.parametrize("step", PLANNED, ids=lambda step: type(step).__name__)
def test_a_step_is_the_same_after_it_went_through_the_state(step: Step) -> None:
    plain = step.model_dump(mode="json")
    (again,) = PLAN.validate_python([plain])
    assert again == step
    assert type(again) is type(step)
    assert again.model_dump(mode="json") == plain


def test_every_step_of_the_union_is_tried_here() -> None:
    assert {type(step) for step in PLANNED} == set(get_args(Step))


def test_an_action_goes_through_the_plan_word_for_word() -> None:
    """The ledger holds a repeat against it."""
    (act,) = PLAN.validate_python([{"do": "action", "action": ORDER, "responder": POLICY.model_dump()}])
    assert act.model_dump(mode="json")["action"] == ORDER


@pytest.mark.parametrize(
    "plain",
    [
        {"do": "nonsense"},
        {"do": "review"},
        {"do": "action", "action": ORDER},
        {"do": "ask", "kind": "inspection_failed", "item_id": None},
        {"item_id": "steel"},
    ],
)
def test_what_is_no_step_is_refused(plain: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PLAN.validate_python([plain])


SETTLED = [
    Applied(
        approval_id="a-1-0",
        kind="inspection_failed",
        item_id="steel",
        applied=True,
        type="edit",
        actions=[ORDER],
        responder=POLICY,
        subject={"inspection_id": None},
        reading=Reading(understood="order it", confidence=0.9),
    ),
    KeptOpen(
        approval_id="a-1-0",
        kind="inspection_failed",
        applied=False,
        kept_open="answered",
        told="it arrives on 2 May",
        responder=POLICY,
        reading=Reading(understood="a question back"),
    ),
    Outdated(applied=False, why="the question was closed before the answer was reached"),
]


@pytest.mark.parametrize("settled", SETTLED, ids=lambda settled: type(settled).__name__)
def test_a_settlement_is_the_same_after_it_went_through_ledger_and_state(settled: Any) -> None:
    again = SETTLEMENT.validate_python(settled.plain())
    assert type(again) is type(settled)
    assert again == settled
    assert again.plain() == settled.plain()


@pytest.mark.parametrize("recorded", sorted(file.stem for file in FOLDER.glob("*.json")))
def test_settlements_that_earlier_versions_stored_are_read_whole(recorded: str) -> None:
    results = [row["result"] for row in read(recorded).get("actions", []) if row["action"] in ("settle", "overrule")]
    for result in results:
        assert SETTLEMENT.validate_python(result).plain() == result


def test_what_was_carried_out_is_counted_by_its_name_and_line() -> None:
    done = Done(name="ask:schedule_conflict", item=None, do="ask", ordinal=1, result={"approval_id": "a-1-0"})
    assert DONE.validate_python([done.model_dump(mode="json")]) == [done]
