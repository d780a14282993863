"""What can be wrong with a machine, said in a sentence or two, with the command that helps."""

import ctypes
import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


class SetupError(Exception):
    """Set-up cannot go on; the message says why, and what to do."""


AGAIN = "What was downloaded is kept: run the same command again"


@dataclass(frozen=True)
class Need:
    """Something that the system has to bring: its package, by package manager."""

    packages: dict[str, str]

    def command(self) -> str:
        """The command that installs it here; for an unknown system, what to look for."""
        for manager, package in self.packages.items():
            if shutil.which(manager):
                call = f"apk add {package}" if manager == "apk" else f"{manager} install -y {package}"
                if manager == "brew":
                    return f"brew install {package}"
                return call if os.geteuid() == 0 else f"sudo {call}"
        return f"install the package that Debian calls {self.packages['apt-get']}"


CERTIFICATES = Need({"apt-get": "ca-certificates", "dnf": "ca-certificates", "apk": "ca-certificates"})
COMPILER = Need({"apt-get": "build-essential python3-dev", "dnf": "gcc python3-devel", "apk": "build-base python3-dev"})
LIBRARIES = {  # what the packages take from a Linux system, beside its C library
    "libstdc++.so.6": Need({"apt-get": "libstdc++6", "dnf": "libstdc++", "apk": "libstdc++"}),
    "libgcc_s.so.1": Need({"apt-get": "libgcc-s1", "dnf": "libgcc", "apk": "libgcc"}),
    "libz.so.1": Need({"apt-get": "zlib1g", "dnf": "zlib", "apk": "zlib"}),
}

DISK_FULL = re.compile(r"No space left on device|Errno 28|os error 28|Disk quota exceeded|Errno 122")
READ_ONLY = re.compile(r"Read-only file system|Errno 30\b|os error 30\b|Permission denied|Errno 13\b|os error 13\b")
NO_PIP = re.compile(r"ensurepip is not available|No module named '?(ensurepip|venv)\b")
NO_TRUST = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|invalid peer certificate|UnknownIssuer"
    r"|suitable TLS CA certificate bundle|unable to get local issuer"
)
NO_NETWORK = re.compile(
    r"name resolution|Name or service not known|nodename nor servname|dns error|NewConnectionError"
    r"|Network is unreachable|Connection refused|ConnectTimeout|ReadTimeout|timed out|ProxyError"
    r"|Connection aborted|Connection reset|error sending request|No route to host"
)
OTHER_HASH = re.compile(r"DO NOT MATCH THE HASHES|[Hh]ash mismatch")
NO_BUILD_FOR_US = re.compile(r"No matching distribution found for (\S+)|(\S+?)(?:==\S+)? has no wheels with a matching")
NO_COMPILER = re.compile(r"error: command '\S*(?:gcc|cc|clang)\S*' failed|Python\.h: No such file|\bgcc\b.*not found")
NO_LIBRARY = re.compile(r"(?:loading shared libraries: |ImportError: )(lib[\w.+-]+\.so[\w.]*): cannot open")


def venv_need() -> Need:
    """The package with `venv` and `ensurepip` of the Python that runs this."""
    is_system = Path(sys.executable).resolve() == Path("/usr/bin/python3").resolve()
    own = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return Need({"apt-get": "python3-venv" if is_system else own, "dnf": "python3-libs", "apk": "python3"})


def lacks_venv() -> SetupError:
    """Python is there without what makes environments, as on Debian."""
    return SetupError(
        f"This Python ({sys.executable}) cannot make environments: its system keeps `venv` and `ensurepip` in a "
        f"package of their own. This brings it:  {venv_need().command()}"
    )


def disk_is_full(folder: Path, needed_mb: int) -> SetupError:
    """The disk of the environment has no room for it."""
    place = nearest_folder(folder)
    return SetupError(
        f"The disk of {place} is full: set-up needs about {needed_mb} MB, {free_mb(place)} MB are free. Make room, or "
        "put the environment on another disk:  make VENV=/other/disk/longlead-venv ..."
    )


def cannot_write(folder: Path) -> SetupError:
    """The folder of the environment belongs to somebody else, or the file system is read-only."""
    return SetupError(
        f"{nearest_folder(folder)} cannot be written to, and set-up makes {folder.name} in it. Copy the checkout to a "
        "folder of your own and run it there:  cp -r . ~/longlead && cd ~/longlead"
    )


def explain(output: str, folder: Path, needed_mb: int) -> SetupError:
    """Why an installer failed, from what it said. What nobody foresaw is shown as it was said."""
    if NO_PIP.search(output):
        return lacks_venv()
    if DISK_FULL.search(output):
        return disk_is_full(folder, needed_mb)
    if NO_TRUST.search(output):
        return SetupError(
            "The package index's certificate is not trusted here. If the system has no certificates, this brings them: "
            f" {CERTIFICATES.command()}  (behind a company's proxy, name its certificate in PIP_CERT)"
        )
    if OTHER_HASH.search(output):
        return SetupError(
            "A package that came is not the one that is pinned, so it was not installed: something on the way changed "
            "it. Try another network or index (PIP_INDEX_URL), and do not go round the check."
        )
    if NO_NETWORK.search(output):
        return SetupError(
            f"The package index could not be reached. Check the network or the proxy (HTTPS_PROXY). {AGAIN}."
        )
    if match := NO_BUILD_FOR_US.search(output):
        return SetupError(
            f"{match[1] or match[2]} has no build for this machine ({describe_machine()}). Linux with glibc "
            "and macOS have builds, Intel and ARM. Try another Python:  make PYTHON=python3.12 ..."
        )
    if NO_COMPILER.search(output):
        return SetupError(f"A package has to be compiled here. This brings the compiler:  {COMPILER.command()}")
    if match := NO_LIBRARY.search(output):
        return lacks_library(match[1])
    if READ_ONLY.search(output):
        return cannot_write(folder)
    last = "\n".join(f"    {line}" for line in output.strip().splitlines()[-8:])
    return SetupError(f"Set-up failed; the last lines of the installer were:\n{last}\n{AGAIN}.")


def lacks_library(library: str) -> SetupError:
    """A program that came along cannot start, for want of a library of the system."""
    need = LIBRARIES.get(library)
    help_ = f"This brings it:  {need.command()}" if need else "Install the package of your system that has it."
    return SetupError(f"The C library {library} is missing on this machine. {help_}")


def find_missing_library() -> str | None:
    """A library of the system that the packages need and that is not there."""
    for library in LIBRARIES if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError:
            return library
    return None


def describe_machine() -> str:
    """Python, system, processor and C library, as wheels are told apart by them."""
    libc = " ".join(platform.libc_ver()).strip() or "another C library than glibc"
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {libc}"


def nearest_folder(path: Path) -> Path:
    """The folder that is there, on the way up from `path`."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())


def free_mb(folder: Path) -> int:
    """Free space in MB."""
    return shutil.disk_usage(folder).free // 1_000_000
