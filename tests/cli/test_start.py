"""The command starts quickly: help, version and completion import nothing of the service."""

import json
import re
import resource
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from cli.lazy import load_command
from cli.main import app
from cli.manual import ENTRIES
from tests.cli.conftest import Run
from tests.test_rooms import HOUSE, ROOMS

MANUAL = {"typer", "rich", "pydantic"}
"""Of what the project depends on, what help may import; pydantic is used by newer versions of typer itself."""
CLIENT = MANUAL | {"httpx", "pydantic", "pydantic-settings"}
"""And what a command may that only asks the service."""


def find_heavy_modules(allowed: set[str]) -> set[str]:
    """What may not be imported: the dependencies of the project but for these, and what the service is made of."""
    declared = tomllib.loads((HOUSE / "pyproject.toml").read_text())["dependency-groups"]["run"]
    names = {re.split(r"[^\w-]", dependency)[0] for dependency in declared}
    assert allowed <= names
    modules = {
        module
        for module, distributions in packages_distributions().items()
        if set(distributions) & (names - allowed) or module.startswith(("lang", "fastapi", "starlette", "psycopg"))
    }
    return modules | {"api", "evals", "graph", "nodes", "tools", "storage"}


OBSERVE = """
import contextlib, io, json, sys
at_start = set(sys.modules)
from cli.main import app
seen = {}
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            app(arguments, prog_name="longlead")
        except SystemExit as ended:
            code = ended.code
    loaded = {name.split(".")[0] for name in set(sys.modules) - at_start}
    seen[" ".join(arguments)] = [code, len(sys.modules), sorted(loaded)]
print(json.dumps(seen))
"""


def observe(*commands: list[str]) -> dict[str, tuple[int, int, list[str]]]:
    """Exit code, number of modules and packages that were imported, after each in one process."""
    made = subprocess.run(
        [sys.executable, "-c", OBSERVE, json.dumps(commands)], capture_output=True, text=True, check=True
    )
    found: dict[str, tuple[int, int, list[str]]] = json.loads(made.stdout)
    return found


def commands_below(command: Any, *above: str) -> Iterator[list[str]]:
    """The words of every command, groups included."""
    for name, found in getattr(command, "commands", {}).items():
        loaded = load_command(found.entry) if hasattr(found, "entry") else found
        yield [*above, name]
        yield from commands_below(loaded, *above, name)


def test_no_help_at_any_level_imports_more_than_the_manual_needs() -> None:
    below = list(commands_below(get_command(app)))
    last = {words[0]: words for words in below}  # what a group's help needs, its other commands need too
    every = [
        ["--version"],
        ["--help"],
        *([*words, "--help"] for words in below if words in last.values() or len(words) == 1),
    ]
    assert len(below) > 60
    forbidden = find_heavy_modules(MANUAL) | {"runtime"}
    for arguments, (code, _, packages) in observe(*every).items():
        assert code == 0, arguments
        assert not set(packages) & forbidden, arguments


def test_the_manual_imports_none_of_its_commands() -> None:
    ((_, modules, packages),) = observe(["--help"]).values()
    assert modules < 600
    assert {name for name in packages if name in ROOMS} == {"cli", "domain"}
    ((_, modules, _),) = observe(["--version"]).values()
    assert modules < 400


def test_a_command_that_asks_the_service_imports_a_client_and_not_the_service() -> None:
    ((code, _, packages),) = observe(["approvals", "list", "--url", "http://127.0.0.1:9"]).values()
    assert code == 1
    assert "httpx" in packages
    assert not set(packages) & find_heavy_modules(CLIENT)


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_it_starts_in_little_more_than_its_library_needs(argument: str) -> None:
    """In CPU time, against importing the library for command lines: it was over thirty times as much."""
    library = statistics.median(_cpu_seconds("import typer") for _ in range(3))
    command = f"import sys; sys.argv = ['longlead', {argument!r}]; from cli.main import app; app()"
    assert statistics.median(_cpu_seconds(command) for _ in range(3)) < 6 * library


def _cpu_seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_manual_says_of_a_command_what_the_command_says(entry: Any) -> None:
    said = (load_command(entry).help or "").split("\n\n")[0]
    assert entry.help == " ".join(said.split())


def test_every_group_of_commands_is_in_the_manual_once() -> None:
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        module, _, attribute = entry.source.partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, typer.Typer) or callable(found)


def test_the_manual_keeps_its_panels_in_order(run: Run) -> None:
    shown = run("--help").stdout
    titles = list(dict.fromkeys(entry.panel for entry in ENTRIES))
    places = [shown.index(f"─ {title} ─") for title in titles]
    assert places == sorted(places)
    for entry in ENTRIES:
        assert f" {entry.name} " in shown


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("longlead ev", {"events", "evals"}),
        ("longlead events ", {"send", "list", "show", "retry"}),
        ("longlead events send --wa", {"--wait"}),
        ("longlead backtest --la", {"--lanes"}),
        ("longlead approvals decide some-id ap", {"approve"}),
    ],
)
def test_the_shell_completes_commands_and_options(typed: str, suggested: set[str]) -> None:
    words = typed.split()
    position = len(words) if typed.endswith(" ") else len(words) - 1
    environment = {"_LONGLEAD_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(position)}
    told = CliRunner().invoke(app, [], env=environment, prog_name="longlead")
    assert set(told.stdout.split()) == suggested


@pytest.mark.parametrize(("typed", "meant"), [("evnts list", "'events'"), ("events sned", "'send'")])
def test_an_unknown_command_is_answered_with_one_that_is_like_it(run: Run, typed: str, meant: str) -> None:
    refused = run(*typed.split())
    assert refused.exit_code == 2
    assert f"Did you mean {meant}" in refused.stderr
