"""Plain JSON, as it lies in the ledger, in rows and in the state, with as much of its type as can be told."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import GetCoreSchemaHandler, JsonValue


class _TakenAsItIs:
    """Plain JSON was checked when it came in: pydantic need not go through it again in every node and for every row."""

    def __get_pydantic_core_schema__(self, _source: type, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(dict[str, Any])


JsonObject = dict[str, JsonValue]
KnownJson = Annotated[JsonObject, _TakenAsItIs()]
"""One that a model takes over from the state, a row or the ledger, as it lies there."""
PlainObject = Mapping[str, JsonValue]
"""One that is only read."""
FactValue = str | int | float | Decimal | date | Sequence["FactValue"] | Mapping[str, "FactValue"] | None
"""What facts are made of: plain JSON, days and exact amounts, however deep."""

if TYPE_CHECKING:

    class PlainAction(TypedDict):
        """An action of the closed union as plain JSON."""

        name: str
        arguments: JsonObject

    class AnswerOnRecord(TypedDict, total=False):
        """An accepted answer as its question keeps it: a `Decision`, by which event it came, and what became of it."""

        type: str
        responder: JsonObject
        actions: list[PlainAction]
        why: str
        confidence: float | None
        tokens: int | None
        title: str
        rule_id: str | None
        template: list[PlainAction]
        occurred_at: str | None
        mandate: JsonObject | None
        reading: JsonObject | None
        event_id: str
        status: str
        at: str

else:  # pydantic reads TypedDict of the standard library only from Python 3.12 on
    PlainAction = dict[str, Any]
    AnswerOnRecord = KnownJson


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


def object_in(plain: PlainObject, name: str) -> JsonObject:
    """The object of this name; empty where there is none."""
    value = plain.get(name)
    return value if isinstance(value, dict) else {}


def objects_in(plain: PlainObject, name: str) -> list[JsonObject]:
    """The objects in the list of this name; none where there is no such list."""
    value = plain.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts_in(plain: PlainObject, name: str) -> list[str]:
    """The texts in the list of this name; none where there is no such list."""
    value = plain.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def number_in(plain: PlainObject, name: str) -> int | None:
    """The whole number of this name; None where there is none."""
    value = plain.get(name)
    return value if isinstance(value, int) else None


def text_in(plain: PlainObject, name: str) -> str | None:
    """The text of this name; None where there is none."""
    value = plain.get(name)
    return value if isinstance(value, str) else None
