"""What a field of an event or of a line holds, said where the field is declared. What must know all fields of a kind
(which days are local, which words are replaced in a recording, what a change order is about, how a fork is compared)
is derived from these markers (`fields_of`, `line_fields`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class LocalDay:
    """A calendar day; a moment is that day in the building's zone."""

    is_events_own: bool = False
    """The day on which what the event tells of happened: business time, where the event says no other."""


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


@dataclass(frozen=True)
class OfLine:
    """What a field of a line of the procurement log is."""

    origin: Literal["name", "posted", "ordered", "derived", "noted"]
    """name: what it is called. posted: people say it (`ItemSpec`). ordered: they say it, and its order repeats it:
    once it is ordered, another value is a change order. derived: it follows from facts, the schedule or the order.
    noted: the agent's own note of what it did or was told."""
    compared: Literal["as_state", "as_day", "no"] = "no"
    """Whether it is shown where a fork differs from reality: as one of its states, or as a day."""
    counts: bool = False
    """Its facts are gone through again when it changes."""


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


@cache
def line_fields(model: type[BaseModel]) -> Mapping[str, OfLine]:
    """The fields of a row of the log with what they are, in their order.

    Raises:
        TypeError: a field does not say what it is.
    """
    found: dict[str, OfLine] = {}
    for name, info in model.model_fields.items():
        marked = next((one for one in info.metadata if isinstance(one, OfLine)), None)
        if marked is None:
            raise TypeError(f"{model.__name__}.{name} does not say what it is: give it a marker OfLine")
        found[name] = marked
    return found


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
