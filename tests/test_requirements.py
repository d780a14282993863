"""A clean install takes what is pinned, by its hash, and nothing else: no build tool is fetched beside it."""

import re
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
FILES = ["requirements-build.txt", "requirements.txt", "requirements-dev.txt"]
PLACES = [
    "Makefile",
    ".ci/run",
    "README.md",
    "CONTRIBUTING.md",
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
    """The calls of pip that a file has, with the variable that the Makefile keeps them in."""
    found = re.findall(r"(?:pip install|\$\(PIP\))[^&\n]*", text.replace("\\\n", " "))
    kept = re.search(r"^PIP = (.*)$", text, re.MULTILINE)
    return [
        call.replace("$(PIP)", kept[1] if kept else "")
        for call in found
        if re.search(r"-r |-e |--require-hashes", call)
    ]


@pytest.mark.parametrize("place", PLACES)
def test_no_command_lets_pip_choose_a_package_or_a_build_tool(place: str) -> None:
    for call in commands((HOUSE / place).read_text(encoding="utf-8")):
        assert "--require-hashes" in call or "--no-deps" in call, call
        assert "--no-build-isolation" in call or "--only-binary :all:" in call, call


def test_the_makefile_and_the_image_install_the_build_tools_first() -> None:
    for place, count in (("Makefile", 4), ("docs/for-integrators.md", 3)):
        calls = commands((HOUSE / place).read_text(encoding="utf-8"))
        assert len(calls) == count, calls
        assert "requirements-build.txt" in calls[0]
