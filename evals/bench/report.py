"""What a benchmark comes to: figures with their aims, as a table for people and as JSON for programs."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NotRequired, TypeAlias, TypedDict

from rich.table import Table

Tell = Callable[[str], None]
"""Tells people what is going on now."""

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<": operator.lt, "<=": operator.le}


Detail: TypeAlias = "float | str | Cost | Sequence[Detail] | Mapping[str, Detail] | None"
"""What goes into the JSON beside the figures."""


@dataclass(frozen=True)
class StatementCost:
    """What one statement costs an event."""

    query: str
    per_event: float
    ms_per_event: float


@dataclass(frozen=True)
class Cost:
    """What an event costs the database."""

    statements: float
    execution_ms: float
    transactions: float
    log_kb: float
    top: Sequence[StatementCost]


class PlainFigure(TypedDict):
    """A figure as JSON."""

    what: str
    value: float
    unit: str
    aim: NotRequired[str]
    met: NotRequired[bool]


class PlainResult(TypedDict):
    """A result as JSON."""

    figures: list[PlainFigure]
    details: dict[str, Detail]


@dataclass(frozen=True)
class Aim:
    """What a figure should be."""

    comparison: str
    value: float

    def met(self, value: float) -> bool:
        return _COMPARISONS[self.comparison](value, self.value)

    def __str__(self) -> str:
        return f"{self.comparison} {_shown(self.value)}"


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    what: str
    value: float
    unit: str = ""
    aim: Aim | None = None

    @property
    def met(self) -> bool | None:
        return None if self.aim is None else self.aim.met(self.value)

    def plain(self) -> PlainFigure:
        made: PlainFigure = {"what": self.what, "value": self.value, "unit": self.unit}
        if self.aim is not None:
            made |= {"aim": str(self.aim), "met": self.aim.met(self.value)}
        return made


@dataclass
class Result:
    """What one benchmark measured; `details` go into the JSON only."""

    name: str
    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Detail] = field(default_factory=dict)

    def add(self, what: str, value: float, unit: str = "", aim: Aim | None = None) -> None:
        self.figures.append(Figure(what, value, unit, aim))

    def plain(self) -> PlainResult:
        return {"figures": [figure.plain() for figure in self.figures], "details": self.details}


def table(results: list[Result]) -> Table:
    """The figures of all benchmarks, one line each."""
    made = Table(title="Benchmarks", title_justify="left")
    for column in ("benchmark", "figure"):
        made.add_column(column)
    made.add_column("value", justify="right")
    made.add_column("unit")
    made.add_column("aim")
    made.add_column("met")
    for result in results:
        for number, figure in enumerate(result.figures):
            first, last = number == 0, number == len(result.figures) - 1
            made.add_row(result.name if first else "", *_cells(figure), end_section=last)
    return made


def _cells(figure: Figure) -> tuple[str, ...]:
    met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[figure.met]
    return (figure.what, _shown(figure.value), figure.unit, "" if figure.aim is None else str(figure.aim), met)


def _shown(value: float) -> str:
    if value == int(value) and abs(value) >= 1:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
