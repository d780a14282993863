"""pip, and uv where it is there: each makes an empty environment and fills it with what is pinned, by hash."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bootstrap.faults import OTHER_HASH, SetupError, explain, lacks_venv
from bootstrap.progress import Progress

NOT_FOR_CHILDREN = {"PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"}
"""Settings of the shell that would send packages elsewhere, or bring others in."""


Call = list[str | Path]
"""A program with its arguments."""


@dataclass(frozen=True)
class Job:
    """What is to be made where."""

    folder: Path  # the environment in the making
    checkout: Path
    size_mb: int  # of the finished environment
    lock: int | None  # file descriptor; children keep it, so that an orphan keeps the others out


class Installer(Protocol):
    """One way to make an environment."""

    name: str
    empty_cache: str  # the command that empties its cache

    def create(self, job: Job) -> None:
        """Make an empty environment in the folder."""

    def install(self, job: Job, requirements: str, *, say: str, wheels_only: bool = False) -> None:
        """Install what the file pins, with its hashes, and nothing else."""

    def attach(self, job: Job) -> None:
        """Install the checkout itself, so that it runs where it lies."""


class Pip:
    """Python's own way: `venv` and `pip`."""

    name = "pip"
    empty_cache = "python3 -m pip cache purge"

    def create(self, job: Job) -> None:
        try:
            import ensurepip  # noqa: F401 - Debian keeps both in a package of their own
            import venv  # noqa: F401
        except ImportError:
            raise lacks_venv() from None
        _run(job, [sys.executable, "-m", "venv", job.folder], "Making an environment")

    def install(self, job: Job, requirements: str, *, say: str, wheels_only: bool = False) -> None:
        call = pip_call(job.folder, requirements, wheels_only=wheels_only)
        output = _try(job, call, say)
        if output is not None and OTHER_HASH.search(output):  # a damaged copy in pip's cache
            output = _try(job, [*call, "--no-cache-dir"], f"{say} once more, without pip's cache")
        if output is not None:
            raise explain(output, job.folder, job.size_mb)

    def attach(self, job: Job) -> None:
        _run(job, [*pip(job.folder), "install", *ATTACH, job.checkout], "Installing the command longlead")


class Uv:
    """uv does the same in a tenth of the time. It asks the index that uv is configured for, not pip's."""

    name = "uv"
    empty_cache = "uv cache clean"

    def __init__(self, program: str) -> None:
        self.program = program

    def create(self, job: Job) -> None:
        call: Call = [self.program, "venv", "--allow-existing", "--no-project", "--python", sys.executable, job.folder]
        _run(job, call, "Making an environment")

    def install(self, job: Job, requirements: str, *, say: str, wheels_only: bool = False) -> None:
        _run(job, uv_call(self.program, job.folder, requirements, wheels_only=wheels_only), say)

    def attach(self, job: Job) -> None:
        call: Call = [self.program, "pip", "install", "--python", _python(job.folder), *COPIES, *ATTACH, job.checkout]
        _run(job, call, "Installing the command longlead")


COPIES = ["--link-mode", "copy"]
"""uv would link files to its cache: what is damaged here would be damaged there, and come back for ever."""

PINNED = ["--no-deps", "--no-build-isolation", "--require-hashes"]
"""The files name every package with its hashes, and what builds packages is pinned too: nothing else may come in."""

ATTACH = ["--no-deps", "--no-build-isolation", "-e"]


def pip(folder: Path) -> Call:
    """How pip of an environment is called."""
    return [_python(folder), "-m", "pip", "--disable-pip-version-check", "--no-input"]


def pip_call(folder: Path, requirements: str, *, wheels_only: bool) -> Call:
    """pip's call that installs what a file pins."""
    return [
        *pip(folder),
        "install",
        "--progress-bar",
        "off",
        "--no-compile",
        *PINNED,
        *_wheels(wheels_only),
        "-r",
        requirements,
    ]


def uv_call(program: str, folder: Path, requirements: str, *, wheels_only: bool) -> Call:
    """uv's call that installs what a file pins."""
    return [
        program,
        "pip",
        "install",
        "--python",
        _python(folder),
        *COPIES,
        *PINNED,
        *_wheels(wheels_only),
        "-r",
        requirements,
    ]


def installers() -> list[Installer]:
    """Those that can be tried here, the quickest first."""
    uv = shutil.which("uv")
    return [Uv(uv), Pip()] if uv else [Pip()]


def installer_of(folder: Path) -> Installer | None:
    """One that can go on in an environment that is there; None where pip is not in it and uv is not on the PATH."""
    if any(folder.glob("lib/python*/site-packages/pip/__main__.py")):
        return Pip()
    uv = shutil.which("uv")
    return Uv(uv) if uv else None


def _wheels(only: bool) -> list[str]:
    return ["--only-binary", ":all:"] if only else []


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _run(job: Job, call: Call, say: str) -> None:
    output = _try(job, call, say)
    if output is not None:
        raise explain(output, job.folder, job.size_mb)


def _try(job: Job, call: Call, say: str) -> str | None:
    """Run a program with its progress shown. Its output where it failed, else None.

    Its temporary files lie in the environment in the making: one disk to fill, and one folder to throw away.
    """
    temporary = job.folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_CHILDREN}
    progress = Progress(say)
    try:
        process = subprocess.Popen(
            call,
            cwd=job.checkout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=environment | {"TMPDIR": str(temporary), "UV_NO_PROGRESS": "1", "PYTHONUNBUFFERED": "1"},
            pass_fds=[] if job.lock is None else [job.lock],
        )
    except OSError as error:
        raise SetupError(f"{call[0]} does not start: {error}") from None
    try:
        output = progress.follow(process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode == 0:
        return None
    if process.returncode == -9:
        return output + "\nThe installer was killed: the machine may be out of memory."
    return output or f"{call[0]} ended with {process.returncode} and said nothing"
