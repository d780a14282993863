"""The same four steps as durable workflows of DBOS, from its own queue on the same PostgreSQL: one workflow for each
event, so many at once. With `ordered`, one at a time of each building, in the order in which they came, as Longlead has
it; without, in any order, which spares DBOS what order costs.

    python -m evals.bench.dbos_script CONNINFO '{"threads": 100, "events": 12, "tasks": 20, "ordered": false}' fill|run
"""

import asyncio
import json
import sys
import time
from typing import TypedDict

import psycopg
from dbos import DBOS, SetEnqueueOptions
from psycopg.conninfo import conninfo_to_dict

from evals.bench import script
from evals.bench.mix import story

QUEUE = "bench"
POLL_S = 0.02

ENDED = """
SELECT count(*) FILTER (WHERE status = 'SUCCESS'), count(*) FILTER (WHERE status = 'ERROR'),
       min(started_at_epoch_ms) / 1000.0, max(updated_at) / 1000.0
  FROM dbos.workflow_status"""


class ScriptJob(TypedDict):
    """How much is done."""

    threads: int
    events: int
    tasks: int
    ordered: bool


@DBOS.step()
async def classify(state: script.State) -> script.State:
    return await script.classify(state)


@DBOS.step()
async def handle(state: script.State) -> script.State:
    return await script.handle(state)


@DBOS.step()
async def act(state: script.State) -> script.State:
    return await script.act(state)


@DBOS.step()
async def remember(state: script.State) -> script.State:
    return await script.remember(state)


@DBOS.workflow()
async def process(event: script.HandedIn) -> script.ScriptOutcome:
    state: script.State = {"event": event}
    for step in (classify, handle, act, remember):
        state.update(await step(state))
    return state["outcome"]


def connect(conninfo: str) -> None:
    """DBOS on this database; it makes its tables in a schema of its own."""
    parts = conninfo_to_dict(conninfo)
    query = f"host={parts['host']}" + (f"&port={parts['port']}" if parts.get("port") else "")
    url = f"postgresql://{parts.get('user', 'postgres')}@/{parts['dbname']}?{query}"
    DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR", "sys_db_pool_size": 20})


async def fill(*, threads: int, events: int, tasks: int, ordered: bool) -> None:
    """Enqueue everything, and take nothing."""
    DBOS.listen_queues([])
    DBOS.launch()
    one = 1 if ordered else None
    await DBOS.register_queue_async(
        QUEUE, worker_concurrency=tasks, partition_concurrency=one, polling_interval_sec=POLL_S
    )
    bodies = story(-(-events // 6))[:events]
    for seq, body in enumerate(bodies):
        for thread in range(threads):
            event = script.entry(f"b-{thread}", seq, body)
            with SetEnqueueOptions(queue_partition_key=f"b-{thread}" if ordered else None):
                await DBOS.enqueue_workflow_async(QUEUE, process, event)


async def run(conninfo: str, *, threads: int, events: int) -> script.Took:
    """Take everything from the queue; how long that took, from the first start to the last end.

    Raises:
        RuntimeError: a workflow failed.
    """
    cpu = time.process_time()
    DBOS.launch()
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        while True:
            row = await (await conn.execute(ENDED)).fetchone()
            if row is None or row[1]:
                raise RuntimeError(f"{row and row[1]} workflows failed")
            if row[0] == threads * events:
                seconds = float(row[3] - row[2])
                return {"events": threads * events, "seconds": seconds, "cpu_s": time.process_time() - cpu}
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    connect(sys.argv[1])
    job: ScriptJob = json.loads(sys.argv[2])
    if sys.argv[3] == "fill":
        asyncio.run(fill(**job))
    else:
        sys.stdout.write(json.dumps(asyncio.run(run(sys.argv[1], threads=job["threads"], events=job["events"]))))
    DBOS.destroy()
