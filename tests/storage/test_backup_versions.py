"""A backup comes back on every version of PostgreSQL, in every direction, whichever pg_dump wrote it.

`make test` takes the versions that are installed; `make versions` takes all from the oldest supported on.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from storage.backup import backup, restore
from storage.connection import Connection
from storage.database import connect
from storage.migrate import migrate, pending
from tests.agent.desk import Desk, FixedClock, open_desk
from tests.histories.stories import two_questions
from tests.postgres_servers import NO_OTHER, find_installations, new_database, run_server

EMBEDDED = "embedded"
OTHERS = {str(installation): installation for installation in find_installations()}
ALL = [EMBEDDED, *OTHERS]
EARLIER = sorted((Path(__file__).parent / "backups").glob("*.dump"))
"""Backups that earlier versions made; the names say with which pg_dump and of which server."""

pytestmark = pytest.mark.skipif(not OTHERS, reason=NO_OTHER)

TABLES = """
SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"""
DIGEST = """SELECT '{0}' AS name, md5(string_agg(r::text, chr(10) ORDER BY r::text COLLATE "C")) AS value FROM {0} r"""
SEQUENCES = "SELECT sequencename AS name, last_value AS value FROM pg_sequences WHERE schemaname = 'public'"

# All that a schema consists of, as the server itself describes it. NOT NULL is a column's, also where the server counts
# it among the constraints.
SCHEMA = """
SELECT 'column' AS kind, c.relname || '.' || a.attname AS name,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
                 pg_get_expr(d.adbin, d.adrelid), coalesce(a.attstattarget, -1), a.attstorage) AS definition
  FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid AND c.relkind IN ('r', 'v') AND a.attnum > 0
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE NOT a.attisdropped AND c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'table', relname, reloptions::text FROM pg_class
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'index', relname, pg_get_indexdef(oid) FROM pg_class
 WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'sample', c.relname || '.' || a.attname, coalesce(a.attstattarget, -1)::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid AND c.relkind = 'i'
 WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger
 WHERE NOT tgisinternal
UNION ALL SELECT 'function', oid::regprocedure::text, md5(pg_get_functiondef(oid)) FROM pg_proc
 WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
UNION ALL SELECT 'type', t.typname, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_type t
  JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname
ORDER BY 1, 2"""


@pytest.fixture(scope="session")
def servers(external_server: str) -> Iterator[dict[str, str]]:
    """A running server of each version, and a user of it who is no superuser."""
    with ExitStack() as stack:
        others = {name: stack.enter_context(run_server(installation)) for name, installation in OTHERS.items()}
        yield {EMBEDDED: external_server, **others}


@pytest.fixture
def origin(request: pytest.FixtureRequest, servers: dict[str, str]) -> Iterator[str]:
    """An empty database on the server that is named."""
    with new_database(servers[request.param]) as conninfo:
        yield conninfo


@pytest.fixture
def target(request: pytest.FixtureRequest, servers: dict[str, str]) -> Iterator[str]:
    """Another one."""
    with new_database(servers[request.param]) as conninfo:
        yield conninfo


async def _rows(conn: Connection, query: str) -> list[dict[str, Any]]:
    return await (await conn.execute(query.encode())).fetchall()


async def _content(conninfo: str) -> dict[str, Any]:
    """A digest of every table's rows, and where every sequence stands."""
    async with await connect(conninfo, application_name="test") as conn:
        tables = [row["name"] for row in await _rows(conn, TABLES)]
        digests = " UNION ALL ".join(map(DIGEST.format, tables))
        found = [*await _rows(conn, digests), *await _rows(conn, SEQUENCES)]
        return {row["name"]: row["value"] for row in found}


async def _schema(conninfo: str) -> list[dict[str, Any]]:
    async with await connect(conninfo, application_name="test") as conn:
        return await _rows(conn, SCHEMA)


async def _answer_both_questions(desk: Desk) -> None:
    desk.clock.forward(days=10)
    desk._numbers = 1000
    await desk.decide(await desk.question("order_beyond_authority"), "approve")
    await desk.decide(await desk.question("inspection_failed"), "approve")
    assert (await desk.item("electrical-panels")).is_ordered
    await desk.post("Submittal_Approved", item="HVAC Units")
    assert await desk.pending() == []
    assert await _rows(desk.conn, "SELECT seq, error FROM events WHERE status <> 'done'") == []


@pytest.mark.parametrize(("origin", "target"), list(permutations(ALL, 2)), indirect=True)
async def test_everything_comes_back_and_parked_questions_are_answered_there(
    origin: str, target: str, tmp_path: Path
) -> None:
    await migrate(origin)
    async with open_desk(origin, FixedClock()) as desk:
        await two_questions(desk)
    await asyncio.to_thread(backup, origin, tmp_path / "b")
    await asyncio.to_thread(restore, target, tmp_path / "b")
    assert await _content(target) == await _content(origin)
    assert await pending(target) == []
    async with open_desk(target, FixedClock()) as desk:
        await _answer_both_questions(desk)


@pytest.mark.parametrize("name", ALL)
async def test_a_restored_database_has_the_schema_of_a_new_one(
    name: str, servers: dict[str, str], database: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(backup, database, tmp_path / "b")
    with new_database(servers[name]) as restored, new_database(servers[name]) as fresh:
        await asyncio.to_thread(restore, restored, tmp_path / "b")
        await migrate(fresh)
        assert await _schema(restored) == await _schema(fresh)


@pytest.mark.parametrize("target", ALL, indirect=True)
@pytest.mark.parametrize("file", EARLIER, ids=lambda file: file.stem)
async def test_a_backup_of_an_earlier_version_comes_back_and_its_questions_are_answered(
    file: Path, target: str
) -> None:
    await asyncio.to_thread(restore, target, file)
    await migrate(target)
    async with open_desk(target, FixedClock()) as desk:
        await _answer_both_questions(desk)
