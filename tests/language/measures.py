"""How plain the words of the code and the documents are: shares, with the places where they are not."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.language.words import ARCHAIC, FILLERS, is_participle

HOUSE = Path(__file__).parents[2]
ROOMS = ("api", "bootstrap", "cli", "domain", "evals", "graph", "nodes", "runtime", "storage", "tools")
_ARCHAIC = re.compile(rf"\b(?:{'|'.join(ARCHAIC)})\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_CONSTANT = re.compile(r"_?(?:MOST|LONGEST|LARGEST|BIGGEST)_[A-Z0-9_]+")


@dataclass
class Findings:
    """What is not plain, by word; a share of `total`, in `per` of them."""

    title: str
    unit: str
    goal: float
    per: int = 100
    total: int = 0
    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, word: str, place: str) -> None:
        self.places.setdefault(word, []).append(place)

    @property
    def share(self) -> float:
        return self.per * sum(map(len, self.places.values())) / max(self.total, 1)

    def most_common(self, number: int) -> list[tuple[str, list[str]]]:
        return sorted(self.places.items(), key=lambda found: (-len(found[1]), found[0]))[:number]


def measure() -> list[Findings]:
    """All measures, in the order in which they are printed."""
    return [
        measure_functions(),
        measure_variables(),
        measure_sentences(),
        measure_classes(),
        measure_limits(),
    ]


@cache
def _sources() -> list[tuple[str, str]]:
    files = sorted(file for room in ROOMS for file in (HOUSE / room).rglob("*.py"))
    return [(str(file.relative_to(HOUSE)), file.read_text(encoding="utf-8")) for file in files]


@cache
def _trees() -> list[tuple[str, ast.Module]]:
    return [(name, ast.parse(text)) for name, text in _sources()]


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for name, tree in _trees():
        for node in ast.walk(tree):
            yield name, node


def measure_functions() -> Findings:
    """Functions whose whole name is a participle: a function is a verb with its object."""
    findings = Findings("participles as function names", "% of functions", 1)
    for file, node in _nodes():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            findings.total += 1
            if is_participle(node.name.strip("_")):
                findings.add(node.name.strip("_"), f"{file}:{node.lineno}")
    return findings


def measure_variables() -> Findings:
    """Variables and parameters that are a participle or a filler: a variable is a noun."""
    findings = Findings("participles and fillers as variables", "% of variables", 0.5)
    for file, node in _nodes():
        name, line = _variable(node)
        if name is not None:
            findings.total += 1
            if is_participle(name.strip("_")) or name.strip("_") in FILLERS:
                findings.add(name.strip("_"), f"{file}:{line}")
    return findings


def _variable(node: ast.AST) -> tuple[str | None, int]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id, node.lineno
    return (node.arg, node.lineno) if isinstance(node, ast.arg) else (None, 0)


def measure_sentences() -> Findings:
    """Archaic turns in comments, docstrings, other texts of the code, and documents."""
    findings = Findings("archaic turns", "per 1,000 words", 1.5, per=1000)
    for place, text in _texts():
        findings.total += len(_WORD.findall(text))
        for turn in _ARCHAIC.findall(text):
            findings.add(turn.lower(), place)
    return findings


def _texts() -> Iterator[tuple[str, str]]:
    for file, source in _sources():
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            is_text = token.type == tokenize.STRING and " " in token.string
            if token.type == tokenize.COMMENT or is_text:
                yield f"{file}:{token.start[0]}", token.string
    for document in [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")]:
        yield str(document.relative_to(HOUSE)), _CODE.sub("", document.read_text(encoding="utf-8"))


def measure_classes() -> Findings:
    """Names that more than one class has."""
    findings = Findings("class names that stand twice", "classes", 0, per=1, total=1)
    places: dict[str, list[str]] = {}
    for file, node in _nodes():
        if isinstance(node, ast.ClassDef):
            places.setdefault(node.name, []).append(f"{file}:{node.lineno}")
    for name, found in places.items():
        for place in found[1:]:
            findings.add(name, f"{place} and {found[0]}")
    return findings


def measure_limits() -> Findings:
    """Limits that are not called MAX_."""
    findings = Findings("limits under other names than MAX_", "constants", 0, per=1, total=1)
    for file, node in _nodes():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and _CONSTANT.fullmatch(node.id):
            findings.add(node.id, f"{file}:{node.lineno}")
    return findings
