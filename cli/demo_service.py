"""The real service for the demo: `longlead serve` as a process of its own, on a fresh folder, gone without a trace."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Self

import httpx

from domain.errors import LongleadError, StorageError, UnavailableError
from runtime.settings import child_environment
from storage.embedded import EmbeddedServer
from storage.placement import SHELTER

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 30.0
MAX_PORTS = 5
"""Ports that are tried: between finding a free one and listening there, another program may take it."""
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TAIL = 15
"""Lines of the service's log that are shown when it fails."""


@contextmanager
def running_service() -> Iterator[str]:
    """The base URL of a ready service on an empty embedded database. Process and folder are gone afterwards, also
    after Ctrl-C, a failure or SIGTERM.

    Raises:
        UnavailableError: it did not become ready, or what was done with it failed; the message ends with its log.
    """
    with _Interrupts() as interrupts:
        service = _Service(Path(tempfile.mkdtemp(prefix="longlead-demo-")))
        try:
            _start_on_free_port(service, interrupts)
            with interrupts.let_in():
                yield service.url
        except (LongleadError, httpx.HTTPError) as error:
            raise UnavailableError(f"{error} The service's log ends with:\n{_tail(service.log)}") from error
        finally:
            interrupts.keep_out()
            service.remove()


class _Service:
    """One process of `longlead serve` and its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.data = folder, folder / "service.log", folder / "data"
        folder.chmod(0o711)  # started by root, the database server runs as another user, who passes through here
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """In a session of its own: Ctrl-C reaches the demo alone, which then stops the service in order."""
        self._port = _free_port()
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                serve_command(self._port, self.data),
                env=serve_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def becomes_ready(self) -> bool:
        """Whether it does; False where it ended because another program listens at its port.

        Raises:
            UnavailableError: it ended for another reason, or was not ready in time.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        with httpx.Client(trust_env=False, timeout=5) as client:
            while time.monotonic() < deadline:
                ended = None if self._process is None else self._process.poll()
                if ended is not None:
                    if _is_taken(self._port):
                        return False
                    raise UnavailableError(f"The service ended with {ended} at its start.")
                if self._listens() and _is_ready(client, self.url):
                    return True
                time.sleep(0.05)
        raise UnavailableError(f"The service was not ready after {START_TIMEOUT_S:.0f} s.")

    def _listens(self) -> bool:
        """Whether it says so itself: at the same address another demo's service might answer."""
        return f"running on {self.url} " in self.log.read_text(encoding="utf-8", errors="replace")

    def remove(self) -> None:
        """End the process and remove the folder."""
        if self._process is not None:
            _stop(self._process, self.data)
        _remove(self.folder, self.data)


def _start_on_free_port(service: "_Service", interrupts: "_Interrupts") -> None:
    for _ in range(MAX_PORTS):
        service.start()
        with interrupts.let_in():
            if service.becomes_ready():
                return
    raise UnavailableError(f"{MAX_PORTS} ports were taken by others while the service started.")


def _is_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


class _Interrupts:
    """Ctrl-C, SIGTERM and a closed terminal end the demo with everything put away. They are let in only while there
    is something to wait for: what is being started or put away is finished first."""

    def __init__(self) -> None:
        self._out = self._came = False

    def __enter__(self) -> Self:
        self._out = True
        self._before = {number: signal.signal(number, self._handle) for number in _ENDINGS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        if not self._out:
            raise KeyboardInterrupt

    @contextmanager
    def let_in(self) -> Iterator[None]:
        self._out = False
        if self._came:
            raise KeyboardInterrupt
        try:
            yield
        finally:
            self._out = True

    def keep_out(self) -> None:
        self._out = True


def serve_command(port: int, data: Path) -> list[str]:
    """`longlead serve` on this port and folder."""
    return [sys.executable, "-c", "from cli.main import app; app()", "serve", "--port", str(port), "--data", str(data)]


def serve_environment() -> dict[str, str]:
    """Without the settings of this shell: no other database, no keys, no models, no traces, no other address."""
    return child_environment({"LONGLEAD_LOG_FORMAT": "json", "LONGLEAD_SHUTDOWN_GRACE": "5"}, fresh=True)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:]
    return "\n".join(f"  {_brief(line)[:300]}" for line in lines)


def _brief(line: str) -> str:
    """A line of the log without its trace."""
    try:
        entry = json.loads(line)
        trace = str(entry.get("exception", "")).strip().splitlines()[-1:]
        return " ".join([entry["level"], entry["event"], *trace])
    except (ValueError, KeyError, TypeError):
        return line


def _stop(process: "subprocess.Popen[bytes]", data: Path) -> None:
    """Ask it to stop; where it does not, end it and then the database server that it leaves behind."""
    process.terminate()
    try:
        ended = process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        ended = process.wait()
    if ended != 0 and (data / "cluster").exists():
        _stop_database(data)


def _stop_database(data: Path) -> None:
    server = EmbeddedServer(data)
    try:
        server.start()
    except StorageError:
        return
    server.stop()


def _remove(folder: Path, data: Path) -> None:
    moved = data / "cluster-location"  # written where the database server's user could not reach the folder
    if moved.exists() and (home := Path(moved.read_text(encoding="utf-8").strip())).parent == SHELTER:
        shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
