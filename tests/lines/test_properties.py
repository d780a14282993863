"""What must hold of every line, whatever is said about it and in which order."""

import os
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.lines.facts import Fact
from tests.lines.histories import facts
from tests.lines.properties import (
    check_conservation,
    check_order_of_arrival,
    check_release,
    check_told_again,
    reports_of,
)

MANY = settings(max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "200")), deadline=None)
"""`make properties` tries many more."""


@MANY
@given(facts())
def test_quantities_are_conserved(history: list[Fact]) -> None:
    check_conservation(history)


@MANY
@given(facts())
def test_no_line_is_released_too_early(history: list[Fact]) -> None:
    check_release(history)


@MANY
@given(facts(), st.randoms(use_true_random=False))
def test_the_order_in_which_facts_come_in_does_not_matter(history: list[Fact], chance: random.Random) -> None:
    shuffled = list(history)
    chance.shuffle(shuffled)
    check_order_of_arrival(history, shuffled)


@MANY
@given(facts(), st.data())
def test_a_fact_told_again_by_another_system_changes_nothing(history: list[Fact], data: st.DataObject) -> None:
    reports = reports_of(history)
    if reports:
        check_told_again(history, data.draw(st.sampled_from(reports)), with_id=data.draw(st.booleans()))
