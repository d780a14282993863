"""A backup holds everything, and comes back usable, over the socket and over TCP with a password."""

import asyncio
import contextlib
import os
import stat
from pathlib import Path

import psycopg
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from storage.backup import BackupError, DatabaseNotEmptyError, RestoreError, backup, restore
from storage.database import connect
from storage.migrate import migrate, pending

DEFER = (
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('queue', 'task', 0, NULL, NULL, '{}', NULL)"
    "::procrastinate_job_to_defer_v1])"
)


async def fill(conninfo: str) -> None:
    async with await connect(conninfo, application_name="test") as connection:
        await connection.execute(DEFER)
        config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        await AsyncPostgresSaver(connection).aput(config, empty_checkpoint(), {"step": 1}, {})  # type: ignore[arg-type]


async def check_usable(conninfo: str) -> None:
    assert await pending(conninfo) == []
    assert (await migrate(conninfo)).already_current
    async with await connect(conninfo, application_name="test") as connection:
        jobs = await connection.execute("SELECT count(*) AS n FROM procrastinate_jobs")
        assert await jobs.fetchone() == {"n": 1}
        await connection.execute(DEFER)  # the functions, and the sequence beyond the restored row
        fetched = await connection.execute("SELECT id FROM procrastinate_jobs ORDER BY id")
        assert [row["id"] for row in await fetched.fetchall()] == [1, 2]
        found = await AsyncPostgresSaver(connection).aget_tuple(
            {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        )
        assert found is not None
        assert found.metadata["step"] == 1


async def test_a_backup_comes_back_into_an_empty_database(database: str, empty_database: str, tmp_path: Path) -> None:
    await fill(database)
    target = tmp_path / "a backup's file.dump"
    await asyncio.to_thread(backup, database, target)
    await asyncio.to_thread(restore, empty_database, target)
    await check_usable(empty_database)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [target.name]


async def test_a_backup_travels_from_the_embedded_server_to_one_over_tcp_with_a_password(
    database: str, external_database: str, tmp_path: Path
) -> None:
    await fill(database)
    await asyncio.to_thread(backup, database, tmp_path / "b")
    await asyncio.to_thread(restore, external_database, tmp_path / "b")
    await check_usable(external_database)


async def test_a_backup_travels_from_a_server_over_tcp_to_the_embedded_one(
    external_database: str, empty_database: str, tmp_path: Path
) -> None:
    await migrate(external_database, vector=True)
    await fill(external_database)
    await asyncio.to_thread(backup, external_database, tmp_path / "b")
    await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    await check_usable(empty_database)


async def test_a_backup_with_pgvector_comes_back_for_a_user_who_is_no_superuser(
    empty_database: str, external_database: str, tmp_path: Path
) -> None:
    report = await migrate(empty_database, vector=True)
    assert report.vector, report.vector_reason
    await fill(empty_database)
    await asyncio.to_thread(backup, empty_database, tmp_path / "b")
    await asyncio.to_thread(restore, external_database, tmp_path / "b")
    await check_usable(external_database)


async def test_a_backup_under_load_is_of_one_moment(database: str, empty_database: str, tmp_path: Path) -> None:
    """Two counters always move together; a backup that saw one transaction half would find them apart."""
    async with await connect(database, application_name="test") as connection:
        await connection.execute("CREATE TABLE one AS SELECT 0 AS n")
        await connection.execute("CREATE TABLE two AS SELECT 0 AS n")
        saving = asyncio.create_task(asyncio.to_thread(backup, database, tmp_path / "b"))
        while not saving.done():
            await connection.execute("WITH a AS (UPDATE one SET n = n + 1) UPDATE two SET n = n + 1")
        await saving
    await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    async with await connect(empty_database, application_name="test") as connection:
        row = await (await connection.execute("SELECT one.n AS one, two.n AS two FROM one, two")).fetchone()
    assert row is not None
    assert row["one"] == row["two"]


async def test_a_database_with_something_in_it_is_not_restored_into(database: str, tmp_path: Path) -> None:
    await fill(database)
    await asyncio.to_thread(backup, database, tmp_path / "b")
    with pytest.raises(DatabaseNotEmptyError, match="not empty") as caught:
        await asyncio.to_thread(restore, database, tmp_path / "b")
    assert caught.value.status == 409
    await check_usable(database)


async def test_a_cut_off_backup_file_restores_nothing_at_all(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(backup, database, tmp_path / "b")
    whole = (tmp_path / "b").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(RestoreError, match="pg_restore"):
        await asyncio.to_thread(restore, empty_database, tmp_path / "cut")
    await asyncio.to_thread(restore, empty_database, tmp_path / "b")


async def test_what_is_no_backup_is_refused_with_the_tools_own_words(empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(RestoreError, match="no backup file"):
        await asyncio.to_thread(restore, empty_database, tmp_path / "missing")
    (tmp_path / "text").write_text("SELECT 1;")
    with pytest.raises(RestoreError, match=r"does not appear to be a valid archive|too short"):
        await asyncio.to_thread(restore, empty_database, tmp_path / "text")


async def test_a_failed_backup_leaves_the_earlier_one_alone(database: str, tmp_path: Path) -> None:
    target = tmp_path / "b"
    target.write_text("earlier")
    with pytest.raises(BackupError, match="does not exist"):
        await asyncio.to_thread(backup, make_conninfo(database, dbname="no_such"), target)
    assert target.read_text() == "earlier"
    assert os.listdir(tmp_path) == [target.name]
    with pytest.raises(BackupError, match="no_folder"):
        await asyncio.to_thread(backup, database, tmp_path / "no_folder" / "b")


@pytest.mark.parametrize("tool", ["pg_dump", "pg_restore"])
async def test_the_password_is_on_no_command_line(
    tool: str, external_database: str, empty_database: str, database: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(backup, database, tmp_path / "b")
    with psycopg.connect(external_database, autocommit=True, row_factory=dict_row) as connection:
        if tool == "pg_dump":
            await migrate(external_database)
            # A lock that pg_dump must wait for keeps it there to be looked at.
            connection.autocommit = False
            connection.execute("LOCK TABLE procrastinate_jobs")
            work = asyncio.create_task(asyncio.to_thread(backup, external_database, tmp_path / "c"))
        else:
            connection.autocommit = False
            connection.execute("CREATE TYPE procrastinate_job_status AS ENUM ('blocks the one of that name')")
            work = asyncio.create_task(asyncio.to_thread(restore, external_database, tmp_path / "b"))
        lines = await command_lines(tool)
        connection.rollback()
        await work
    assert lines
    assert not any("quoted" in line or "p%40ss" in line for line in lines)


async def command_lines(program: str) -> list[str]:
    """The command lines of the running processes of that name, waiting up to ten seconds for one."""
    for _ in range(500):
        if found := [line for line in all_command_lines() if f"/{program}" in line and "--dbname" in line]:
            return found
        await asyncio.sleep(0.02)
    return []


def all_command_lines() -> list[str]:
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return lines
