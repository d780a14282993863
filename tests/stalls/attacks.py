"""Every regular expression of the project, and the texts on which it takes longest."""

import ast
import importlib
import itertools
import pkgutil
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import re._constants as op  # type: ignore[import-untyped]
    import re._parser as parser  # type: ignore[import-untyped]

HOUSE = Path(__file__).parents[2]
ROOMS = ("domain", "storage", "tools", "nodes", "graph", "runtime", "api", "evals", "cli")
BY_NAME = ("search", "match", "fullmatch", "findall", "finditer", "sub", "subn", "split")
"""Functions of `re` that take a pattern as text, which no collection of compiled patterns sees."""

MAX_ATTACKS = 400
LONG = 8
"""A repeat that may take this many turns is one that an attacker can feed."""


def patterns() -> dict[str, re.Pattern[str]]:
    """Every compiled pattern that a module or a class of the project holds, by where it stands."""
    found: dict[str, re.Pattern[str]] = {}
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if module.name.rpartition(".")[2] != "__main__":
                found |= _patterns_of(importlib.import_module(module.name), module.name)
    return found


def _patterns_of(module: Any, name: str) -> dict[str, re.Pattern[str]]:
    holders = [("", vars(module))]
    holders += [
        (f"{key}.", vars(value))
        for key, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == name
    ]
    return {
        f"{name}.{prefix}{place}": pattern
        for prefix, values in holders
        for key, value in values.items()
        for place, pattern in _within(key, value)
    }


def _within(place: str, value: Any, depth: int = 0) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield place, value
    elif depth < 3 and isinstance(value, dict):
        for key, inner in value.items():
            yield from _within(f"{place}[{key!r}]", inner, depth + 1)
    elif depth < 3 and isinstance(value, list | tuple | set | frozenset):
        for number, inner in enumerate(value):
            yield from _within(f"{place}[{number}]", inner, depth + 1)


def patterns_out_of_sight() -> list[str]:
    """Where the project's source uses a pattern that `patterns` does not find: given as text, or compiled in a
    function."""
    return sorted(
        f"{file.relative_to(HOUSE)}:{line}: {what}"
        for room in ROOMS
        for file in (HOUSE / room).rglob("*.py")
        for line, what in _out_of_sight(ast.parse(file.read_text(encoding="utf-8")))
    )


def _out_of_sight(tree: ast.Module) -> Iterator[tuple[int, str]]:
    within = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
        if inner is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "re":
            yield node.lineno, "imports from re: use the module, so that its uses are seen"
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
            continue
        if node.func.attr in BY_NAME:
            yield node.lineno, f"re.{node.func.attr} with a pattern as text"
        elif node.func.attr == "compile" and id(node) in within:
            yield node.lineno, f"a pattern made in a function: {ast.unparse(node)[:80]}"


def attacks(pattern: re.Pattern[str], size: int) -> Iterator[str]:
    """Texts of so many characters that feed the pattern's repeats, alone and one after the other, and then fail it."""
    tree = parser.parse(pattern.pattern, pattern.flags)
    pumps = _unique(_pumps(list(tree)))
    words = _unique(_words(list(tree)))
    bodies = [piece for before, body in pumps for piece in (body, before + body)] + words
    bodies = [body for body in _unique(bodies) if body]
    letters = _unique([*"".join(bodies)[:4000], *" aA0.-_\\\"'@:/<\n\t\u00e9"])
    texts: Iterable[str] = itertools.chain(
        (before + _repeated(body, size) for before, body in pumps if body),
        (_repeated(body, size) for body in bodies),
        (_repeated(letter, size) for letter in letters),
        (_repeated(f"{body} ", size) for body in bodies),
        (_repeated(one + two, size) for one, two in itertools.product(letters[:25], letters[:25]) if one != two),
        (body + _repeated(letter, size) for body in bodies[:12] for letter in letters[:12]),
    )
    for text in itertools.islice(texts, MAX_ATTACKS):
        cut = text[: size - 1]
        yield cut
        yield cut + "\x01"


def _repeated(body: str, size: int) -> str:
    return body * (size // len(body) + 1)


def _unique(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _pumps(items: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """For each repeat: what leads to it, and each of the texts that one turn of it may take."""
    lead = before
    for kind, value in items:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            _least, most, inner = value
            if most is op.MAXREPEAT or most >= LONG:
                for body in _samples(list(inner))[:4]:
                    yield lead, body
            yield from _pumps(list(inner), lead)
        elif kind is op.SUBPATTERN:
            yield from _pumps(list(value[-1]), lead)
        elif kind is op.ATOMIC_GROUP:
            yield from _pumps(list(value), lead)
        elif kind is op.BRANCH:
            for branch in value[1]:
                yield from _pumps(list(branch), lead)
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            yield from _pumps(list(value[1]), lead)
        lead += _sample([(kind, value)])


def _words(items: list[Any]) -> Iterator[str]:
    """Each way of fulfilling the pattern's first choices, in full."""
    yield _sample(items)
    for number, (kind, value) in enumerate(items):
        branches = value[1] if kind is op.BRANCH else []
        if kind is op.SUBPATTERN:
            branches = [inner for inner in [value[-1]]]
        before, after = _sample(items[:number]), _sample(items[number + 1 :])
        for branch in branches:
            for word in itertools.islice(_words(list(branch)), 60):
                yield word
                yield before + word
                yield before + word + after[:-1]


def _samples(items: list[Any]) -> list[str]:
    """A few different texts that fulfil these parts."""
    made = [_sample(items)]
    for number, (kind, value) in enumerate(items):
        before, after = _sample(items[:number]), _sample(items[number + 1 :])
        if kind is op.BRANCH:
            made += [before + _sample(list(branch)) + after for branch in value[1][:4]]
        elif kind is op.SUBPATTERN:
            made += [before + inner + after for inner in _samples(list(value[-1]))]
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            made += [before + inner * max(1, value[0]) + after for inner in _samples(list(value[2]))]
        elif kind is op.IN:
            made += [before + char + after for char in _chars(value)]
    return _unique(made)


def _sample(items: list[Any]) -> str:
    return "".join(_sample_of(kind, value) for kind, value in items)


def _sample_of(kind: Any, value: Any) -> str:
    if kind is op.LITERAL:
        return chr(value)
    if kind is op.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if kind is op.ANY:
        return "a"
    if kind is op.IN:
        return next(iter(_chars(value)), "a")
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return _sample(list(value[2])) * max(1, min(value[0], 20))
    if kind is op.SUBPATTERN:
        return _sample(list(value[-1]))
    if kind is op.ATOMIC_GROUP:
        return _sample(list(value))
    if kind is op.BRANCH:
        return _sample(list(value[1][0]))
    return ""


_OF_CATEGORY = {
    op.CATEGORY_SPACE: " ",
    op.CATEGORY_NOT_SPACE: "x",
    op.CATEGORY_DIGIT: "1",
    op.CATEGORY_NOT_DIGIT: "x",
    op.CATEGORY_WORD: "w",
    op.CATEGORY_NOT_WORD: "-",
}


def _chars(members: list[Any]) -> list[str]:
    """A few characters of a set."""
    if members and members[0][0] is op.NEGATE:
        out = {char for kind, value in members[1:] for char in _chars([(kind, value)])}
        return [char for char in "a.1\\ -" if char not in out][:3] or ["\u00e9"]
    found = []
    for kind, value in members:
        if kind is op.LITERAL:
            found.append(chr(value))
        elif kind is op.RANGE:
            found.append(chr(value[0]))
        elif kind is op.CATEGORY:
            found.append(_OF_CATEGORY[value])
    return found[:6]
