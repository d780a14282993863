"""Record histories with the code as it is, for the tests of every later version.

    python -m tests.histories.record NAME [STORY ...]

writes tests/histories/recorded/NAME-STORY.json for each of the stories below, all of them without a name. NAME tells
the version that recorded: a release or a commit. Recordings are never written anew: later code must be able to read
what earlier code wrote.
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from runtime.drain import Drainer
from storage.buildings import thread_id
from storage.database import connect
from storage.embedded import EmbeddedServer
from storage.migrate import migrate
from storage.retention import Policy, Pruning
from tests.agent.desk import Desk, FixedClock, make_drainer
from tests.durability.cutting import CutOffError, CuttableSlots, SwitchAt
from tests.histories.dump import FOLDER, dump, write
from tests.histories.stories import opened, parts_of_lines, the_whole_of_it, two_questions

Story = Callable[[Desk, str], Awaitable[None]]

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""When all steps are old."""


async def _parked(desk: Desk, _: str) -> None:
    await two_questions(desk)


async def _parts(desk: Desk, _: str) -> None:
    await parts_of_lines(desk)


async def _finished(desk: Desk, _: str) -> None:
    """Steps are kept of the last entries only, as after years."""
    await the_whole_of_it(desk)
    kept = Policy(events=3, days=1)
    assert await Pruning(desk.conn, kept, LATER).thread(thread_id(desk.building_id))


async def _cut_off_in_an_event(node: str, desk: Desk, conninfo: str) -> None:
    """The process ends at the start of a node, while a submittal is processed."""
    await opened(desk)
    await desk.post("Human_Input", text="The lift is out of order.")
    await desk.post("Submittal_Approved", item="Steel Beams", run=False)
    await _cut_off(desk, conninfo, f"start of {node}")


async def _cut_off_in_an_answer(node: str, desk: Desk, conninfo: str) -> None:
    """The process ends at the start of a node, while a person's answer is carried out; another question is open."""
    await two_questions(desk)
    await desk.decide(await desk.question("order_beyond_authority"), "approve", run=False)
    await _cut_off(desk, conninfo, f"start of {node}")


async def _cut_off(desk: Desk, conninfo: str, boundary: str) -> None:
    switch = SwitchAt(boundary=boundary)
    slots = CuttableSlots(conninfo, desk.clock, switch)
    drainer = Drainer(desk.drainer.settings, desk.clock, slots, asyncio.Event())  # type: ignore[arg-type]
    try:
        await drainer.drain(desk.building_id)
    except CutOffError:
        return
    finally:
        await slots.close()
    raise LookupError(f"the process never came to the {boundary}")


STORIES: dict[str, Story] = {
    "parked": _parked,
    "finished": _finished,
    "parts": _parts,
    **{
        f"cut-off-at-{node.replace('_', '-')}": partial(_cut_off_in_an_event, node)
        for node in ("classify_event", "issue_purchase_order", "decide", "carry_out", "remember")
    },
    **{
        f"cut-off-at-{node.replace('_', '-')}-in-an-answer": partial(_cut_off_in_an_answer, node)
        for node in ("apply_decision", "carry_out", "remember", "await_approval")
    },
}


async def record(conninfo: str, name: str, stories: list[str]) -> None:
    """Play the stories in a fresh database, and write their histories."""
    await migrate(conninfo)
    FOLDER.mkdir(exist_ok=True)
    async with await connect(conninfo, application_name="recorder") as conn:
        for story in stories:
            clock = FixedClock()
            desk = Desk(conn, make_drainer(conninfo, clock), clock, f"{story}-office")
            await STORIES[story](desk, conninfo)
            await desk.drainer.slots.close()
            write(FOLDER / f"{name}-{story}.json", await dump(conn, desk.building_id))


def main(name: str, stories: list[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="longlead-record-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServer(Path(folder) / "server") as server:
            asyncio.run(record(server.conninfo, name, stories or list(STORIES)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
