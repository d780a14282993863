"""A building of five thousand events costs no more tokens than one of fifty."""

import re
from collections import Counter

from domain.summaries import Summary
from evals.bench.correspondence import BUILDING, Shorthand
from evals.bench.memory import grow, typed_events
from runtime.slots import open_slot
from storage.rows import select
from tests.agent.desk import FixedClock
from tools.prompts import Budgets


async def test_the_prompt_of_event_5000_is_no_longer_than_that_of_event_50(database: str) -> None:
    model = Shorthand()
    slot = await open_slot(database, FixedClock(), "test memory", model, budgets=Budgets(10_000))
    try:
        lengths, compactions = await grow(slot, 5_000, lambda _: None, repeats=12)
        versions = await select(slot.conn, Summary, "building_id = %s", (BUILDING,))
    finally:
        await slot.conn.close()
    young, old = lengths[:20], lengths[20:]
    assert max(young) > 5_000
    assert max(old) <= 1.02 * max(young)  # a number of an entry has more digits, and a letter is cut somewhere else
    assert max(lengths) <= slot.toolbox.budgets.total
    assert compactions == len(versions) > 100
    seen = Counter(letter for prompt in model.prompts for letter in re.findall(r"Letter \d+:", prompt))
    assert max(seen.values()) == 1
    assert sum(version.messages for version in versions) == 2 * versions[-1].upto_seq
    assert len(model.prompts) <= len(versions)


async def test_typed_events_ask_no_model(database: str) -> None:
    events, calls = await typed_events(database, lines=2)
    assert events == 10
    assert calls == 0
