"""Everything the agent can do: a closed union of typed actions. Nothing outside it can happen.

One file for each action: its arguments, its shape, and all that is known of it (kinds.py). The registry finds the
files, and every set and table over actions follows from it.
"""

from typing import Annotated, cast

from pydantic import Field, TypeAdapter

from domain.actions.accept_as_is import AcceptAsIs
from domain.actions.cancel_purchase_order import CancelPurchaseOrder
from domain.actions.change_project_end import ChangeProjectEnd, ProjectEndArguments
from domain.actions.change_required_by import ChangeRequiredBy, RequiredByArguments
from domain.actions.complete_item import CompleteArguments, CompleteItem
from domain.actions.dismiss_event import DismissArguments, DismissEvent
from domain.actions.expedite_order import ExpediteArguments, ExpediteOrder
from domain.actions.flag_potential_issue import FlagArguments, FlagPotentialIssue
from domain.actions.grant_delegation import DelegationArguments, GrantDelegation
from domain.actions.hold_item import HoldArguments, HoldItem
from domain.actions.issue_purchase_order import IssuePurchaseOrder
from domain.actions.notify_team import NotifyArguments, NotifyTeam
from domain.actions.remove_item import RemoveItem
from domain.actions.reorder_item import ReorderItem
from domain.actions.repair_item import RepairItem
from domain.actions.request_information import InformationArguments, RequestInformation
from domain.actions.restate_event import RestateArguments, RestateEvent
from domain.actions.return_item import ReturnItem
from domain.actions.revise_purchase_order import RevisedLine, ReviseOrderArguments, RevisePurchaseOrder
from domain.actions.schedule_inspection import InspectionArguments, ScheduleInspection
from domain.actions.shapes import ItemArguments, NoteArguments, OrderArguments
from domain.actions.start_tracking import StartTracking
from domain.outside import MAX_NAME, own_words
from domain.plain_json import FactValue, JsonObject, PlainAction
from domain.text import ON_FILE

__all__ = [
    "ACTION",
    "ACTIONS",
    "ACTION_NAMES",
    "Action",
    "CompleteArguments",
    "DelegationArguments",
    "DismissArguments",
    "ExpediteArguments",
    "FlagArguments",
    "HoldArguments",
    "InformationArguments",
    "InspectionArguments",
    "IssuePurchaseOrder",
    "ItemArguments",
    "NoteArguments",
    "NotifyArguments",
    "OrderArguments",
    "ProjectEndArguments",
    "RequiredByArguments",
    "RestateArguments",
    "ReviseOrderArguments",
    "RevisePurchaseOrder",
    "RevisedLine",
    "action",
    "item_of",
    "items_named",
    "on_file",
    "places_of_items",
    "plain",
]

Action = Annotated[
    IssuePurchaseOrder
    | ReorderItem
    | CancelPurchaseOrder
    | RevisePurchaseOrder
    | StartTracking
    | FlagPotentialIssue
    | NotifyTeam
    | ScheduleInspection
    | ChangeRequiredBy
    | ChangeProjectEnd
    | RemoveItem
    | ExpediteOrder
    | RepairItem
    | ReturnItem
    | AcceptAsIs
    | HoldItem
    | CompleteItem
    | RequestInformation
    | RestateEvent
    | DismissEvent
    | GrantDelegation,
    Field(discriminator="name"),
]
ACTION: TypeAdapter[Action] = TypeAdapter(Action)
ACTIONS: TypeAdapter[list[Action]] = TypeAdapter(list[Action])
ACTION_NAMES: tuple[str, ...] = tuple(ACTION.json_schema()["discriminator"]["mapping"])


def action(name: str, **arguments: FactValue) -> PlainAction:
    """An action of our own as plain JSON, the shape it has everywhere: `{"name", "arguments"}`.

    It is made of facts that were accepted before, so it must not fail for what they say: words are cut to length, and
    days may lie where days from outside may not.
    """
    fitting = {key: _fitting(key, value) for key, value in arguments.items()}
    return plain(ACTION.validate_python({"name": name, "arguments": fitting}, context=ON_FILE))


def on_file(made: PlainAction) -> PlainAction:
    """An action that is on file, or made of what is on file, as plain JSON."""
    return plain(ACTION.validate_python(made, context=ON_FILE))


_WORDS = {"message", "question", "detail", "reason", "note"}


def _fitting(key: str, value: FactValue) -> FactValue:
    if key in _WORDS and isinstance(value, str):
        return own_words(value)
    return own_words(value, MAX_NAME) if key in ("method", "to", "team") and isinstance(value, str) else value


def plain(made: Action) -> PlainAction:
    """An action as plain JSON, without absent arguments."""
    return cast(PlainAction, made.model_dump(mode="json", exclude_none=True))


def item_of(made: PlainAction) -> str | None:
    """The item that a plain action names, where it names one; the first of an order that is revised."""
    return next(iter(items_named(made)), None)


def items_named(made: PlainAction) -> list[str]:
    """The items that a plain action names: one or none, or each line of an order that is revised."""
    return list(dict.fromkeys(str(place["item"]) for place in places_of_items(made)))


def places_of_items(made: PlainAction) -> list[JsonObject]:
    """The objects of a plain action that name an item: its arguments, or the lines among them."""
    arguments = made["arguments"]
    lines = arguments.get("lines")
    places = (
        [arguments, *(line for line in lines if isinstance(line, dict))] if isinstance(lines, list) else [arguments]
    )
    return [place for place in places if place.get("item") is not None]
