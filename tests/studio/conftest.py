"""A real `longlead studio` over a database of its own, once for all tests here; each test has its own building."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from storage.embedded import EmbeddedServer
from tests.conftest import TEMPLATE, _free_port
from tests.studio.room import Room, Studio, open_room

COMMAND = "from cli.main import app; app()"


@pytest.fixture(scope="package")
def studio_database(server: EmbeddedServer) -> Iterator[str]:
    """The conninfo of a migrated database for the whole package: the server takes long to start."""
    name = sql.Identifier(f"t_{uuid4().hex[:16]}")
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(TEMPLATE)))
        yield make_conninfo(server.conninfo, dbname=name._obj[0])
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="package")
def studio(studio_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Studio without keys."""
    with run_studio(tmp_path_factory.mktemp("studio"), studio_database) as started:
        yield started


@contextmanager
def run_studio(folder: Path, conninfo: str, *, keys: str = "") -> Iterator[Studio]:
    """`longlead studio` as a process of its own; ended as a person would, and looked for afterwards."""
    port = _free_port()
    settings = {"LONGLEAD_DATABASE_URL": conninfo, "LONGLEAD_DATA_DIR": str(folder / "data"), "LONGLEAD_API_KEYS": keys}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "studio", "--port", str(port)],
            env={**os.environ, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(process, folder / "log", "Open https://smith.langchain.com/studio/?baseUrl=http://127.0.0.1")
        yield Studio(f"http://127.0.0.1:{port}", conninfo, folder)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0, (folder / "log").read_text()
        assert not _processes_with(str(port)), "the server outlived `longlead studio`"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(process: "subprocess.Popen[bytes]", log: Path, text: str) -> None:
    deadline = time.monotonic() + 120
    while text not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def _processes_with(argument: str) -> list[str]:
    """Command lines of running processes that have this argument."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if "langgraph_cli" in line and argument in line.split()]


@pytest.fixture
async def room(studio: Studio) -> AsyncIterator[Room]:
    """A building of its own, seen without keys."""
    async with open_room(studio) as opened:
        yield opened
