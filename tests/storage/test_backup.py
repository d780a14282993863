"""A backup holds everything, and comes back usable, over the socket and over TCP with a password."""

import asyncio
import contextlib
import io
import os
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.conninfo import make_conninfo

from storage.archive_script import ScriptRunner
from storage.backup import BackupError, DatabaseNotEmptyError, RestoreError, backup, restore
from storage.database import connect
from storage.health import report
from storage.migrate import DatabaseNewerError, migrate, pending, read_migrations
from storage.vectors import prepare_vectors

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
    migrated = await migrate(empty_database, vector=True)
    assert migrated.vector, migrated.vector_reason
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


async def test_after_a_restore_no_worker_of_before_is_alive_and_what_it_was_doing_is_taken_up(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    await fill(database)
    async with await connect(database, application_name="test") as connection:
        await connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        await connection.execute(
            "INSERT INTO workers (worker_id, host, pid, version, started_at, connections, slots, slots_open)"
            " SELECT id, 'elsewhere', 1, '1', now(), 5, 4, 4 FROM procrastinate_workers"
        )
        await connection.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)"
        )
    await asyncio.to_thread(backup, database, tmp_path / "b")
    await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    async with await connect(empty_database, application_name="test") as connection:
        told = await report(connection, 120.0, datetime.now(UTC))
        jobs = await (await connection.execute("SELECT status, worker_id FROM procrastinate_jobs")).fetchall()
    assert (told.snapshot.workers, told.worker_processes) == (0, [])
    assert jobs == [{"status": "doing", "worker_id": None}]  # what the job engine calls stalled


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


async def test_the_password_is_on_no_command_line_of_a_backup(external_database: str, tmp_path: Path) -> None:
    await migrate(external_database)
    with psycopg.connect(external_database) as connection:
        # A lock that pg_dump must wait for keeps it there to be looked at.
        connection.execute("LOCK TABLE procrastinate_jobs")
        work = asyncio.create_task(asyncio.to_thread(backup, external_database, tmp_path / "c"))
        lines = await command_lines("pg_dump")
        connection.rollback()
        await work
    assert lines
    assert not any("quoted" in line or "p%40ss" in line for line in lines)


async def test_a_restore_tells_no_tool_how_to_reach_the_database(
    external_database: str, database: str, tmp_path: Path
) -> None:
    async with await connect(database, application_name="test") as connection:  # so that its script takes a while
        await connection.execute("CREATE TABLE numbers AS SELECT generate_series(1, 200000) AS n")
    await asyncio.to_thread(backup, database, tmp_path / "b")
    seen: set[str] = set()
    await asyncio.to_thread(
        restore, external_database, tmp_path / "b", on_progress=lambda _: seen.update(all_command_lines())
    )
    tools = [line for line in seen if "/pg_restore" in line and str(tmp_path) in line]
    assert tools
    assert not any(word in line for line in tools for word in ("dbname", "host=", "quoted", "p%40ss"))


LONGLEADS_OWN = "CREATE TABLE longlead_migrations (number int, name text)"
"""By this table a database is known as Longlead's."""

HOSTILE = [
    r"\.",
    "\\.\n\\.\n",
    "COPY public.texts (n, text) FROM stdin;\n1\tx\n\\.\n",
    "-- Name: x; Type: TABLE\n",
    "SET transaction_timeout = 0;\n\\unrestrict abc\n",
    "BEGIN;\nCOMMIT;\n",
    "tab\tand\rreturn\v\f\b and 'quotes' and ${tag}$ %s {}",
    "Δοκός 梁 🏗",
    "",
    "x" * 700_000,
]


async def test_every_text_comes_back_as_it_was(empty_database: str, external_database: str, tmp_path: Path) -> None:
    async with await connect(external_database, application_name="test") as connection:
        await connection.execute(LONGLEADS_OWN)
        await connection.execute("CREATE TABLE texts (n int, text text)")
        for n, text in enumerate(HOSTILE):
            await connection.execute("INSERT INTO texts VALUES (%s, %s)", (n, text))
    await asyncio.to_thread(backup, external_database, tmp_path / "b")
    await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    async with await connect(empty_database, application_name="test") as connection:
        rows = await (await connection.execute("SELECT text FROM texts ORDER BY n")).fetchall()
    assert [row["text"] for row in rows] == HOSTILE


