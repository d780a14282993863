"""A building with a long backlog lets the others go first, and always gets on."""

import asyncio
import time

from runtime import turns
from runtime.turns import LONG, MOST_WAIT_S, Turns


async def _waited(turn: turns.Turn) -> float:
    began = time.perf_counter()
    await turn.next()
    return time.perf_counter() - began


async def test_nobody_waits_at_first_nor_alone() -> None:
    among = Turns()
    with among.drain("hot") as hot, among.drain("quiet") as quiet:
        assert max([await _waited(hot) for _ in range(LONG)]) < MOST_WAIT_S / 2
        assert await _waited(quiet) < MOST_WAIT_S / 2
    with among.drain("hot") as alone:
        assert max([await _waited(alone) for _ in range(3 * LONG)]) < MOST_WAIT_S / 2


async def test_after_many_entries_in_a_row_it_waits_until_the_others_have_ended_or_for_a_moment() -> None:
    among = Turns()
    with among.drain("hot") as hot:
        for _ in range(LONG):
            await hot.next()
        with among.drain("quiet"):
            assert await _waited(hot) >= MOST_WAIT_S
            waiting = asyncio.create_task(_waited(hot))
            await asyncio.sleep(0.01)
        assert await waiting < MOST_WAIT_S


async def test_a_drain_that_handed_on_is_remembered_until_one_found_nothing_left() -> None:
    among = Turns()
    with among.drain("hot") as hot:
        for _ in range(LONG):
            await hot.next()
        hot.goes_on = True
    with among.drain("quiet"):
        with among.drain("hot") as successor:
            assert await _waited(successor) >= MOST_WAIT_S
        with among.drain("hot") as later:
            assert await _waited(later) < MOST_WAIT_S / 2


async def test_two_long_ones_do_not_wait_for_each_other() -> None:
    among = Turns()
    with among.drain("one") as one, among.drain("other") as other:
        for _ in range(LONG):
            await asyncio.gather(one.next(), other.next())
        assert await _waited(one) < MOST_WAIT_S / 2
        assert await _waited(other) < MOST_WAIT_S / 2
