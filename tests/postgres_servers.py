"""PostgreSQL servers of other versions: those installed on this machine, and those that LONGLEAD_TEST_POSTGRES names.

The variable holds folders with `postgres` and `initdb`, separated as in PATH; `python -m tests.postgres_versions` sets
it for every version from the oldest supported on.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from storage.account import process_options, server_account

VARIABLE = "LONGLEAD_TEST_POSTGRES"
PASSWORD = "a plain user's"
HURRIED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum_naptime": "1h"}
NO_OTHER = "no PostgreSQL beside the embedded one: install the package postgresql, or see tests/postgres_versions.py"


@dataclass(frozen=True)
class Installation:
    """The server programs of one version."""

    bin: Path
    major: int

    def __str__(self) -> str:
        return f"postgresql-{self.major}"


def find_installations() -> list[Installation]:
    """All versions at hand, one of each, oldest first."""
    folders = [Path(name) for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found: dict[int, Installation] = {}
    for folder in folders:
        if (folder / "initdb").exists():
            output = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
            major = int(re.findall(r"\) (\d+)", output.stdout)[0])
            found.setdefault(major, Installation(folder, major))
    return [found[major] for major in sorted(found)]


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The conninfo of an empty database on the server with this conninfo; gone at the end."""
    name = f"t_{uuid4().hex[:16]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def run_server(installation: Installation) -> Iterator[str]:
    """Make a server, run it on a port of this machine, and remove it.

    Yields the conninfo of a user who may create databases, and nothing more.
    """
    folder = Path(tempfile.mkdtemp(prefix="longlead-other-")).resolve()
    folder.chmod(0o755)
    try:
        with _running(installation, folder) as port:
            admin = make_conninfo(host="127.0.0.1", port=port, user="postgres", password=PASSWORD, dbname="postgres")
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(
                    sql.SQL("CREATE ROLE plain LOGIN CREATEDB PASSWORD {}").format(sql.Literal(PASSWORD))
                )
            yield make_conninfo(admin, user="plain")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(installation: Installation, folder: Path) -> Iterator[int]:
    data, port = folder / "data", find_free_port()
    account = server_account(data)
    as_user = process_options(account)
    data.mkdir(mode=0o700)
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    if account:
        account.own(data)
    initdb = [installation.bin / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale", "C"]
    subprocess.run(
        [*initdb, "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
        **as_user,
    )
    settings = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(data), **HURRIED}
    control = [installation.bin / "pg_ctl", "-D", data, "-w", "-l", data / "log"]
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    subprocess.run([*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd="/", **as_user)
    try:
        yield port
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/", **as_user)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
