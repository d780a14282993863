"""The house rules on who may import whom and who may touch what, held against the source itself."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
ROOMS = ("cli", "evals", "api", "runtime", "graph", "nodes", "tools", "storage", "domain")
"""From the top down: a room imports itself and the rooms below it."""

SETTINGS = Path("runtime/settings.py")
OUTSIDE_NODES = ("psycopg", "psycopg_pool", "httpx", "requests", "urllib", "socket", "procrastinate", "storage")
TIMELESS = ("domain", "nodes", "tools")
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}
SQL = re.compile(r"\b(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s)")


def violations(file: Path, source: str) -> list[str]:
    """What a file of a room does against the rules; `file` is relative to the house."""
    tree, room = ast.parse(source), file.parts[0]
    found = [*_imports_against_the_rules(tree, room), *_reads_the_environment(tree, file)]
    if room in TIMELESS:
        found += _asks_the_time(tree)
    if room == "nodes":
        found += _writes_sql(tree)
    return [f"{file}:{line}: {what}" for line, what in found]


def _imports_against_the_rules(tree: ast.AST, room: str) -> Iterator[tuple[int, str]]:
    for line, module in _imported(tree):
        top = module.split(".")[0]
        if room != "domain" and top in ROOMS and ROOMS.index(top) < ROOMS.index(room):
            yield line, f"{room} imports {module}, which is above it"
        if room == "domain" and top not in {"domain", "pydantic", *sys.stdlib_module_names}:
            yield line, f"domain imports {module}: only the standard library and pydantic are allowed"
        if room == "nodes" and top in OUTSIDE_NODES:
            yield line, f"nodes import {module}: the world is reached through tools"


def _imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.lineno, node.module


def _reads_the_environment(tree: ast.AST, file: Path) -> Iterator[tuple[int, str]]:
    if file == SETTINGS:
        return
    for node in ast.walk(tree):
        attribute = isinstance(node, ast.Attribute) and _name(node.value) == "os" and node.attr in ENVIRONMENT
        imported = isinstance(node, ast.ImportFrom) and node.module == "os"
        if attribute or (imported and ENVIRONMENT & {name.name for name in node.names}):
            yield node.lineno, f"the environment is read in {SETTINGS} alone"
        if isinstance(node, ast.ClassDef) and "BaseSettings" in [_name(base) for base in node.bases]:
            yield node.lineno, f"settings are in {SETTINGS} alone"


def _asks_the_time(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (_name(node.value), node.attr) in CLOCKS:
            yield node.lineno, f"{_name(node.value)}.{node.attr} asks the machine's clock: take the time that is given"
        if isinstance(node, ast.ImportFrom) and node.module == "time" and {"time", "time_ns"} & _names(node):
            yield node.lineno, "time.time asks the machine's clock: take the time that is given"


def _writes_sql(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
            yield node.lineno, "nodes hold no SQL"


def _name(node: ast.AST) -> str | None:
    """The last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


def _names(node: ast.ImportFrom) -> set[str]:
    return {name.name for name in node.names}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_keeps_to_the_rules(room: str) -> None:
    files = sorted((HOUSE / room).rglob("*.py"))
    assert files
    found = [line for file in files for line in violations(file.relative_to(HOUSE), file.read_text(encoding="utf-8"))]
    assert found == []


def test_every_package_is_a_room() -> None:
    packages = {file.parent.name for file in HOUSE.glob("*/__init__.py")} - {"tests", "bootstrap"}
    assert packages == set(ROOMS)


def test_set_up_needs_nothing_that_it_has_yet_to_install() -> None:
    for file in (HOUSE / "bootstrap").glob("*.py"):
        tops = {module.split(".")[0] for _, module in _imported(ast.parse(file.read_text(encoding="utf-8")))}
        assert tops <= {"bootstrap", *sys.stdlib_module_names}, file


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("domain/events.py", "from tools.context import Toolbox"),
        ("domain/events.py", "def late():\n    import storage.inbox"),
        ("domain/events.py", "import langgraph"),
        ("domain/events.py", "from datetime import date\nday = date.today()"),
        ("storage/inbox.py", "from runtime.settings import Settings"),
        ("storage/inbox.py", "import os\nhome = os.environ['HOME']"),
        ("tools/orders.py", "import time\nnow = time.time()"),
        ("tools/orders.py", "import datetime\nnow = datetime.datetime.now(datetime.UTC)"),
        ("nodes/decide.py", "import psycopg"),
        ("nodes/decide.py", "import httpx"),
        ("nodes/decide.py", "from storage import ledger"),
        ("nodes/decide.py", "query = 'SELECT * FROM items'"),
        ("graph/thread.py", "from api.app import create_app"),
        ("runtime/worker.py", "from os import getenv"),
        ("api/app.py", "from evals.scenario import Scenario"),
        ("evals/runner.py", "from cli.demo import run_demo"),
        ("api/app.py", "class More(BaseSettings): ..."),
    ],
)
def test_a_planted_violation_is_found(file: str, source: str) -> None:
    assert len(violations(Path(file), source)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("cli/main.py", "import evals.scenario, api.app, runtime.service, graph.building, domain.events"),
        (
            "tools/orders.py",
            "import datetime\nnow = toolbox.clock.now()\nday = datetime.date(2026, 2, 15)",
        ),
        ("nodes/decide.py", "from tools.context import Toolbox\nfrom langgraph.types import interrupt"),
        ("runtime/settings.py", "import os\nhome = os.environ['HOME']"),
        ("storage/cluster.py", "import os\nos.kill(1, 0)"),
    ],
)
def test_what_the_rules_allow_passes(file: str, source: str) -> None:
    assert violations(Path(file), source) == []
