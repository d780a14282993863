"""What pipx and uv install is whole: every file of the rooms, the versions that were tested, the command."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.setup.kill_setups import copy_checkout
from tests.test_rooms import HOUSE, ROOMS

BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
FOR_READERS = {".md"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built from the files that Git knows, with the build tools that are installed."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    copy_checkout(source)
    subprocess.run([sys.executable, "-c", BUILD, target], cwd=source, capture_output=True, check=True)
    return zipfile.ZipFile(next(target.glob("longlead-*.whl")))


def text_in(wheel: zipfile.ZipFile, ending: str) -> str:
    return wheel.read(next(name for name in wheel.namelist() if name.endswith(ending))).decode()


def test_every_file_of_the_rooms_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    known = subprocess.run(["git", "ls-files", *ROOMS], cwd=HOUSE, capture_output=True, text=True, check=True)
    wanted = {name for name in known.stdout.splitlines() if Path(name).suffix not in FOR_READERS}
    assert len(wanted) > 300
    assert wanted - set(wheel.namelist()) == set()


def test_nothing_but_the_rooms_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    others = {name for name in wheel.namelist() if name.split("/")[0] not in ROOMS}
    assert all(name.split("/")[0].endswith(".dist-info") for name in others), others


def test_the_wheel_asks_for_exactly_the_versions_that_were_tested(wheel: zipfile.ZipFile) -> None:
    asked = re.findall(r"^Requires-Dist: ([^;\n]+)(?:;(?! extra ==)[^\n]*)?$", text_in(wheel, "METADATA"), re.MULTILINE)
    pins = (HOUSE / "requirements-pinned.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(name.strip() for name in asked) == sorted(pin.partition(";")[0].strip() for pin in pins)


def test_the_wheel_brings_the_command(wheel: zipfile.ZipFile) -> None:
    assert "longlead = cli.main:app" in text_in(wheel, "entry_points.txt")
