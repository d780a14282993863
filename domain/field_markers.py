"""What a field of an event holds, said where the field is declared. What must know all fields of a kind (which days are
local, which words are replaced in a recording) is derived from these markers (`fields_marked`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class LocalDay:
    """A calendar day; a moment is that day in the building's zone."""


@dataclass(frozen=True)
class OutsideText:
    """Words that somebody wrote: quoted with care, and replaced in a recording without names."""


@dataclass(frozen=True)
class Identifier:
    """A number, an address or a name by which others know something. `stand_in` is what it is called in a recording
    without names, with a number in place of the braces."""

    stand_in: str


@dataclass(frozen=True)
class LineName:
    """Names a line of the procurement log, or something else that is named in it."""


@dataclass(frozen=True)
class Plain:
    """A word or a figure that says nothing about anybody, such as a unit."""


@dataclass(frozen=True)
class Price:
    """An amount of money: multiplied in a recording without names."""


Marker = LocalDay | OutsideText | Identifier | LineName | Plain | Price


@dataclass(frozen=True)
class MarkedField:
    """A field of a model, or of a part of it, with its marker; None where it has none."""

    model: type[BaseModel]
    name: str
    info: FieldInfo
    marker: Marker | None


@cache
def fields_of(model: type[BaseModel]) -> tuple[MarkedField, ...]:
    """The fields of a model and of all its parts, each once."""
    found: list[MarkedField] = []
    waiting, seen = [model], {model}
    while waiting:
        current = waiting.pop()
        for name, info in current.model_fields.items():
            found.append(MarkedField(current, name, info, _marker(info)))
            parts = [part for part in _parts(info.annotation) if part not in seen]
            seen.update(parts)
            waiting.extend(parts)
    return tuple(found)


def _marker(info: FieldInfo) -> Marker | None:
    """The outermost marker: what a field says of itself goes before what its type says."""
    own = [one for one in info.metadata if isinstance(one, Marker)]
    return own[-1] if own else next(_markers(info.annotation), None)


def _markers(annotation: Any) -> Iterator[Marker]:
    for one in getattr(annotation, "__metadata__", ()):
        if isinstance(one, Marker):
            yield one
    for inner in get_args(annotation):
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            yield from _markers(inner)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)