LINES_LIKE_THE_SCRIPTS_OWN = """
SET transaction_timeout = 0;
SET no_such_setting = 1;
\\restrict abc
COPY x FROM stdin;
\\.
-- Name: x; Type: TABLE
BEGIN;
COMMIT;
\\unrestrict abc
"""


async def test_a_function_comes_back_to_the_letter_whatever_lines_it_has(
    empty_database: str, external_database: str, tmp_path: Path
) -> None:
    async with await connect(external_database, application_name="test") as connection:
        await connection.execute(LONGLEADS_OWN)
        body = LINES_LIKE_THE_SCRIPTS_OWN.replace("'", "''")
        await connection.execute(f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT '{body}'$$".encode())
        await connection.execute(
            "CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END"  # 14 and newer
        )
    await asyncio.to_thread(backup, external_database, tmp_path / "b")
    await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    async with await connect(empty_database, application_name="test") as connection:
        row = await (await connection.execute("SELECT f(), g()")).fetchone()
    assert row == {"f": LINES_LIKE_THE_SCRIPTS_OWN, "g": 2}


async def test_settings_that_the_server_does_not_know_are_left_out_and_the_others_count(empty_database: str) -> None:
    script = (
        "\\restrict abc\n\nSET no_such_setting = 0;\nSET lock_timeout = 4711;\n\n"
        "-- Name: t; Type: TABLE\n--\n\nCREATE TABLE t (n int);\n\n\\unrestrict abc\n\n"
    )
    with psycopg.connect(empty_database) as connection:
        ScriptRunner(connection, lambda _: None).run_definitions(io.BytesIO(script.encode()))
        assert connection.execute("SHOW lock_timeout").fetchone() == ("4711ms",)
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


async def test_what_fails_at_the_very_end_leaves_nothing_behind(
    empty_database: str, external_database: str, tmp_path: Path
) -> None:
    """An index that can no longer be built, after the rows and a large object, whose script has a COMMIT."""
    async with await connect(external_database, application_name="test") as connection:
        await connection.execute(LONGLEADS_OWN)
        await connection.execute("CREATE TABLE t AS SELECT 0 AS n")
        await connection.execute("SELECT lo_from_bytea(0, 'a large object')")
        await connection.execute(
            "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"
        )
        await connection.execute("CREATE INDEX ON t (f(n))")
        await connection.execute(
            "CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1 / $1; END'"
        )
    await asyncio.to_thread(backup, external_database, tmp_path / "b")
    with pytest.raises(RestoreError, match="division by zero"):
        await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    async with await connect(empty_database, application_name="test") as connection:
        row = await (
            await connection.execute("SELECT to_regclass('t') AS t, (SELECT count(*) FROM pg_largeobject) AS large")
        ).fetchone()
        await connection.execute("SELECT lo_from_bytea(0, 'still usable')")
    assert row == {"t": None, "large": 0}


async def test_a_large_object_comes_back(empty_database: str, external_database: str, tmp_path: Path) -> None:
    async with await connect(external_database, application_name="test") as connection:
        await connection.execute(LONGLEADS_OWN)
        await connection.execute("SELECT lo_from_bytea(4711, 'a large object')")
    await asyncio.to_thread(backup, external_database, tmp_path / "b")
    await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    async with await connect(empty_database, application_name="test") as connection:
        row = await (await connection.execute("SELECT lo_get(4711) AS content")).fetchone()
    assert row == {"content": b"a large object"}


async def test_vectors_are_left_out_where_they_cannot_be_kept(
    empty_database: str, external_database: str, tmp_path: Path
) -> None:
    await migrate(empty_database, vector=True)
    assert await prepare_vectors(empty_database, "a-model", 8)
    await fill(empty_database)
    await asyncio.to_thread(backup, empty_database, tmp_path / "b")
    report = await asyncio.to_thread(restore, external_database, tmp_path / "b")
    assert report.left_out == ("store_vectors",)
    await check_usable(external_database)


async def test_another_programs_dump_is_refused_before_anything_of_it_is_run(
    empty_database: str, tmp_path: Path
) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int)")
    dump = tmp_path / "other.dump"
    backup(empty_database, dump)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("DROP TABLE users")
    with pytest.raises(RestoreError, match="no backup of Longlead"):
        restore(empty_database, dump)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT to_regclass('users')").fetchone() == (None,)


