"""A worker with nothing to do does not wake up, and hears at once of what there is to do, also by a new listener."""

import asyncio

from storage.connection import Connection
from tests.durability.crew import all_rows, note, open_building, running_worker, until, until_nothing_is_open

# Found by nothing but the notice: no look for work, and no tick, within the test.
DEAF = {"poll_interval": 60, "tick_interval": 30, "stalled_after": 30, "heartbeat_interval": 10}
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^LISTEN .*drain'"
ONE_LISTENS = f"SELECT count(*) = 1 FROM ({LISTENERS}) l"


async def test_an_event_is_taken_by_its_notice_alone(conn: Connection, database: str) -> None:
    async with running_worker(database, **DEAF):
        await until(conn, ONE_LISTENS)
        await open_building(conn, "office")
        for number in range(3):
            await note(conn, "office", f"n{number}")
            await until_nothing_is_open(conn, within=15)


async def test_a_listener_whose_connection_died_is_replaced_at_once(conn: Connection, database: str) -> None:
    async with running_worker(database, **DEAF):
        await until(conn, ONE_LISTENS)
        (dead,) = await all_rows(conn, LISTENERS)
        await conn.execute("SELECT pg_terminate_backend(%s)", (dead["pid"],))
        await until(conn, f"SELECT count(*) = 1 FROM ({LISTENERS}) l WHERE pid <> %s", dead["pid"], within=15)
        await open_building(conn, "office")
        await note(conn, "office", "after")
        await until_nothing_is_open(conn, within=15)


async def test_an_idle_worker_falls_asleep(conn: Connection, database: str) -> None:
    """Counted in turns of the event loop and not in time, which others' load would change: two listeners of the
    engine's own kind make twenty a second for ever."""
    async with running_worker(database, **DEAF):
        await until(conn, ONE_LISTENS)
        for _ in range(20):  # what starting left behind may take a while
            if await _turns(1.0) < 8:
                return
    raise AssertionError("it never slept for a second")


async def _turns(seconds: float) -> int:
    """How often the running loop turned meanwhile."""
    selector, turns = asyncio.get_running_loop()._selector, 0  # type: ignore[attr-defined]
    select = selector.select

    def counted(timeout: float | None = None) -> object:
        nonlocal turns
        turns += 1
        return select(timeout)

    selector.select = counted
    try:
        await asyncio.sleep(seconds)
    finally:
        selector.select = select
    return turns
