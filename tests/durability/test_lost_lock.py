"""The connection that holds the lock is lost in the middle of a node, as while a model is asked: one run acts."""

import asyncio
import signal
import subprocess
from typing import Any

import psycopg
import pytest

from runtime.drain import Ended
from storage.connection import Connection
from tests.agent.desk import Desk, make_drainer
from tests.durability.crew import all_rows, open_building, post, until, until_nothing_is_open, worker_process
from tests.durability.gates import gated_drainer
from tests.durability.stage import Stage
from tests.durability.stories import UNCLEAR, Story

ORDER: dict[str, Any] = {"event_type": "Submittal_Approved", "item": "Doors"}
MAIL: dict[str, Any] = {"event_type": "Message_Received", "text": "The doors come on the first of April."}


@pytest.mark.parametrize("event", [ORDER, MAIL])
async def test_whoever_lost_the_lock_in_any_node_writes_nothing_more(
    stage: Stage, database: str, event: dict[str, Any]
) -> None:
    """Each node in which an event's run may stay long: the run that is left behind there goes on while another one
    has done its work."""
    undisturbed, switch = await stage.play(Story(UNCLEAR.opening, (lambda desk: desk.post(**event),)))
    nodes = [one for one in switch.passed[1] if one.startswith("start of")]
    assert len(nodes) > 4
    for number, node in enumerate(nodes):
        desk = Desk(stage.conn, make_drainer(database, stage.slots.clock), stage.slots.clock, f"yard-{number}")
        await desk.open(**UNCLEAR.opening)
        await desk.post(**event, run=False)
        lost, gate, slots = gated_drainer(database, desk.clock, node)
        first = asyncio.create_task(lost.drain(desk.building_id))
        await gate.stops(first)
        await stage.conn.execute("SELECT pg_terminate_backend(%s)", (slots.backend,))
        assert await desk.drainer.drain(desk.building_id) == Ended.EMPTY
        gate.opened.set()
        with pytest.raises(psycopg.OperationalError):
            await first
        await desk.drainer.slots.close()
        ending = await stage.ending(desk.building_id)
        for part, expected in undisturbed.items():
            assert ending[part] == expected, f"{part}, {node}"


@pytest.mark.slow
async def test_a_worker_that_hung_in_a_node_and_lost_its_lock_leaves_the_event_to_another(
    conn: Connection, database: str
) -> None:
    """Two real processes: the first stops in the middle of a node, without any sign of life, and comes back late."""
    await open_building(conn, "office", "Steel Beams")
    report = {"document_url": "https://docs.example/1.pdf", "document_name": "Submittal", "item": "Steel Beams"}
    await post(conn, "office", "docs-311", "Submittal_Approved", **report)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with worker_process(database, "held-in", "decide", **pipes) as hung:
        assert hung.stdout is not None
        backend = int(await asyncio.to_thread(hung.stdout.readline))
        hung.send_signal(signal.SIGSTOP)
        with worker_process(database):
            await until(conn, "SELECT epoch > 1 FROM buildings")
            (event,) = await all_rows(conn, "SELECT attempts FROM events")
            assert event["attempts"] == 1, "the lock still holds: nobody else has begun with it"
            await conn.execute("SELECT pg_terminate_backend(%s)", (backend,))
            await until_nothing_is_open(conn)
            before = await _written(conn)
            hung.send_signal(signal.SIGCONT)
            hung.send_signal(signal.SIGTERM)  # it ends once it has done what it had in hand
            await asyncio.to_thread(hung.communicate, b"go on\n", 20)

    assert await _written(conn) == before
    (event,) = await all_rows(conn, "SELECT status, attempts, failures FROM events")
    assert event == {"status": "done", "attempts": 2, "failures": 0}
    assert len(await all_rows(conn, "SELECT 1 FROM purchase_orders")) == 1
    acts = await all_rows(conn, "SELECT action FROM actions WHERE kind = 'action' ORDER BY position, action")
    assert [row["action"] for row in acts] == ["issue_purchase_order", "start_tracking"]


async def _written(conn: Connection) -> dict[str, list[dict[str, Any]]]:
    """What a run writes."""
    tables = ("events", "actions", "decisions", "changes", "items", "purchase_orders", "milestones")
    tables += ("checkpoints", "checkpoint_writes", "checkpoint_blobs")
    return {table: await all_rows(conn, f"SELECT * FROM {table} t ORDER BY t::text") for table in tables}
