"""What a machine lacks is named in a sentence or two, with the command that brings it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from bootstrap import environment, faults
from bootstrap.environment import Wanted, prepare
from bootstrap.faults import SetupError, explain
from bootstrap.installers import Job, Pip
from bootstrap.progress import Progress
from tests.setup.small_checkout import HOUSE, SmallCheckout, make_small_checkout


class Usage(NamedTuple):
    """What the system says of a disk."""

    total: int
    used: int
    free: int


@pytest.fixture
def checkout(tmp_path: Path) -> SmallCheckout:
    return make_small_checkout(tmp_path)


def wanted(checkout: SmallCheckout, folder: Path | None = None) -> Wanted:
    return Wanted(checkout.path, folder or checkout.environment, "run", None)


SAID = {
    "The virtual environment was not created successfully because ensurepip is not available.": "python3-venv|-venv",
    "/usr/bin/python3: No module named venv": "-venv",
    "/x/.venv/bin/python: No module named ensurepip": "-venv",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": "disk .* is full",
    "error: failed to write to file: No space left on device (os error 28)": "disk .* is full",
    "OSError: [Errno 122] Disk quota exceeded": "disk .* is full",
    "SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed": "ca-certificates",
    "client error (Connect): invalid peer certificate: UnknownIssuer": "ca-certificates",
    "Could not find a suitable TLS CA certificate bundle, invalid path: /etc/ssl/certs/x": "ca-certificates",
    "NewConnectionError(': Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')\n"
    "ERROR: No matching distribution found for annotated-doc==0.0.7": "could not be reached",
    "error: Request failed after 3 retries\n  cause: dns error": "could not be reached",
    "ReadTimeoutError: HTTPSConnectionPool: Read timed out.": "could not be reached",
    "ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407'))": "could not be reached",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": "not the one that is pinned",
    "error: Hash mismatch for `fastapi==0.1`": "not the one that is pinned",
    "ERROR: No matching distribution found for psycopg-binary==3.3.9": "psycopg-binary.* no build .* PYTHON=",
    "error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory": "compiler",
    "postgres: error while loading shared libraries: libstdc++.so.6: cannot open shared object file": "libstdc",
    "ERROR: [Errno 30] Read-only file system: '/x/.venv'": "cannot be written to.*cp -r",
    "ERROR: [Errno 13] Permission denied: '/x/.venv'": "cannot be written to.*cp -r",
    "something that nobody has seen before": "(?s)nobody has seen before.*run the same command again",
}


@pytest.mark.parametrize("said", SAID)
def test_what_an_installer_says_becomes_a_sentence_that_helps(said: str, tmp_path: Path) -> None:
    error = explain(said, tmp_path / ".venv", 330)
    with pytest.raises(SetupError, match=SAID[said]):
        raise error


def test_a_python_without_ensurepip_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, checkout: SmallCheckout
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SetupError, match=r"cannot make environments.*This brings it:  .*venv"):
        Pip().create(Job(checkout.environment, checkout.path, 330, None))


def test_a_full_disk_is_told_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, checkout: SmallCheckout
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 10**7, 10**7))
    with pytest.raises(SetupError, match=r"needs about 330 MB, 10 MB are free.*make VENV="):
        prepare(wanted(checkout))
    assert not list(checkout.path.glob(".venv.partial"))


def test_a_missing_library_is_told_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, checkout: SmallCheckout
) -> None:
    monkeypatch.setitem(faults.LIBRARIES, "libnowhere.so.7", faults.Need({"apt-get": "libnowhere7"}))
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(SetupError, match=r"libnowhere\.so\.7 is missing.*libnowhere7"):
        prepare(wanted(checkout))


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="the folder in which nobody may write is Linux's")
def test_a_folder_that_cannot_be_written_to_is_named(checkout: SmallCheckout) -> None:
    with pytest.raises(SetupError, match="/sys/kernel cannot be written to"):
        prepare(wanted(checkout, Path("/sys/kernel/longlead")))


def test_a_folder_with_other_things_in_it_is_never_replaced(checkout: SmallCheckout, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "letters.txt").write_text("Dear Sir")
    with pytest.raises(SetupError, match="is not an environment of Python"):
        prepare(wanted(checkout, home))
    assert (home / "letters.txt").read_text() == "Dear Sir"


def machine(tmp_path: Path, **programs: str) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """A machine with these programs on its PATH and nothing else but a shell."""
    folder = tmp_path / "machine"
    folder.mkdir()
    (folder / "dirname").symlink_to(shutil.which("dirname") or "")
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        call = ["/bin/sh", HOUSE / "bootstrap" / "setup.sh", "run", tmp_path / "env", *arguments]
        return subprocess.run(call, env={"PATH": str(folder)}, capture_output=True, text=True, check=False)

    return run


OLD = 'case "$2" in *platform*) echo 3.9.18;; *) exit 1;; esac'


@pytest.mark.parametrize(
    ("programs", "words"),
    [
        ({}, "there is no python3"),
        ({"python3": OLD}, "python3 here is 3.9.18"),
        ({"python3": OLD, "apt-get": ""}, "apt-get install -y python3 python3-venv"),
        ({"python3": OLD, "brew": ""}, "brew install python"),
        ({"python3": OLD, "uv": "exit 2"}, "uv python install"),
    ],
)
def test_a_machine_without_a_python_that_is_new_enough_hears_how_to_get_one(
    programs: dict[str, str], words: str, tmp_path: Path
) -> None:
    told = machine(tmp_path, **programs)()
    assert told.returncode == 2
    assert "Python 3.11 or newer" in told.stderr
    assert words in told.stderr


def test_a_newer_python_beside_an_old_one_is_found(tmp_path: Path) -> None:
    told = machine(tmp_path, python3=OLD, **{"python3.12": 'case "$1" in -c) exit 0;; esac; echo "taken: $*"'})()
    assert told.returncode == 0
    assert told.stdout == f"taken: -m bootstrap run {tmp_path / 'env'}\n"


def test_a_named_python_that_is_too_old_is_not_replaced_by_another(tmp_path: Path) -> None:
    told = machine(tmp_path, **{"python3.9": OLD, "python3": "exit 0"})("python3.9")
    assert told.returncode == 2
    assert "PYTHON=python3.9 is 3.9.18" in told.stderr


def test_progress_tells_packages_and_megabytes() -> None:
    progress = Progress("Packages")
    for line in (
        "Collecting grpcio==1.80.0 (from -r requirements.txt (line 3))\n",
        "  Downloading grpcio-1.80.0-cp311-cp311-manylinux_2_17_x86_64.whl (6.8 MB)\n",
        "Collecting uvloop==0.23.0\n",
        "  Using cached uvloop-0.23.0-cp311-cp311-linux_x86_64.whl (500 kB)\n",
        "Downloading psycopg-binary (4.0MiB)\n",
    ):
        progress.take(line)
    assert "2 packages, 11 MB downloaded, 0 MB from the cache" in progress.describe()
    assert "psycopg-binary (4.2 MB)" in progress.describe()


def test_an_interrupted_set_up_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch, checkout: SmallCheckout) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "prepare", interrupt)
    monkeypatch.chdir(checkout.path)
    assert environment.main(["run", os.fspath(checkout.environment)]) == 130
