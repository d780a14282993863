"""Values keep their types: `Any`, `object` and their aliases stand at the edges, and hardly anywhere else."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
ROOMS = ("api", "bootstrap", "cli", "domain", "evals", "graph", "nodes", "runtime", "storage", "tools")
UNTYPED = {"Any", "object"}
GOAL = 5
"""Untyped values per 1,000 lines of a room outside the edges."""


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _files(room: str) -> list[Path]:
    return sorted((HOUSE / room).rglob("*.py"))


def _aliases_made(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Names of a module's own that stand for a type: `Json = dict[str, Any]`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp | ast.Name):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))


def _module_of(file: Path) -> str:
    return str(file.relative_to(HOUSE).with_suffix("")).replace("/", ".").removesuffix(".__init__")


@cache
def _aliases() -> dict[str, frozenset[str]]:
    """By module, the names that stand for something untyped, made there or imported, found until no more are."""
    modules = {_module_of(file): file for room in ROOMS for file in _files(room)}
    known: dict[str, set[str]] = {module: set() for module in modules}
    while True:
        before = sum(map(len, known.values()))
        for module, file in modules.items():
            names = known[module]
            for node in ast.walk(_tree(file)):
                if isinstance(node, ast.ImportFrom) and node.module in known:
                    names |= {one.asname or one.name for one in node.names if one.name in known[node.module]}
            for name, value in _aliases_made(_tree(file)):
                if _mentions(value, UNTYPED | names):
                    names.add(name)
        if sum(map(len, known.values())) == before:
            return {module: frozenset(names) for module, names in known.items()}


def _mentions(value: ast.expr, names: set[str]) -> int:
    return sum(isinstance(node, ast.Name) and node.id in names for node in ast.walk(value))


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            yield node.annotation
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "cast" and node.args:
            yield node.args[0]
        if isinstance(node, ast.ClassDef):
            yield from node.bases
    yield from (value for _, value in _aliases_made(tree))


def untyped_in(file: Path) -> int:
    """How often a file's annotations name something untyped."""
    names = UNTYPED | set(_aliases()[_module_of(file)])
    return sum(_mentions(annotation, names) for annotation in _annotations(_tree(file)))


def lines_of(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


EDGES = {
    "cli/client.py": "what the API answers",
    "cli/output.py": "what commands print",
    "domain/event_content.py": "an event's digest, of whatever was sent",
    "graph/fork_points.py": "checkpoints as they were written",
    "graph/forking.py": "checkpoints as they are copied",
    "graph/unwatched.py": "the engine's own callbacks",
    "graph/whole_writes.py": "the engine's saver",
    "nodes/state.py": "the state as it is written",
    "storage/connection.py": "rows of any query",
    "storage/ledger.py": "the ledger's rows",
    "storage/transaction.py": "rows of any table",
}
"""Files in which plain JSON, rows or the engine's own values are turned into ours."""
MOST_EDGES = 0.03
"""Of all lines."""


def _inside(room: str) -> list[Path]:
    return [file for file in _files(room) if str(file.relative_to(HOUSE)) not in EDGES]


@pytest.mark.parametrize("room", ROOMS)
def test_values_of_a_room_keep_their_types(room: str) -> None:
    counted = {str(file.relative_to(HOUSE)): untyped_in(file) for file in _inside(room)}
    share = 1000 * sum(counted.values()) / sum(map(lines_of, _inside(room)))
    worst = sorted(counted.items(), key=lambda one: -one[1])[:5]
    assert share <= GOAL, f"{share:.1f} per 1,000 lines; most in {worst}"


def test_the_edges_are_few_and_there() -> None:
    lines = {str(file.relative_to(HOUSE)): lines_of(file) for room in ROOMS for file in _files(room)}
    assert set(EDGES) <= set(lines)
    assert sum(lines[edge] for edge in EDGES) <= MOST_EDGES * sum(lines.values())


def test_an_alias_of_an_alias_is_counted() -> None:
    source = "from typing import Any\nJson = dict[str, Any]\nRows = list[Json]\ndef f(rows: Rows) -> object: ...\n"
    tree = ast.parse(source)
    names = set(UNTYPED)
    for name, value in _aliases_made(tree):
        assert _mentions(value, names) == 1
        names.add(name)
    assert sum(_mentions(annotation, names) for annotation in _annotations(tree)) == 4
