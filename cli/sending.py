"""Sending of many events that stopped: which one was not taken, what is stored, and how to go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.client import RefusedError, UnansweredError
from cli.files import Given
from cli.sentences import CommandError

if TYPE_CHECKING:  # help needs none of pydantic
    from pydantic import JsonValue

    from domain.plain_json import JsonObject

MAX_NAMED = 10
"""Positions that are listed; of more it is said how many there are."""


@dataclass(frozen=True)
class Failure:
    """The event at which sending stopped."""

    given: Sequence[Given]
    first: int
    """Position from which it was sent."""
    stored: int
    """How many of those were stored before it."""
    error: CommandError

    @property
    def at(self) -> Given:
        return self.given[self.first - 1 + self.stored]

    @property
    def maybe_stored(self) -> bool:
        """Whether the event itself may be stored: its answer was lost."""
        unsure = isinstance(self.error, RefusedError) and self.error.status >= 500
        return unsure or isinstance(self.error, UnansweredError)

    def describe(self, building: str) -> str:
        """One paragraph. Of a single event only what the service said."""
        if len(self.given) == 1 and not self.maybe_stored:
            return self.error.detail
        place = f"Event {self.at.position} of {len(self.given)}"
        named = ", ".join([*([f"line {self.at.line}"] if self.at.line else []), *_name_event(self.at.event)])
        what = "got no answer" if self.maybe_stored else "was not stored"
        return " ".join(
            [
                f"{place} ({named}) {what}: {_end_sentence(self.error.detail)}",
                self._count_stored(),
                self._advise(building),
            ]
        )

    def to_json(self) -> "JsonObject":
        """The same for programs."""
        return {
            "position": self.at.position,
            "line": self.at.line,
            **{name: _read_field(self.at.event, name) for name in ("event_type", "event_id", "source")},
            "status": self.error.status if isinstance(self.error, RefusedError) else None,
            "detail": self.error.detail,
            "maybe_stored": self.maybe_stored,
            "stored_before": self.stored,
            "go_on_from": self.at.position,
            "stored_without_id": [*self._find_nameless()],
        }

    def _count_stored(self) -> str:
        if not self.stored:
            return "None before it was stored." if self.first == 1 else "Nothing was stored this time."
        return f"{self.stored} before it {'is' if self.stored == 1 else 'are'} stored."

    def _advise(self, building: str) -> str:
        again = f"--from {self.at.position}"
        if self.maybe_stored and not _has_id(self.at.event):
            return (
                f"It has no event_id: see with `longlead events list {building}` whether it is stored before you send "
                f"it again with {again}."
            )
        without = self._find_nameless()
        if without:
            return (
                f"Go on with {again}: sent again, {_list_positions(without)} would be stored twice, having no event_id."
            )
        return f"Go on with {again}, or send all of it again: events with an event_id are stored once."

    def _find_nameless(self) -> list[int]:
        """Positions of stored events that would be stored a second time."""
        sent = self.given[self.first - 1 : self.first - 1 + self.stored]
        return [one.position for one in sent if not _has_id(one.event)]


def _name_event(event: "JsonValue") -> list[str]:
    """What people know an event by."""
    kind, name, source = (_read_field(event, name) for name in ("event_type", "event_id", "source"))
    told = [str(kind) if kind else "no event_type", f"event_id {name!r}" if name else "no event_id"]
    return told + ([f"source {source!r}"] if source else [])


def _read_field(event: "JsonValue", name: str) -> str | int | None:
    value = event.get(name) if isinstance(event, dict) else None
    return value if isinstance(value, (str, int)) else None


def _has_id(event: "JsonValue") -> bool:
    return bool(_read_field(event, "event_id"))


def _list_positions(positions: Sequence[int]) -> str:
    if len(positions) == 1:
        return f"event {positions[0]}"
    shown = ", ".join(map(str, positions[:MAX_NAMED]))
    return f"events {shown}" + (f" and {len(positions) - MAX_NAMED} more" if len(positions) > MAX_NAMED else "")


def _end_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
