"""Saves a whole database to one file, and brings it back, on any server from PostgreSQL 14 on.

The file is pg_dump's custom format. A restore runs its script over our own connection (`storage/archive_script.py`),
so it depends neither on the server's version nor on that of the pg_dump that wrote the file.
"""

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from domain.errors import ConflictError, StorageError
from storage.archive_script import ScriptRunner
from storage.client_tools import ClientTools, ToolError, find_tools, hide_password, open_output, run_and_watch, run_tool
from storage.migrate import LOCK_KEY, DatabaseNewerError, read_migrations
from storage.server_version import SERVER_VERSION, check_server_version

_OUR_TABLE = re.compile(r" TABLE public longlead_migrations ")
_CONNECT_TIMEOUT_S = 5
_ARCHIVE_START = b"PGDMP"
_MIN_FREE_BYTES = 1024 * 1024
_EXTENSION = re.compile(r" EXTENSION - (\S+)")
# Vectors are made from texts that are kept; a server without pgvector does without them.
_VECTOR_TABLES = re.compile(r" \S+ (?:store_vectors|vector_migrations)")
# Only an owner may comment, and these belong to the server's administrator.
_FOREIGN_COMMENTS = re.compile(r" COMMENT - (?:EXTENSION|SCHEMA) ")

# Tables, sequences, views and functions of people; an extension's belong to the extension.
_OBJECTS = """
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
SELECT format('%I.%I', nspname, name) AS name FROM (
    SELECT 'pg_class'::regclass AS class, oid, relnamespace AS namespace, relname AS name FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, pronamespace, proname FROM pg_proc
) AS object JOIN ours ON ours.oid = namespace
WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = class AND objid = object.oid AND deptype = 'e')
ORDER BY class, name LIMIT 3
"""

# Owners, rights, places and replication are the other server's business.
_RESTORE_OPTIONS = (
    "--no-owner",
    "--no-privileges",
    "--no-tablespaces",
    "--no-security-labels",
    "--no-publications",
    "--no-subscriptions",
)


class BackupError(StorageError):
    """The backup could not be written. The message says why and what to do, with what pg_dump said."""


class RestoreError(StorageError):
    """The backup could not be brought back; the database is as empty as before. The message says why."""


class DatabaseNotEmptyError(RestoreError, ConflictError):
    """The database already has something in it. Restore into an empty one."""

    status = ConflictError.status
    title = ConflictError.title


@dataclass(frozen=True)
class BackupReport:
    """A backup that was made."""

    size_bytes: int
    seconds: float


@dataclass(frozen=True)
class RestoreReport:
    """A backup that was brought back."""

    size_bytes: int
    seconds: float
    left_out: tuple[str, ...]
    """Tables that this server cannot hold and that are filled again by themselves."""


def _ignore(size_bytes: int) -> None:
    """Progress that nobody watches."""


def backup(conninfo: str, target: Path, *, on_progress: Callable[[int], None] = _ignore) -> BackupReport:
    """Save the whole database as it is at this moment, while it is in use, to the file `target`.

    The file appears under its name only when it is complete, replaces an earlier backup there, and can be read by its
    owner alone. Blocks until it is written.

    Args:
        conninfo: a libpq connection string or URL.
        target: a file in pg_dump's custom format; its folder must exist.
        on_progress: called every 0.2 s with the bytes written so far.

    Raises:
        BackupError: the database cannot be reached, there is no fitting pg_dump, the file cannot be written there, or
            something that is no backup has its name.
    """
    started = time.monotonic()
    with _explain_backup_failure(target):
        tools = _choose_dump_tools(conninfo)
        target = target.resolve()
        _check_target(target)
        size = _write(tools, conninfo, target, on_progress)
    return BackupReport(size, time.monotonic() - started)


def _check_target(target: Path) -> None:
    if not target.parent.is_dir():
        raise BackupError(
            f"The folder {target.parent} does not exist. Create it with `mkdir -p {target.parent}`, or name another "
            "file."
        )
    if not target.exists():
        return
    if target.is_dir():
        raise BackupError(f"{target} is a folder. Name a file in it, such as {target / 'longlead.dump'}.")
    if not target.is_file() or not _may_be_replaced(target):
        raise BackupError(f"{target} is there and is no backup. Move it away, or name another file.")


def _may_be_replaced(target: Path) -> bool:
    with target.open("rb") as file:
        return file.read(len(_ARCHIVE_START)) in (b"", _ARCHIVE_START)


