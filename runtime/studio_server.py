"""`longlead studio`: LangGraph's dev server, started and stopped with us."""

import asyncio
import contextlib
import importlib.util
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from langgraph_sdk import get_client

from domain.errors import ConfigurationError, UnavailableError
from runtime.resources import database
from runtime.service import signals
from runtime.settings import Settings, child_environment
from runtime.studio_secret import REGISTRAR_HEADER, new_registrar_secret, studio_folder
from runtime.studio_threads import Registrar
from storage.migrate import migrate

HOST = "127.0.0.1"
CONFIG = Path(__file__).parent.parent / "langgraph.json"
STUDIO = "https://smith.langchain.com/studio/?baseUrl={url}"
"""Studio itself is a page of LangSmith that talks to the server from the browser."""

WITH_KEYS = "Everybody needs a key: add the header `Authorization: Bearer <key>` where you connect."
WITHOUT_KEYS = "No keys are configured: Studio's page may only read. Set LONGLEAD_API_KEYS to answer there."

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0

QUIET = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGGRAPH_NO_VERSION_CHECK": "true"}
"""The server asks nobody outside: no analytics, no look for a newer version."""


async def run_studio(settings: Settings, *, port: int, say: Callable[[str], None]) -> None:
    """Run the dev server until a signal ends it, or it ends itself. `say` tells people where it is.

    Raises:
        ConfigurationError: the extra `studio` is not installed, or the port is taken.
        UnavailableError: the server ended, or did not answer in time.
    """
    check_installed()
    check_free(port)
    stop = asyncio.Event()
    async with database(settings) as conninfo, signals(stop):
        await migrate(conninfo)
        say(f"Starting LangGraph's dev server on port {port} ...")
        async with dev_server(settings, conninfo, port) as server:
            ended = asyncio.create_task(_until_end(server, stop))
            serving = asyncio.create_task(_serve(server, conninfo, say, has_keys=bool(settings.api_keys)))
            await asyncio.wait([ended, serving], return_when=asyncio.FIRST_COMPLETED)
            for task in (serving, ended):
                task.cancel()
            await _result_of(serving)
            if not stop.is_set():
                raise UnavailableError(f"LangGraph's dev server ended by itself (exit {server.process.returncode}).")


@dataclass(frozen=True)
class DevServer:
    """A running `langgraph dev`."""

    process: Process
    url: str
    registrar_secret: str

    @property
    def registrar_headers(self) -> dict[str, str]:
        """What `longlead studio` itself sends: it may register threads, and nothing else."""
        return {REGISTRAR_HEADER: self.registrar_secret}


def check_installed() -> None:
    """`langgraph-api` is Elastic-licensed, so it is an extra that nothing else needs.

    Raises:
        ConfigurationError: it is not there.
    """
    missing = [name for name in ("langgraph_cli", "langgraph_api") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            "LangGraph's dev server is not installed. Install it with: pip install 'longlead[studio]' "
            "(in a clone: pip install -e '.[studio]')"
        )
    if not CONFIG.exists():
        raise ConfigurationError(f"There is no {CONFIG}. Start Studio from a clone of Longlead.")


def check_free(port: int) -> None:
    """The server would quietly take another port.

    Raises:
        ConfigurationError: something else listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigurationError(f"Port {port} is taken. Choose another one with --port.") from error


@asynccontextmanager
async def dev_server(settings: Settings, conninfo: str, port: int) -> AsyncIterator[DevServer]:
    """Run `langgraph dev`, in a session of its own: a Ctrl-C is ours to handle. Its own notes, which threads and runs
    it has seen, are in the data folder."""
    with new_registrar_secret(settings) as secret:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "langgraph_cli", "dev", "--config", str(CONFIG)),
            *("--host", HOST, "--port", str(port), "--no-browser", "--no-reload"),
            cwd=studio_folder(settings),
            env=child_environment({**QUIET, **_environment(settings, conninfo)}),
            start_new_session=True,
        )
        try:
            yield DevServer(process, f"http://{HOST}:{port}", secret)
        finally:
            await _stop(process)


def _environment(settings: Settings, conninfo: str) -> dict[str, str]:
    """The server works in another folder, so what names files is handed over read and resolved."""
    return {
        "LONGLEAD_DATABASE_URL": conninfo,
        "LONGLEAD_DATA_DIR": str(settings.data_dir.absolute()),
        "LONGLEAD_API_KEYS": settings.api_keys_variable,
    }


async def _stop(process: Process) -> None:
    """End the server with all it started; an open stream in a browser must not keep it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _until_end(server: DevServer, stop: asyncio.Event) -> None:
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(server.process.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _result_of(task: "asyncio.Task[None]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _serve(server: DevServer, conninfo: str, say: Callable[[str], None], *, has_keys: bool) -> None:
    await until_it_answers(server)
    async with get_client(url=server.url, api_key=None, headers=server.registrar_headers) as client:
        registrar = Registrar(client, conninfo)
        count = await registrar.register_new()
        say(f"{count} buildings. Open {STUDIO.format(url=server.url)}")
        say(WITH_KEYS if has_keys else WITHOUT_KEYS)
        say(f"The server: {server.url}; the API beside it: {server.url}/longlead/docs. Ctrl-C ends it.")
        await registrar.keep_registering()


async def until_it_answers(server: DevServer) -> None:
    """Wait for the server to be up.

    Raises:
        UnavailableError: it did not answer within two minutes.
    """
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
    async with httpx.AsyncClient(
        base_url=server.url, headers=server.registrar_headers, trust_env=False, timeout=5
    ) as client:
        while asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/ok")).is_success:
                    return
            await asyncio.sleep(0.2)
    raise UnavailableError(f"LangGraph's dev server did not answer within {START_TIMEOUT_S:.0f} s.")
