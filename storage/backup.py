"""Saves a whole database to one file, and brings it back: PostgreSQL's own pg_dump and pg_restore."""

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.errors import ConflictError, StorageError
from storage.binaries import MAJOR, find_binaries
from storage.migrate import LOCK_KEY

_CONNECT_TIMEOUT_S = 5
_EXTENSION = re.compile(r" EXTENSION - (\S+)")
_VERSION = re.compile(r"\) (\d+)")

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


class BackupError(StorageError):
    """The backup could not be written. The message ends with what pg_dump said."""


class RestoreError(StorageError):
    """The backup could not be brought back; the database is as empty as before. The message says why."""


class DatabaseNotEmptyError(RestoreError, ConflictError):
    """The database already has something in it. Restore into an empty one."""

    status = ConflictError.status
    title = ConflictError.title


@dataclass(frozen=True)
class _Tools:
    """pg_dump and pg_restore of one installation."""

    folder: Path
    major: int
    has_tls: bool

    def program(self, name: str) -> str:
        return str(self.folder / name)


def backup(conninfo: str, target: Path) -> None:
    """Save the whole database as it is at this moment, while it is in use, to the file `target`.

    The file appears under its name only when it is complete, replaces one that is there, and can be read by its owner
    alone. Blocks until it is written.

    Args:
        conninfo: a libpq connection string or URL.
        target: a file in pg_dump's custom format; its folder must exist.

    Raises:
        BackupError: the database cannot be reached, there is no fitting pg_dump, or it failed.
    """
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        tools = _tools_for(conninfo)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with _without_secrets(conninfo) as safe:
            _run(tools.program("pg_dump"), "--format=custom", f"--file={partial}", f"--dbname={safe}")
        partial.replace(target)
    except (OSError, psycopg.Error, _ToolError) as error:
        raise BackupError(
            f"The backup to {target} was not made. Check that the database can be reached and that the disk has room. "
            f"{error}"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def restore(conninfo: str, source: Path, *, vector: bool = True) -> None:
    """Bring the backup `source` back into an empty database: all of it, or nothing.

    Owners and privileges are not restored: everything belongs to the connecting user. Statistics are gathered anew, so
    that the first queries are as fast as before. Blocks until it is done.

    Args:
        conninfo: a libpq connection string or URL of an existing database without tables or functions.
        source: a file that `backup` made.
        vector: False where pgvector must not be touched, as on a processor that cannot run it.

    Raises:
        DatabaseNotEmptyError: there is something in the database.
        RestoreError: the file or the database cannot be read, or pg_restore failed.
    """
    if not source.is_file():
        raise RestoreError(f"There is no backup file {source}. Check the path.")
    try:
        with psycopg.connect(conninfo, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            _take_lock(connection)
            _require_empty(connection)
            _restore_into(connection, conninfo, source, vector)
            connection.execute("ANALYZE")
    except (OSError, psycopg.Error, _ToolError) as error:
        raise RestoreError(
            f"{source} was not restored. Check that the database can be reached and that the file is complete. {error}"
        ) from error


def _take_lock(connection: psycopg.Connection[Any]) -> None:
    # Else a service that starts just now would create its tables between the check and the restore.
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone()
    if not row or not row[0]:
        raise RestoreError("Another process is migrating or restoring this database. Stop it and try again.")


def _require_empty(connection: psycopg.Connection[Any]) -> None:
    names = [row[0] for row in connection.execute(_OBJECTS)]
    if names:
        raise DatabaseNotEmptyError(
            f"The database {connection.info.dbname} is not empty: it has {', '.join(names)}, ... A backup is only "
            "restored into an empty database. Create a new one and name it, or move the data folder of the embedded "
            "server away."
        )


def _restore_into(connection: psycopg.Connection[Any], conninfo: str, source: Path, vector: bool) -> None:
    tools = _tools_for(conninfo)
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    with (
        tempfile.TemporaryDirectory(prefix="longlead-restore-") as folder,
        _without_secrets(conninfo) as safe,
    ):
        contents = Path(folder) / "contents"
        listing = _run(tools.program("pg_restore"), "--list", str(source)).splitlines()
        contents.write_text("\n".join(_restorable(connection, listing, vector)), encoding="utf-8")
        _run(tools.program("pg_restore"), *options, f"--use-list={contents}", f"--dbname={safe}", str(source))


def _restorable(connection: psycopg.Connection[Any], listing: list[str], vector: bool) -> Iterator[str]:
    """pg_restore's table of contents without the extensions that cannot be had here.

    Should a table use one of them, that table's own error says so. Comments on extensions are left out as well: only
    an extension's owner may make them.
    """
    for line in listing:
        if " COMMENT - EXTENSION " in line:
            continue
        extension = _EXTENSION.search(line)
        if extension is None or (
            (vector or extension[1] != "vector") and _can_create_extension(connection, extension[1])
        ):
            yield line


def _can_create_extension(connection: psycopg.Connection[Any], name: str) -> bool:
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


def _tools_for(conninfo: str) -> _Tools:
    """The wheel's tools, or newer or TLS-capable ones on the PATH when this server needs them.

    The wheel's are compiled without TLS. Falling back to an open connection would send the password in clear.
    """
    with psycopg.connect(conninfo, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
        needed = connection.info.server_version // 10_000
        tls = connection.pgconn.ssl_in_use
    candidates = [_wheel_tools(), *_installed_tools()]
    for tools in candidates:
        if tools.major >= needed and (tools.has_tls or not tls):
            return tools
    raise _ToolError(
        f"The server is PostgreSQL {needed}{' and the connection uses TLS' if tls else ''}, which needs pg_dump and "
        f"pg_restore {needed} or newer on the PATH: install your system's package postgresql-client-{needed}."
    )


def _wheel_tools() -> _Tools:
    return _Tools(find_binaries().bin, MAJOR, has_tls=False)


def _installed_tools() -> Iterator[_Tools]:
    found = shutil.which("pg_dump")
    if found is None:
        return
    try:
        said = _run(found, "--version")
    except (OSError, _ToolError):
        return
    version = _VERSION.search(said)
    if version:
        yield _Tools(Path(found).parent, int(version[1]), has_tls=True)


@contextmanager
def _without_secrets(conninfo: str) -> Iterator[str]:
    """The connection string with its password in a file that only we can read: command lines are public."""
    parts: dict[str, Any] = conninfo_to_dict(conninfo)
    password = parts.pop("password", None)
    if "sslpassword" in parts:
        raise _ToolError("A password of the client certificate's key is not supported here. Use a key without one.")
    if password is None:
        yield make_conninfo(**parts)
        return
    with tempfile.NamedTemporaryFile("w", prefix="longlead-pgpass-", encoding="utf-8") as passfile:  # mode 0600
        passfile.write("*:*:*:*:" + str(password).replace("\\", "\\\\").replace(":", "\\:") + "\n")
        passfile.flush()
        yield make_conninfo(**{**parts, "passfile": passfile.name})


class _ToolError(Exception):
    """A tool ended with an error; the text is the end of what it said."""


def _run(program: str, *arguments: str) -> str:
    # Never wait for a password on a terminal: a service has none.
    to_server = any(argument.startswith("--dbname=") for argument in arguments)
    command = [program, *(["--no-password"] if to_server else []), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if run.returncode != 0:
        said = "\n".join(run.stderr.strip().splitlines()[-20:])
        raise _ToolError(f"{Path(program).name} ended with status {run.returncode}:\n{said}")
    return run.stdout
