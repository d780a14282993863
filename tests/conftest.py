"""Real PostgreSQL for every test: one server per run, and for each test a fresh clone of a migrated database."""

import asyncio
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import fasteners
import psycopg
import pytest
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

from storage.account import server_account
from storage.binaries import binaries_for
from storage.cluster import Cluster
from storage.embedded import EmbeddedServer
from storage.migrate import migrate
from storage.placement import SHELTER
from tests import live_calls
from tests.agent.desk import Desk, FixedClock, open_desk
from tests.few import Few, open_few

TEMPLATE = "longlead_template"
PASSWORD = "p@ss:w/rd 'quoted'"
# Only for tests, which lose nothing when the power fails.
HURRIED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal"}
HURRIED |= {"max_wal_senders": "0", "autovacuum_naptime": "1h"}

# A database is three hundred small files: in memory they are made in 13 ms, on a busy disk in up to 400.
MEMORY = Path("/dev/shm")
ROOM_NEEDED = 2 * 1024**3

_root = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """One folder per run, shared by its workers: the first one's server serves them all."""
    if config.getoption("markexpr") != "live":
        live_calls.forbid()
    given = getattr(config, "workerinput", {}).get("longlead_root")
    config.stash[_root] = Path(given) if given else open_folder("longlead-tests-", _fast_place())


@pytest.fixture(autouse=True)
def _asks_nothing_real() -> Iterator[None]:
    """Fails a test that would have asked a real model, though its agent took the refusal calmly."""
    live_calls.refused.clear()
    yield
    if live_calls.refused:
        pytest.fail(f"it would have reached {', '.join(dict.fromkeys(live_calls.refused))}: {live_calls.__doc__}")


@pytest.fixture(autouse=True)
def _leaves_the_logs_as_they_were() -> Iterator[None]:
    """Whoever sets the logs up, a command that is run in this process say, does so for itself: a logger that is kept
    from its first use would be silent, or loud, for all tests that follow."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What asks a real model runs only where it is asked for, and where there is one."""
    asked = config.getoption("markexpr") == "live"
    skipped = pytest.mark.skip(reason="asks a real model: `make test-live` with OPENAI_BASE_URL set")
    too_large = pytest.mark.skip(reason="takes minutes: `make test-large`")
    for item in items:
        if item.get_closest_marker("large") and config.getoption("markexpr") != "large":
            item.add_marker(too_large)
        if item.get_closest_marker("live") and not (asked and os.environ.get("OPENAI_BASE_URL")):
            item.add_marker(skipped)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist about the folder."""
    node.workerinput["longlead_root"] = str(node.config.stash[_root])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder when the whole run is over."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[_root], ignore_errors=True)


def open_folder(prefix: str, where: Path | None = None) -> Path:
    """A new temporary folder that the server's user can pass through; pytest's own are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=where)).resolve()
    folder.chmod(0o755)
    return folder


def _fast_place() -> Path | None:
    """Where the run's servers live: in memory if there is room; None: the temporary directory."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_NEEDED
    return MEMORY if has_room else None


@pytest.fixture
def open_tmp_path() -> Iterator[Path]:
    """Like `tmp_path`, but the user of an embedded server can reach it; gone after the test."""
    folder = open_folder("longlead-test-", _fast_place())
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def open_session_path() -> Iterator[Path]:
    """The same for the whole session."""
    folder = open_folder("longlead-session-", _fast_place())
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """The embedded server of this run, with the migrated template database in it."""
    root = request.config.stash[_root]
    embedded = EmbeddedServer(root / "server", max_connections=400, _extra_settings=HURRIED)
    with embedded:
        with fasteners.InterProcessLock(root / "template.lock"):
            _make_template(embedded.conninfo)
        yield embedded


def _make_template(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", (TEMPLATE,)).fetchone():
            return
        connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(migrate(make_conninfo(conninfo, dbname=TEMPLATE)))
        connection.execute(f"ALTER DATABASE {TEMPLATE} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")


@pytest.fixture
async def database(server: EmbeddedServer) -> AsyncIterator[str]:
    """The conninfo of a fresh, migrated database, gone after the test."""
    async for conninfo in _fresh_database(server.conninfo, TEMPLATE):
        yield conninfo


@pytest.fixture
async def few(database: str) -> AsyncIterator[Few]:
    """A user of the database who may have few connections."""
    async with open_few(database) as user:
        yield user


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    """A building's desk on a database of its own."""
    async with open_desk(database, FixedClock()) as opened:
        yield opened


@pytest.fixture
async def empty_database(server: EmbeddedServer) -> AsyncIterator[str]:
    """The conninfo of a fresh database with nothing in it, gone after the test."""
    async for conninfo in _fresh_database(server.conninfo, "template0"):
        yield conninfo


async def _fresh_database(conninfo: str, template: str) -> AsyncIterator[str]:
    name = f"t_{uuid4().hex[:16]}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
    strategy = sql.SQL("FILE_COPY" if template == TEMPLATE else "WAL_LOG")
    await _execute(conninfo, create.format(sql.Identifier(name), sql.Identifier(template), strategy))
    try:
        yield make_conninfo(conninfo, dbname=name)
    finally:
        await _execute(conninfo, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


async def _execute(conninfo: str, statement: sql.Composed) -> None:
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute(statement)


@pytest.fixture(scope="session")
def external_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL, with a password, of a server that Longlead did not make: TCP, and a user who is no superuser."""
    home = request.config.stash[_root] / f"external-{os.getpid()}"
    home.mkdir(mode=0o755)
    account = server_account(home / "cluster")
    sockets = Path(tempfile.mkdtemp(prefix="longlead-external-"))
    if account:
        account.own(sockets)
    binaries = binaries_for(account, SHELTER)
    cluster = Cluster(home / "cluster", sockets, home / "server.log", binaries, account, port=_free_port())
    cluster.create()
    cluster.bring_up({"listen_addresses": "127.0.0.1", **HURRIED}, timeout_s=60)
    try:
        with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
            role = sql.SQL("CREATE ROLE remote LOGIN CREATEDB PASSWORD {}").format(sql.Literal(PASSWORD))
            connection.execute(role)
            connection.execute("CREATE DATABASE remote OWNER remote")
        yield f"postgresql://remote:p%40ss%3Aw%2Frd%20%27quoted%27@127.0.0.1:{cluster.port}/remote"
    finally:
        cluster.stop()
        shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture
async def external_database(external_server: str) -> AsyncIterator[str]:
    """The conninfo of a fresh, empty database on the external server, owned by its user; gone after the test."""
    async for conninfo in _fresh_database(external_server, "template0"):
        yield conninfo


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
