"""Names, amounts and plain answers."""

import re
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.addresses import bare_address, same_address
from domain.answers import UnreadableAnswerError, read_answer
from domain.approvals import plain_answer
from domain.line_names import LineNames
from domain.plain_words import approves_by_name, asks_to_hold, refuses
from domain.procurement import money
from domain.text import slug

LINES = [("steel-beams", "Steel Beams"), ("hvac-units", "HVAC Units"), ("hvac-unit", "HVAC Unit, spare")]


@pytest.mark.parametrize("named", ["steel-beams", "Steel Beams", "  steel   BEAMS", "STEELBEAMS"])
def test_case_and_spacing_do_not_count(named: str) -> None:
    assert LineNames(LINES).find(named) == "steel-beams"


@pytest.mark.parametrize("named", ["Steel Beam", "Steel", "Steal Beams", "", "HVAC"])
def test_a_near_miss_is_never_taken(named: str) -> None:
    assert LineNames(LINES).find(named) is None


def test_a_name_that_two_lines_share_is_nobodys() -> None:
    assert LineNames([("d1", "Door"), ("d2", "door")]).find("Door") is None


@given(st.text(min_size=1))
def test_every_name_makes_a_usable_id(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", slug(name))


@given(st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=4))
def test_amounts_leave_exactly_and_with_two_places_at_least(amount: Decimal) -> None:
    text = money(amount)
    assert text is not None
    assert Decimal(text) == amount
    assert len(text.split(".")[1]) >= 2


YES = (
    *("yes", "Yes!", " YES. ", "ok", "O.K.", "Approved", "go ahead", "Do it!!", "confirmed", "Yes please.", "y"),
    *(
        "OK, go ahead",
        "ja, einverstanden",
        "Vielen Dank, ja.",
        "D'accord, merci.",
        "Sí, de acuerdo.",
        "Va bene, grazie",
    ),
    *("Akkoord, dank u.", "Thank you. Yes, I agree."),
)
NO = (
    *(
        "no",
        "No.",
        "NO!!!",
        "nope",
        "rejected",
        "no, thanks",
        "don't",
        "No, thank you",
        "n",
        "Nein, danke.",
        "Non merci",
    ),
    *("No, gracias.", "Nee, bedankt."),
)
UNCLEAR = (
    *("yes but only 20", "no, take it out", "hold it", "", "?", "approve the other one", "yes or no?", "not now"),
    *("OK?", "Sure?", "yes?", "yes?!", "¿sí?", "ja？", "yes, but", "I can hardly say yes", "ok for now?", "ok for now"),
    *(
        "yes if the price holds",
        "not sure, ok",
        "yes and no",
        "no objections",
        "no problem",
        "why not",
        "not ok",
        "OK...",
    ),
    *(
        "OK…",
        "yes,",
        "yes -",
        "yes: 20",
        "yes 20",
        "Yes, Bob",
        "yes\nBob",
        "(yes)",
        '"yes"',
        "/ok",
        "!ok",
        "no go",
        "ja nein",
    ),
    *(
        "y̶e̶s̶",
        "уes",
        "𝐲𝐞𝐬",
        "y\u200bes",
        "yes yes",
        "ja ja",
        "please",
        "thanks",
        "👍",
        "ok 👎",
        "pas d'accord",
        "nicht ok",
    ),
    *(
        "yes" + " please" * 100,
        "si no",
        "sure, if",
        "I do not agree",
        "unapproved",
        "disagree",
        "yes; no",
        "y n",
        "No, go ahead",
    ),
)


@pytest.mark.parametrize("text", YES)
def test_a_plain_yes_is_understood(text: str) -> None:
    assert plain_answer(text) == "approve"


@pytest.mark.parametrize("text", NO)
def test_a_plain_no_is_understood(text: str) -> None:
    assert plain_answer(text) == "reject"


@pytest.mark.parametrize("text", UNCLEAR)
def test_anything_that_says_more_is_not_a_plain_answer(text: str) -> None:
    assert plain_answer(text) is None


@given(
    st.sampled_from([*YES, *NO]), st.integers(0, 40), st.sampled_from('?？؟¿;:()[]{}<>/@#%&*+=0123456789"\u200b\u0336')
)
def test_no_sign_can_be_put_into_a_plain_answer(text: str, at: int, sign: str) -> None:
    assert plain_answer(text[:at] + sign + text[at:]) is None


