"""The service's processes as they are deployed: an API and a worker, each on its own, against the run's database."""

import asyncio
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx
import psutil  # type: ignore[import-untyped]

from evals.bench.client import python
from runtime.settings import child_environment

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0


@dataclass
class Service:
    """A running API, and workers that come and go."""

    port: int
    api: psutil.Process
    environment: dict[str, str]
    log: IO[bytes]
    started: list["subprocess.Popen[bytes]"]
    workers: list[psutil.Process] = field(default_factory=list)

    def cpu_seconds(self) -> dict[str, float]:
        """What API and workers have used so far."""
        return {
            "api": sum(self.api.cpu_times()[:2]),
            "worker": sum(sum(worker.cpu_times()[:2]) for worker in self.workers),
        }

    def resident(self) -> dict[str, float]:
        """MB of memory that they hold."""
        held = sum(worker.memory_info().rss for worker in self.workers)
        return {"api": self.api.memory_info().rss / 1e6, "worker": held / 1e6}

    @asynccontextmanager
    async def working(self, count: int) -> AsyncIterator[None]:
        """So many workers; they have begun to start when this is entered, and ended when it is left."""
        begun = [_start("worker", self.environment, self.log) for _ in range(count)]
        self.started += begun
        self.workers += [psutil.Process(process.pid) for process in begun]
        try:
            yield
        finally:
            self.workers = []
            await asyncio.to_thread(_end, begun)


@asynccontextmanager
async def service(conninfo: str, **settings: str) -> AsyncIterator[Service]:
    """Start an API and a worker on a database, and end them. `settings` are LONGLEAD_* variables in small letters."""
    async with api(conninfo, **settings) as running, running.working(1):
        await _ready(running.port, running.started, running.log, "/readyz")
        yield running


@asynccontextmanager
async def api(conninfo: str, **settings: str) -> AsyncIterator[Service]:
    """Start an API alone, and end it."""
    port = free_port()
    environment = {"LONGLEAD_DATABASE_URL": conninfo, "LONGLEAD_PORT": str(port), "LONGLEAD_LOG_LEVEL": "WARNING"}
    environment |= {f"LONGLEAD_{name.upper()}": value for name, value in settings.items()}
    environment = child_environment(environment, fresh=True)
    with tempfile.TemporaryFile() as log:
        started = _start("api", environment, log)
        try:
            await _ready(port, [started], log, "/healthz")
            yield Service(port, psutil.Process(started.pid), environment, log, [started])
        finally:
            await asyncio.to_thread(_end, [started])


def _start(part: str, environment: dict[str, str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(python("evals.bench.service", part), cwd=ROOT, env=environment, stdout=log, stderr=log)


async def _ready(port: int, started: list["subprocess.Popen[bytes]"], log: IO[bytes], path: str) -> None:
    deadline = time.monotonic() + START_S
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            try:
                if (await client.get(path)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline or any(process.poll() is not None for process in started):
                log.seek(0)
                raise RuntimeError(f"the service did not start:\n{log.read().decode(errors='replace')[-4000:]}")
            await asyncio.sleep(0.1)


def _end(started: list["subprocess.Popen[bytes]"]) -> None:
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
