"""Plain JSON, as it lies in the ledger, in rows and in the state, with as much of its type as can be told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]

if TYPE_CHECKING:

    class PlainAction(TypedDict):
        """An action of the closed union as plain JSON."""

        name: str
        arguments: JsonObject

else:  # pydantic reads TypedDict of the standard library only from Python 3.12 on
    PlainAction = dict[str, Any]


def as_json(actions: Sequence[PlainAction]) -> list[JsonValue]:
    """Actions as they stand among other plain JSON."""
    return [{"name": one["name"], "arguments": one["arguments"]} for one in actions]


def restated_event(action: PlainAction) -> JsonObject | None:
    """The event that an action puts in place of a report; None where it restates none."""
    event = action["arguments"].get("event") if action["name"] == "restate_event" else None
    return event if isinstance(event, dict) else None


def party_written_to(action: PlainAction) -> str | None:
    """Whom an action writes to; None where it names nobody."""
    party = action["arguments"].get("team", action["arguments"].get("to"))
    return None if party is None else str(party)