OTHER_WORDS = (
    "if",
    "but",
    "not",
    "never",
    "hardly",
    "maybe",
    "unless",
    "tomorrow",
    "half",
    "aber",
    "nicht",
    "pero",
    "mais",
)


@given(st.sampled_from([*YES, *NO]), st.sampled_from(OTHER_WORDS), st.booleans())
def test_no_word_can_be_put_beside_a_plain_answer(text: str, word: str, before: bool) -> None:
    assert plain_answer(f"{word} {text}" if before else f"{text} {word}") is None


@given(st.sampled_from(YES), st.sampled_from(NO))
def test_a_yes_beside_a_no_is_no_yes(yes: str, no: str) -> None:
    assert plain_answer(f"{yes} {no}") != "approve"
    assert plain_answer(f"{no} {yes}") != "approve", '"don\'t do it" is a no'


def test_a_long_text_is_looked_at_in_no_time() -> None:
    begun = time.perf_counter()
    for text in ("yes " * 250_000, "a" * 1_000_000, "no." * 300_000):
        assert plain_answer(text) is None
        assert not approves_by_name(text, [{"name": "reorder_item"}], "Doors")
        assert not asks_to_hold(text, "Doors")
        assert not refuses(text)
    assert time.perf_counter() - begun < 1


ORDER = [{"name": "issue_purchase_order"}, {"name": "start_tracking"}]
REPLACE = [{"name": "reorder_item"}]


@pytest.mark.parametrize(
    ("text", "recommended"),
    [
        ("yes, order it", ORDER),
        ("OK, place the order, thanks", ORDER),
        ("yes, replace them please", REPLACE),
        ("Yes please, go ahead with the replacement.", REPLACE),
        ("OK, replace the Fire Doors.", REPLACE),
        ("Ja, bitte ersetzen.", REPLACE),
        ("yes, return it and take it out", [{"name": "return_item"}, {"name": "remove_item"}]),
        ("Yes, repair it.", [{"name": "repair_item"}, {"name": "schedule_inspection"}]),
    ],
)
def test_a_yes_that_names_what_is_recommended_leaves_nothing_over(text: str, recommended: list[dict[str, str]]) -> None:
    assert approves_by_name(text, recommended, "Fire Doors")


@pytest.mark.parametrize(
    ("text", "recommended"),
    [
        ("yes, replace it", ORDER),
        ("yes, order it", REPLACE),
        ("replace them", REPLACE),
        ("yes, replace them?", REPLACE),
        ("yes, replace half of them", REPLACE),
        ("yes, replace them and cancel the order", REPLACE),
        ("yes, replace the Doors", REPLACE),
        ("yes, inspect it", [{"name": "repair_item"}, {"name": "schedule_inspection"}]),
        ("yes, return it", [{"name": "return_item"}, {"name": "remove_item"}]),
        ("yes, do not replace them", REPLACE),
        ("yes, order it", []),
        ("no, replace them", REPLACE),
    ],
)
def test_a_yes_that_names_anything_else_is_left_to_be_asked(text: str, recommended: list[dict[str, str]]) -> None:
    assert not approves_by_name(text, recommended, "Fire Doors")


VENDOR = "orders@glaze.example"


@pytest.mark.parametrize("sender", [VENDOR, "Orders@Glaze.Example"])
def test_a_vendor_is_known_by_its_whole_address(sender: str) -> None:
    assert same_address(sender, VENDOR)


@pytest.mark.parametrize(
    "sender",
    [
        None,
        "",
        "glaze",
        "orders@glaze",
        "Glaze <orders@glaze.example>",
        "<orders@glaze.example>",
        "orders@glaze.example <evil@x.example>",
        "evil@x.example <orders@glaze.example>",
        "orders@glaze.example, evil@x.example",
        "orders@glaze.example evil@x.example",
        "orders@glaze.example (evil@x.example)",
        "orders(x)@glaze.example",
        '"orders@glaze.example"@x.example',
        '"orders"@glaze.example',
        "orders@glaze.example.evil.example",
        "orders@evil.glaze.example",
        "xorders@glaze.example",
        "orders@glaze.example\n",
        " orders@glaze.example",
        "orders@glаze.example",
        "ｏrders@glaze.example",
        "orders@[127.0.0.1]",
        "orders@@glaze.example",
        "orders@glaze..example",
        "o" * 300 + "@glaze.example",
    ],
)
def test_whatever_only_looks_like_the_vendor_is_a_stranger(sender: str | None) -> None:
    assert not same_address(sender, VENDOR)
    assert not same_address(sender, sender) or sender == bare_address(sender)


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
