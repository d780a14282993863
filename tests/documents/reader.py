"""Somebody who follows a document: types its commands one after the other, beside a service of their own."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.documents.markdown import HOUSE, Command

WRITTEN = "127.0.0.1:8000"
"""The address that documents write."""
PATIENCE_S = 120
PROGRAM = [sys.executable, "-c", "from cli.main import app; app()"]

_VARYING = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "an-id"),
    (re.compile(r"\b\d+(\.\d+)? (s|ms|kB|MB|GB)\b"), "so many"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "a-moment"),
]
_NUMBERED = re.compile(r"\b([a-z-]+-d)\d+\b")
"""Ids of delegations, which are numbered by the building's position."""
_ELIDED = "[...]"


class Reader:
    """A person at a shell in an empty folder, with `longlead` on the PATH and the service at `address`, on the
    PostgreSQL that comes along."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        programs = folder / ".programs"
        programs.mkdir(parents=True)
        _write_program(programs / "longlead", f'exec {shlex.join(PROGRAM)} "$@"')
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LONGLEAD_")}
        self.environment = environment | {
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(HOUSE),
            "LONGLEAD_URL": f"http://{address}",
            "COLUMNS": "200",
        }
        self._printed: dict[str, str] = {}
        """The last id printed of each numbered series: the documents' own numbers are of an example."""
        self._state = folder / ".state"
        self._state.write_text(f"cd {shlex.quote(str(folder))}\n")

    def type(self, command: Command) -> None:
        """Type a command and compare what it prints with what the document shows.

        Raises:
            AssertionError: it failed, or printed something else.
        """
        text = _NUMBERED.sub(lambda found: self._printed.get(found[1], found[0]), command.text)
        ended = self.run(text, fails_on_refusal=not command.output)
        self._printed |= {found[1]: found[0] for found in _NUMBERED.finditer(ended.stdout)}
        shown = f"{command.text}\n{ended.stdout}{ended.stderr}"
        assert ended.returncode == 0, f"line {command.line} ended with {ended.returncode}: {shown}"
        if command.output:
            difference = first_difference(command.output, (ended.stdout + ended.stderr).splitlines())
            assert not difference, f"line {command.line}: {difference}\n{shown}"

    def run(self, text: str, *, fails_on_refusal: bool = True) -> subprocess.CompletedProcess[str]:
        """Run it in the shell as the commands before have left it: its folder and its variables."""
        curl = 'curl() { command curl --fail-with-body "$@"; }' if fails_on_refusal else ":"
        script = "\n".join(
            [
                f"source {shlex.quote(str(self._state))}",
                curl,
                text.replace(WRITTEN, self.address),
                "ended=$?",
                f'{{ export -p; echo "cd $(printf %q "$PWD")"; }} > {shlex.quote(str(self._state))}',
                "exit $ended",
            ]
        )
        command = ["timeout", "--kill-after=5", str(PATIENCE_S), "bash", "-o", "pipefail", "-c", script]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)


def first_difference(expected: list[str], printed: list[str]) -> str | None:
    """Where the output differs from what a document shows; None: it does not. `[...]` stands for any lines; ids,
    moments and sizes differ from run to run."""
    rest = [_steady(line) for line in printed]
    skips = False
    for line in map(_steady, expected):
        if line == _ELIDED:
            skips = True
            continue
        if skips and line in rest:
            rest = rest[rest.index(line) :]
        if not rest or rest[0] != line:
            return f"the document shows {line!r}, printed was {rest[0] if rest else 'nothing more'!r}"
        rest, skips = rest[1:], False
    if rest and any(rest) and not skips:
        return f"printed was also {rest[0]!r}"
    return None


def _steady(line: str) -> str:
    for varying, word in _VARYING:
        line = varying.sub(word, line)
    return re.sub(r"127\.0\.0\.1:\d+", WRITTEN, line).rstrip()


def _write_program(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)


@contextmanager
def following(folder: Path) -> Iterator[Reader]:
    """A reader with a running service; all that was started is gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    reader = Reader(folder, f"127.0.0.1:{port}")
    log = (folder / ".service.log").open("w")
    service = subprocess.Popen(
        [*PROGRAM, "serve", "--port", str(port)],
        env={**reader.environment, "LONGLEAD_TICK_INTERVAL": "30"},  # what falls due by today's date comes later
        cwd=folder,
        stdout=log,
        stderr=log,
    )
    try:
        _wait_until_ready(reader.address, service)
        yield reader
    finally:
        service.terminate()
        service.wait(PATIENCE_S)
        log.close()


def _wait_until_ready(address: str, service: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and service.poll() is None:
        try:
            if httpx.get(f"http://{address}/readyz", timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the service did not become ready")
