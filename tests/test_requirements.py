"""A clean install takes what is pinned, by its hash, and nothing else: no build tool is fetched beside it."""

import re
import tomllib
from pathlib import Path

import pytest

from bootstrap.installers import ATTACH, pip_call, uv_call
from bootstrap.pins import PINNED, read_ranges, strip_hashes
from bootstrap.stamp import FILES as FILES_OF_KIND

HOUSE = Path(__file__).parents[1]
FILES = ["requirements-build.txt", "requirements.txt", "requirements-dev.txt"]
PLACES = [
    "Makefile",
    ".ci/run",
    "README.md",
    "CONTRIBUTING.md",
    "Dockerfile",
    *(f"docs/{path.name}" for path in HOUSE.glob("docs/*.md")),
]


def requirements(name: str) -> dict[str, str]:
    """The entries of a requirements file: each name with the rest of its lines."""
    text = re.sub(r"\\\n", " ", (HOUSE / name).read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {re.split(r"[=<>~! \[;]", line, maxsplit=1)[0]: line for line in lines}


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_one_version_and_hashes(name: str) -> None:
    entries = requirements(name)
    assert entries
    for entry in entries.values():
        assert re.match(r"[A-Za-z0-9_.-]+(\[[\w,-]+\])?==[\w.+!-]+ ", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


def test_what_builds_the_package_is_pinned_as_it_is_installed() -> None:
    named = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    installed = requirements("requirements-build.txt")
    assert named
    assert {requirement.partition("==")[0] for requirement in named} == installed.keys()
    for requirement in named:
        name, _, version = requirement.partition("==")
        assert installed[name].startswith(f"{name}=={version} ")
        for other in map(requirements, FILES):
            assert name not in other or other[name].startswith(f"{name}=={version} "), "two versions of a build tool"


def commands(text: str) -> list[str]:
    """The calls of pip that a file has."""
    found = re.findall(r"pip install[^&\n]*", text.replace("\\\n", " "))
    return [call for call in found if re.search(r"-r |-e |--require-hashes", call)]


@pytest.mark.parametrize("place", PLACES)
def test_no_command_lets_pip_choose_a_package_or_a_build_tool(place: str) -> None:
    for call in commands((HOUSE / place).read_text(encoding="utf-8")):
        assert "--require-hashes" in call or "--no-deps" in call, call
        assert "--no-build-isolation" in call or "--only-binary :all:" in call, call


def test_the_image_installs_the_build_tools_first() -> None:
    calls = commands((HOUSE / "Dockerfile").read_text(encoding="utf-8"))
    assert len(calls) == 3, calls
    assert "requirements-build.txt" in calls[0]


@pytest.mark.parametrize("kind", FILES_OF_KIND)
def test_set_up_installs_the_build_tools_first_and_lets_no_installer_choose(kind: str) -> None:
    assert FILES_OF_KIND[kind][0] == "requirements-build.txt"
    for name in FILES_OF_KIND[kind]:
        for call in (
            pip_call(Path("env"), name, wheels_only=False),
            uv_call("uv", Path("env"), name, wheels_only=False),
        ):
            assert {"--require-hashes", "--no-build-isolation", "--no-deps", name} <= set(call), call
    assert {"--no-deps", "--no-build-isolation"} <= set(ATTACH)


def test_what_is_needed_to_work_holds_what_is_needed_to_run() -> None:
    everything = requirements("requirements-dev.txt")
    for name, line in requirements("requirements.txt").items():
        version, *hashes = (word for word in line.split() if "==" in word or word.startswith("--hash"))
        assert version == everything[name].split()[0]
        assert set(hashes) & set(everything[name].split()), name


def test_the_versions_without_hashes_are_those_with_hashes() -> None:
    assert (HOUSE / PINNED).read_text(encoding="utf-8") == strip_hashes(
        (HOUSE / "requirements.txt").read_text(encoding="utf-8")
    )


def test_every_range_of_pyproject_has_its_pin() -> None:
    ranges = read_ranges((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    for kind, name in (("build", FILES[0]), ("run", FILES[1]), ("dev", FILES[2])):
        for requirement in ranges[kind]:
            package = re.split(r"[=<>~! \[;]", requirement, maxsplit=1)[0].lower()
            assert package in requirements(name), f"{package} is not pinned: run `make requirements`"