def _write(tools: ClientTools, conninfo: str, target: Path, on_progress: Callable[[int], None]) -> int:
    """Write the archive beside its final name, then give it that name; its size in bytes."""
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with hide_password(conninfo) as safe:
            # Never wait for a password on a terminal: a service has none.
            options = ["--no-password", "--format=custom", f"--file={partial}", f"--dbname={safe}"]
            run_and_watch([tools.program("pg_dump"), *options], lambda: on_progress(partial.stat().st_size))
        size = partial.stat().st_size
        partial.replace(target)
    except (OSError, ToolError) as error:
        raise _explain_write_failure(target, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return size


def _explain_write_failure(target: Path, error: Exception) -> BackupError:
    """Called while the partial file is still there, so that a full disk can be seen."""
    free = shutil.disk_usage(target.parent).free
    if free < _MIN_FREE_BYTES:
        reason = f"The disk of {target.parent} is full. Make room there, or name a file on another disk."
    elif isinstance(error, PermissionError):
        reason = f"The folder {target.parent} cannot be written to. Allow it, or name a file in another folder."
    else:
        reason = "Check that the database can be reached and that the disk has room."
    return BackupError(f"The backup to {target} was not made. {reason} {error}")


@contextmanager
def _explain_backup_failure(target: Path) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise BackupError(
            f"The backup to {target} was not made. Check that the database can be reached. {error}"
        ) from error
    except (OSError, ToolError) as error:
        raise BackupError(f"The backup to {target} was not made. {error}") from error


def restore(
    conninfo: str, source: Path, *, vector: bool = True, on_progress: Callable[[int], None] = _ignore
) -> RestoreReport:
    """Bring the backup `source` back into an empty database: all of it, or nothing.

    Owners and privileges are not restored: everything belongs to the connecting user. Nor are the workers that ran at
    that time. Statistics are gathered again, so
    that the first queries are as fast as before. Blocks until it is done.

    Args:
        conninfo: a libpq connection string or URL of an existing database without tables or functions.
        source: a file that `backup` made, of any server and with any pg_dump.
        vector: False where pgvector must not be touched, as on a processor that cannot run it.
        on_progress: called now and then with the bytes restored so far, uncompressed.

    Raises:
        DatabaseNotEmptyError: there is something in the database.
        ServerTooOldError: the server is older than Longlead supports.
        DatabaseNewerError: a newer version of Longlead made the backup.
        RestoreError: the file or the database cannot be read, or the server refused something in it.
    """
    started = time.monotonic()
    require_backup_file(source)
    try:
        with psycopg.connect(conninfo, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            _check_version(connection)
            _take_lock(connection)
            _require_empty(connection)
            left_out = _restore_into(connection, source, vector, on_progress)
            connection.execute("ANALYZE")
    except (OSError, psycopg.Error, ToolError) as error:
        raise RestoreError(
            f"{source} was not restored. Check that the database can be reached and that the file is complete. {error}"
        ) from error
    return RestoreReport(source.stat().st_size, time.monotonic() - started, left_out)


def require_backup_file(source: Path) -> None:
    """Look whether the file can be a backup, before anything is made for it.

    Raises:
        RestoreError: it is not there, or is a folder.
    """
    if not source.is_file():
        raise RestoreError(f"There is no backup file {source}. Check the path.")


def _check_version(connection: psycopg.Connection) -> None:
    row = connection.execute(SERVER_VERSION).fetchone()
    if row is not None:
        check_server_version(row[0])


def _take_lock(connection: psycopg.Connection) -> None:
    # Else a service that starts just now would create its tables between the check and the restore.
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone()
    if not row or not row[0]:
        raise RestoreError("Another process is migrating or restoring this database. Stop it and try again.")


def _require_empty(connection: psycopg.Connection) -> None:
    names = [row[0] for row in connection.execute(_OBJECTS)]
    if names:
        raise DatabaseNotEmptyError(
            f"The database {connection.info.dbname} is not empty: it has {', '.join(names)}, ... A backup is only "
            "restored into an empty database. Create a new one and name it, or move the data folder of the embedded "
            "server away."
        )


def _restore_into(
    connection: psycopg.Connection, source: Path, vector: bool, on_progress: Callable[[int], None]
) -> tuple[str, ...]:
    """Run the archive's three sections in one transaction; the names of tables that were left out."""
    tools, listing = _read_listing(source)
    _require_ours(listing, source)
    contents = _choose_contents(connection, listing, vector)
    with tempfile.NamedTemporaryFile("w", prefix="longlead-contents-", encoding="utf-8") as chosen:
        chosen.write("\n".join(contents.lines))
        chosen.flush()
        command = [tools.program("pg_restore"), *_RESTORE_OPTIONS, f"--use-list={chosen.name}", "--file=-"]
        runner = ScriptRunner(connection, on_progress)
        with connection.transaction():
            for section, run in (
                ("pre-data", runner.run_definitions),
                ("data", runner.run_data),
                ("post-data", runner.run_definitions),
            ):
                with open_output([*command, f"--section={section}", str(source)]) as script:
                    run(script)
            _require_known_migrations(connection, source)
            _forget_workers(connection)
    return contents.left_out


def _require_ours(listing: list[str], source: Path) -> None:
    """Refuse another program's dump before anything of it is run."""
    if not any(_OUR_TABLE.search(line) for line in listing):
        raise RestoreError(
            f"{source} is no backup of Longlead: another program's database is in it. Name a file that `longlead db "
            "backup` wrote."
        )


def _forget_workers(connection: psycopg.Connection) -> None:
    """Delete the workers that ran when the backup was made: their signs of life would pass for those of today.

    Our own table goes with the job engine's; a job that one of them was doing is without a worker, so it is taken up
    again at once.
    """
    table = connection.execute("SELECT to_regclass('public.procrastinate_workers')").fetchone()
    if table is not None and table[0] is not None:
        connection.execute("DELETE FROM public.procrastinate_workers")


def _require_known_migrations(connection: psycopg.Connection, source: Path) -> None:
    """Refuse what a newer Longlead wrote while it can still be rolled back."""
    table = connection.execute("SELECT to_regclass('public.longlead_migrations')").fetchone()
    if table is None or table[0] is None:
        return
    known = {migration.number for migration in read_migrations()}
    for number, name in connection.execute("SELECT number, name FROM public.longlead_migrations ORDER BY number"):
        if number not in known:
            raise DatabaseNewerError(
                f"{source} was not restored. It was made by a newer version of Longlead: it has migration {name}, "
                "which this version does not know. Update Longlead, then restore it."
            )


def _read_listing(source: Path) -> tuple[ClientTools, list[str]]:
    """The archive's table of contents, and the tools that can read it: a newer pg_dump's needs a newer pg_restore."""
    first_error: ToolError | None = None
    for tools in find_tools():
        try:
            return tools, run_tool(tools.program("pg_restore"), "--list", str(source)).splitlines()
        except ToolError as error:
            first_error = first_error or error
    raise first_error or ToolError("There is no pg_restore.")


@dataclass(frozen=True)
class _Contents:
    """What is restored of an archive."""

    lines: tuple[str, ...]
    left_out: tuple[str, ...]


def _choose_contents(connection: psycopg.Connection, listing: list[str], vector: bool) -> _Contents:
    """The table of contents without the extensions that cannot be had here, and without what needs pgvector.

    Should another table use a missing extension, that table's own error says so.
    """
    extensions = [match[1] for line in listing if (match := _EXTENSION.search(line))]
    missing = {
        name for name in extensions if (name == "vector" and not vector) or not _can_create_extension(connection, name)
    }
    lines = [line for line in listing if not _needs_any(line, missing) and not _FOREIGN_COMMENTS.search(line)]
    has_vectors = any(" TABLE DATA " in line and _VECTOR_TABLES.search(line) for line in listing)
    return _Contents(tuple(lines), ("store_vectors",) if has_vectors and "vector" in missing else ())


def _needs_any(line: str, missing: set[str]) -> bool:
    extension = _EXTENSION.search(line)
    if extension is not None:
        return extension[1] in missing
    return "vector" in missing and _VECTOR_TABLES.search(line) is not None


def _can_create_extension(connection: psycopg.Connection, name: str) -> bool:
    # Tried and taken back: on managed servers the rules cannot be read from the catalog.
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.FeatureNotSupported,
        psycopg.errors.UndefinedFile,
    ):
        return False
    return True


def _choose_dump_tools(conninfo: str) -> ClientTools:
    """The wheel's tools, or newer or TLS-capable installed ones when this server needs them.

    The wheel's are compiled without TLS. Falling back to an open connection would send the password in clear.
    """
    with psycopg.connect(conninfo, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
        needed = connection.info.server_version // 10_000
        tls = connection.pgconn.ssl_in_use
    for tools in find_tools():
        if tools.major >= needed and (tools.has_tls or not tls):
            return tools
    raise ToolError(
        f"The server is PostgreSQL {needed}{' and the connection uses TLS' if tls else ''}, which needs pg_dump and "
        f"pg_restore {needed} or newer: install your system's package postgresql-client-{needed}."
    )
