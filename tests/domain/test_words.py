"""Names, amounts and plain answers."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.answers import UnreadableAnswerError, read_answer
from domain.approvals import plain_answer
from domain.procurement import find_item, money
from domain.text import slug

LINES = [("steel-beams", "Steel Beams"), ("hvac-units", "HVAC Units"), ("hvac-unit", "HVAC Unit, spare")]


@pytest.mark.parametrize("named", ["steel-beams", "Steel Beams", "  steel   BEAMS", "STEELBEAMS"])
def test_case_and_spacing_do_not_count(named: str) -> None:
    assert find_item(named, LINES) == "steel-beams"


@pytest.mark.parametrize("named", ["Steel Beam", "Steel", "Steal Beams", "", "HVAC"])
def test_a_near_miss_is_never_taken(named: str) -> None:
    assert find_item(named, LINES) is None


def test_a_name_that_two_lines_share_is_nobodys() -> None:
    assert find_item("Door", [("d1", "Door"), ("d2", "door")]) is None


@given(st.text(min_size=1))
def test_every_name_makes_a_usable_id(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", slug(name))


@given(st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=4))
def test_amounts_leave_exactly_and_with_two_places_at_least(amount: Decimal) -> None:
    text = money(amount)
    assert text is not None
    assert Decimal(text) == amount
    assert len(text.split(".")[1]) >= 2


@pytest.mark.parametrize(
    "text", ["yes", "Yes!", " YES. ", "ok", "O.K.", "Approved", "go ahead", "Do it!!", "confirmed"]
)
def test_a_plain_yes_is_understood(text: str) -> None:
    assert plain_answer(text) == "approve"


@pytest.mark.parametrize("text", ["no", "No.", "NO!!!", "nope", "rejected", "no, thanks", "don't"])
def test_a_plain_no_is_understood(text: str) -> None:
    assert plain_answer(text) == "reject"


@pytest.mark.parametrize(
    "text", ["yes but only 20", "no, take it out", "hold it", "", "?", "approve the other one", "yes or no?", "not now"]
)
def test_anything_that_says_more_is_not_a_plain_answer(text: str) -> None:
    assert plain_answer(text) is None


ARGS = {"approval_id": "office-3-0", "version": 2}
HOLD = {"name": "hold_item", "arguments": {"item": "steel-beams"}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({**ARGS, "type": "approve"}, "approve"),
        ({**ARGS, "type": "respond", "message": "No."}, "reject"),
        ({"decisions": [{"type": "approve", "args": ARGS}]}, "approve"),
        ({"decisions": [{"type": "reject", "message": "too dear", **ARGS}]}, "reject"),
        ([{"type": "accept", "args": {"action": "inspection_failed", "args": ARGS}}], "approve"),
        ([{"type": "ignore", "args": ARGS}], "reject"),
        ([{"type": "edit", "args": {"action": "x", "args": {**ARGS, "actions": [HOLD]}}}], "edit"),
        ({"decisions": [{"type": "edit", "edited_action": {"args": {**ARGS, "actions": [HOLD]}}}]}, "edit"),
    ],
)
def test_every_shape_of_the_inbox_uis_is_read(value: object, expected: str) -> None:
    answer = read_answer(value)
    assert (answer.approval_id, answer.version, answer.type) == ("office-3-0", 2, expected)
    assert bool(answer.actions) == (expected == "edit")


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        None,
        {},
        [],
        [{"type": "accept", "args": None}],
        {"type": "approve", "approval_id": "office-3-0"},
        {"decisions": [{"type": "approve"}]},
        {**ARGS, "type": "maybe"},
        {**ARGS, "type": "edit"},
        {**ARGS, "type": "edit", "actions": [{"name": "pay_invoice", "arguments": {}}]},
        {**ARGS, "type": "respond", "message": "replace it, but in blue"},
        [{"type": "accept", "args": ARGS}, {"type": "accept", "args": ARGS}],
        {**ARGS, "version": "latest", "type": "approve"},
    ],
)
def test_an_answer_that_does_not_say_what_it_answers_is_asked_again(value: object) -> None:
    with pytest.raises(UnreadableAnswerError):
        read_answer(value)


KEYS = st.sampled_from(["type", "args", "decisions", "approval_id", "version", "message"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12))
def test_no_value_whatever_breaks_the_parser(value: object) -> None:
    try:
        answer = read_answer(value)
    except UnreadableAnswerError:
        return
    assert answer.approval_id