async def test_a_backup_of_a_newer_longlead_restores_nothing_and_says_so(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    async with await connect(database, application_name="test") as connection:
        await connection.execute("INSERT INTO longlead_migrations VALUES (9999, '9999_future', '')")
    await asyncio.to_thread(backup, database, tmp_path / "b")
    with pytest.raises(DatabaseNewerError, match=r"9999_future.*Update Longlead"):
        await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    async with await connect(empty_database, application_name="test") as connection:
        row = await (await connection.execute("SELECT to_regclass('longlead_migrations') AS t")).fetchone()
    assert row == {"t": None}


async def test_a_backup_of_a_database_with_fewer_tables_is_brought_up_to_date(
    empty_database: str, external_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = read_migrations()[:10]
    with monkeypatch.context() as patch:
        patch.setattr("storage.migrate.read_migrations", lambda: older)
        await migrate(external_database)
    await asyncio.to_thread(backup, external_database, tmp_path / "b")
    await asyncio.to_thread(restore, empty_database, tmp_path / "b")
    assert list((await migrate(empty_database)).applied) == [one.name for one in read_migrations()[10:]]


async def test_an_earlier_backup_is_replaced_and_how_much_and_how_long_is_told(database: str, tmp_path: Path) -> None:
    target = tmp_path / "b"
    first = await asyncio.to_thread(backup, database, target)
    target.write_bytes(target.read_bytes()[:100])
    second = await asyncio.to_thread(backup, database, target)
    assert first.size_bytes > 1000
    assert second.size_bytes == target.stat().st_size
    assert second.seconds > 0


async def test_progress_is_told_while_a_backup_waits(database: str, tmp_path: Path) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with await connect(database, application_name="test") as connection, connection.transaction():
        await connection.execute("LOCK TABLE events")
        work = asyncio.create_task(
            asyncio.to_thread(
                backup, database, tmp_path / "b", on_progress=lambda _: loop.call_soon_threadsafe(told.set)
            )
        )
        await asyncio.wait_for(told.wait(), 30)
        assert not work.done()
    await work


def make_folder(path: Path) -> None:
    path.mkdir()


def make_text(path: Path) -> None:
    path.write_text("somebody's notes")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("no_folder/b", Path.exists, "mkdir -p"),
        ("folder", make_folder, r"is a folder. Name a file in it"),
        ("notes.txt", make_text, r"is no backup. Move it away, or name another file"),
        ("pipe", make_pipe, r"is no backup. Move it away, or name another file"),
    ],
)
async def test_a_place_that_cannot_take_a_backup_is_left_alone_and_it_is_said_what_to_do(
    name: str, make: Callable[[Path], object], words: str, database: str, tmp_path: Path
) -> None:
    target = tmp_path / name
    make(target)
    before = os.listdir(tmp_path)
    with pytest.raises(BackupError, match=words):
        await asyncio.to_thread(backup, database, target)
    assert os.listdir(tmp_path) == before
    if target.is_file():
        assert target.read_text() == "somebody's notes"


async def test_a_full_disk_is_said_with_what_to_do_and_keeps_the_earlier_backup(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    mounted = await asyncio.to_thread(
        subprocess.run, ["mount", "-t", "tmpfs", "-o", "size=400k", "small", tmp_path], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here: it needs root")
    try:
        await asyncio.to_thread(backup, empty_database, tmp_path / "b")
        earlier = (tmp_path / "b").read_bytes()
        async with await connect(database, application_name="test") as connection:
            await connection.execute("CREATE TABLE noise AS SELECT gen_random_uuid() FROM generate_series(1, 50000)")
        with pytest.raises(BackupError, match=r"is full. Make room there, or name a file on another disk"):
            await asyncio.to_thread(backup, database, tmp_path / "b")
        assert (tmp_path / "b").read_bytes() == earlier
        assert os.listdir(tmp_path) == ["b"]
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", tmp_path], check=True)


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
