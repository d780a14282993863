"""What an environment was made from, and whether it is still whole."""

import csv
import hashlib
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "longlead.json"
FILES = {
    "run": ("requirements-build.txt", "requirements.txt"),
    "dev": ("requirements-build.txt", "requirements-dev.txt"),
}
"""The pinned files of each kind of environment. `dev` holds everything of `run`."""

SCRIPT_HEADER = b"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
"""
"""The head of a script that finds the Python beside it, wherever the environment is."""

ASK_PYTHON = "import sys; print(sys.prefix); print(*sys.version_info[:2], sep='.')"


@dataclass(frozen=True)
class Stamp:
    """Written into an environment as the last thing, when all of it is on the disk."""

    digests: dict[str, str]  # of each kind that it satisfies
    project: str  # digest of pyproject.toml as it was installed
    checkout: str  # absolute path of the source that `longlead` runs
    folder: str  # absolute path of the environment
    python: str  # "3.11"
    distributions: list[str]  # names of the installed packages

    def write(self, folder: Path) -> None:
        """Replace the stamp at once, after everything else has reached the disk."""
        os.sync()
        draft = folder / (NAME + ".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / NAME)


def read_stamp(folder: Path) -> Stamp | None:
    """The stamp of an environment; None where there is none that can be read."""
    try:
        return Stamp(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def digest(checkout: Path, names: tuple[str, ...]) -> str:
    """One digest of several files of the checkout."""
    total = hashlib.sha256()
    for name in names:
        total.update(hashlib.sha256((checkout / name).read_bytes()).digest())
    return total.hexdigest()


def find_fault(folder: Path, checkout: Path, kind: str, python: str | None) -> str | None:
    """Why the environment cannot be used as it is, or None. `python` is the version asked for by name, if any."""
    stamp = read_stamp(folder)
    if stamp is None:
        return "it was never finished" if folder.exists() else "there is none yet"
    if stamp.digests.get(kind) != digest(checkout, FILES[kind]):
        return "other packages are wanted now"
    if python is not None and stamp.python != python:
        return f"it has Python {stamp.python}, and {python} was asked for"
    return _find_python_fault(folder, stamp.python) or find_package_fault(
        site_packages(folder, stamp.python), stamp.distributions
    )


def is_attached(folder: Path, checkout: Path) -> bool:
    """True if `longlead` in the environment runs the source of this checkout, as pyproject.toml describes it."""
    stamp = read_stamp(folder)
    return (
        stamp is not None
        and stamp.checkout == str(checkout)
        and stamp.folder == str(folder)
        and stamp.project == digest(checkout, ("pyproject.toml",))
        and (folder / "bin" / "longlead").is_file()
    )


def list_distributions(folder: Path, python: str) -> list[str]:
    """The names of the packages that are installed."""
    entries = os.listdir(site_packages(folder, python))
    return sorted(entry.partition("-")[0] for entry in entries if entry.endswith(".dist-info"))


def site_packages(folder: Path, python: str) -> Path:
    """Where the packages of an environment are."""
    return folder / "lib" / f"python{python}" / "site-packages"


def _find_python_fault(folder: Path, python: str) -> str | None:
    """A Python that was removed, replaced by another version, or no longer knows its environment."""
    try:
        settings = (folder / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
        answer = subprocess.run(
            [folder / "bin" / "python", "-I", "-c", ASK_PYTHON], capture_output=True, text=True, timeout=60, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return "its Python no longer runs"
    if "include-system-site-packages = false" not in settings:
        return "its pyvenv.cfg is not whole"  # without that line, Python lets the system's packages in
    if len(answer) != 2 or not _is_same(Path(answer[0]), folder):
        return "its Python does not look for packages in it"
    return None if answer[1] == python else f"its Python is now {answer[1]}"


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def find_package_fault(site: Path, distributions: list[str]) -> str | None:
    """A package that is gone, or has a file that is gone or cut short: a power cut leaves such."""
    try:
        records = {entry.partition("-")[0]: entry for entry in os.listdir(site) if entry.endswith(".dist-info")}
    except OSError:
        return "its packages are gone"
    if missing := set(distributions) - records.keys():
        return f"{min(missing)} is missing"
    for name, entry in records.items():
        if _has_damage(str(site), f"{site}/{entry}/RECORD"):
            return f"{name} is not whole"
    return None


def _has_damage(site: str, record: str) -> bool:
    """True if a file of the record is not there, or not of its size."""
    try:
        with open(record, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        return not rows or any(
            os.stat(f"{site}/{path}").st_size != int(size) and not _is_our_script(f"{site}/{path}")
            for path, _, size in rows
            if size
        )
    except (OSError, ValueError):
        return True


def _is_our_script(path: str) -> bool:
    """True for a script whose head was rewritten by us, so that its size is not that of the record."""
    with open(path, "rb") as file:
        head = file.read(len(SCRIPT_HEADER) + 1)
    return head.startswith(SCRIPT_HEADER) and len(head) > len(SCRIPT_HEADER)
