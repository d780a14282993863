"""Everything the agent can do: a closed union of typed actions. Nothing outside it can happen."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_serializer, field_validator, model_validator

from domain.buildings import Strict
from domain.events import Event
from domain.money import Currency
from domain.outside import MAX_NAME, own_words
from domain.policy import PERSONS_OWN, DelegableKind
from domain.procurement import ContactRole
from domain.text import ON_FILE, Money, Name, PlannedDay, Quantity, Text

Band = Literal["clear", "tight", "conflict"]


class ItemArguments(Strict):
    item: Name = Field(description="Item id or name.")


class OrderArguments(ItemArguments):
    quantity: Quantity | None = Field(None, description="How much; the line's quantity when absent.")
    reason: Text | None = Field(None, description="Why.")


class FlagArguments(ItemArguments):
    band: Band = Field(description="The schedule band that was reached.")
    detail: Text = Field(description="What a reader must know, with the dates.")


class NotifyArguments(Strict):
    team: Name = Field(description="Role or team, such as receiving or project_manager.")
    message: Text = Field(description="The message.")
    item: Name | None = Field(None, description="The line it is about.")


class InspectionArguments(ItemArguments):
    on: PlannedDay = Field(description="The day of the inspection.")


class RequiredByArguments(ItemArguments):
    required_by: PlannedDay = Field(description="The new day it is required on site.")


class ProjectEndArguments(Strict):
    end_date: PlannedDay = Field(description="The new project end.")


class ExpediteArguments(ItemArguments):
    method: Name | None = Field(None, description="How, such as air freight or overtime at the factory.")


class NoteArguments(ItemArguments):
    note: Text | None = Field(None, description="What to keep with it.")


class HoldArguments(ItemArguments):
    until: PlannedDay | None = Field(None, description="Ask again on this day; after the policy's time when absent.")
    note: Text | None = Field(None, description="Why.")


class InformationArguments(ItemArguments):
    to: Name = Field(description="Who is asked: vendor, project_manager, ...")
    question: Text = Field(description="The question.")
    contact: ContactRole | None = Field(
        None,
        description="Whom at the vendor: orders, logistics or escalation. When absent, orders before the item is "
        "ordered, and logistics after.",
    )


class CompleteArguments(ItemArguments):
    vendor_id: Name | None = Field(None, description="Id or name of the vendor that it is ordered from.")
    unit_price: Money | None = Field(None, description="Price for one unit, without tax.")
    currency: Currency | None = Field(None, description="Of the price; the line's when absent.")
    quantity: Quantity | None = Field(None, description="How much is to be ordered.")

    @model_validator(mode="after")
    def _fills_something_in(self) -> Self:
        if self.vendor_id is None and self.unit_price is None and self.quantity is None:
            raise ValueError("give vendor_id, unit_price or quantity")
        return self


class RevisedLine(ItemArguments):
    quantity: Quantity | None = Field(None, description="The new quantity; as ordered when absent.")
    unit_price: Money | None = Field(None, description="The new price for one unit; as ordered when absent.")
    required_by: PlannedDay | None = Field(None, description="The new required day; as ordered when absent.")


class ReviseOrderArguments(Strict):
    order: Name = Field(description="Number of the purchase order.")
    lines: list[RevisedLine] = Field(min_length=1, max_length=100, description="The lines that change.")
    reason: Text | None = Field(None, description="Why.")


class RestateArguments(Strict):
    event: Event = Field(description="The event as it should have been sent.")


class DismissArguments(Strict):
    note: Text | None = Field(None, description="Why nothing needs doing.")


class DelegationArguments(Strict):
    kind: DelegableKind = Field(description="The kind of question that may be decided without asking.")
    actions: list[Name] = Field(min_length=1, max_length=20, description="Names of the actions that may be taken.")
    item: Name | None = Field(None, description="Only for this line.")
    category: Name | None = Field(None, description="Only for lines of this category.")
    vendor_id: Name | None = Field(None, description="Only for lines of this vendor.")
    about: Name | None = Field(None, description="Only for this unknown name, sender, kind of exception, milestone.")
    amount_limit: Money | None = Field(
        None, description="Most that one decision may commit, in the building's currency; po_limit when absent."
    )
    days: int | None = Field(None, ge=1, le=3650, description="For so many days; until it is revoked when absent.")

    @field_validator("actions")
    @classmethod
    def _can_be_delegated(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in ACTION_NAMES or name in PERSONS_OWN:
                raise ValueError(f"{name!r} is not an action that can be delegated")
        return names

    @field_serializer("amount_limit", when_used="json-unless-none")
    def _exact(self, value: Decimal) -> str:
        return str(value)


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IssuePurchaseOrder(_Action):
    """Order the item: a new purchase order, once for each item and round."""

    name: Literal["issue_purchase_order"]
    arguments: OrderArguments


class ReorderItem(_Action):
    """Order a replacement: opens the item's next round with an order of its own."""

    name: Literal["reorder_item"]
    arguments: OrderArguments


class CancelPurchaseOrder(_Action):
    """Cancel the item's current order."""

    name: Literal["cancel_purchase_order"]
    arguments: OrderArguments


class RevisePurchaseOrder(_Action):
    """Change order: the order's next revision, with other quantities, prices or required days."""

    name: Literal["revise_purchase_order"]
    arguments: ReviseOrderArguments


class StartTracking(_Action):
    """Expect the milestones of the current order: acknowledge, ship, arrive, inspect."""

    name: Literal["start_tracking"]
    arguments: ItemArguments


class FlagPotentialIssue(_Action):
    """Raise a flag on the line that people see."""

    name: Literal["flag_potential_issue"]
    arguments: FlagArguments


class NotifyTeam(_Action):
    """Tell a team."""

    name: Literal["notify_team"]
    arguments: NotifyArguments


class ScheduleInspection(_Action):
    """Plan the inspection of what has arrived and was not inspected."""

    name: Literal["schedule_inspection"]
    arguments: InspectionArguments


class ChangeRequiredBy(_Action):
    """Change the day the item is required: a new version of the schedule."""

    name: Literal["change_required_by"]
    arguments: RequiredByArguments


class ChangeProjectEnd(_Action):
    """Change the project's end: a new version of the schedule."""

    name: Literal["change_project_end"]
    arguments: ProjectEndArguments


class RemoveItem(_Action):
    """Take the line out of the procurement log and the schedule."""

    name: Literal["remove_item"]
    arguments: NoteArguments


class ExpediteOrder(_Action):
    """Have the vendor speed the order up."""

    name: Literal["expedite_order"]
    arguments: ExpediteArguments


class RepairItem(_Action):
    """NCR disposition repair: mend it, then inspect it again."""

    name: Literal["repair_item"]
    arguments: NoteArguments


class ReturnItem(_Action):
    """NCR disposition return: send it back to the vendor."""

    name: Literal["return_item"]
    arguments: NoteArguments


class AcceptAsIs(_Action):
    """NCR disposition use-as-is, or accepting the vendor's terms as they are."""

    name: Literal["accept_as_is"]
    arguments: NoteArguments


class HoldItem(_Action):
    """Do nothing with the item for now, and ask again later."""

    name: Literal["hold_item"]
    arguments: HoldArguments


class CompleteItem(_Action):
    """Fill in the vendor, the price or the quantity of a line that is not ordered; the order follows."""

    name: Literal["complete_item"]
    arguments: CompleteArguments


class RequestInformation(_Action):
    """Ask the vendor or somebody on the project a question."""

    name: Literal["request_information"]
    arguments: InformationArguments


class RestateEvent(_Action):
    """Say what an unclear event really was: it enters the inbox as the event given."""

    name: Literal["restate_event"]
    arguments: RestateArguments


class DismissEvent(_Action):
    """Leave what was reported as it is: nothing needs doing."""

    name: Literal["dismiss_event"]
    arguments: DismissArguments


class GrantDelegation(_Action):
    """Allow the agent to decide a kind of question without asking, within bounds. Only a person does that."""

    name: Literal["grant_delegation"]
    arguments: DelegationArguments


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


def action(name: str, **arguments: Any) -> dict[str, Any]:
    """An action of our own as plain JSON, the shape it has everywhere: `{"name", "arguments"}`.

    It is made of facts that were accepted before, so it must not fail for what they say: words are cut to length, and
    days may lie where days from outside may not.
    """
    fitting = {key: _fitting(key, value) for key, value in arguments.items()}
    return on_file({"name": name, "arguments": fitting})


def on_file(made: dict[str, Any]) -> dict[str, Any]:
    """An action that is on file, or made of what is on file, as plain JSON."""
    return plain(ACTION.validate_python(made, context=ON_FILE))


_WORDS = {"message", "question", "detail", "reason", "note"}


def _fitting(key: str, value: Any) -> Any:
    if key in _WORDS and isinstance(value, str):
        return own_words(value)
    return own_words(value, MAX_NAME) if key in ("method", "to", "team") and isinstance(value, str) else value


def plain(made: Action) -> dict[str, Any]:
    """An action as plain JSON, without absent arguments."""
    return made.model_dump(mode="json", exclude_none=True)


def item_of(made: dict[str, Any]) -> str | None:
    """The item that a plain action names, where it names one; the first of an order that is revised."""
    return next(iter(items_named(made)), None)


def items_named(made: dict[str, Any]) -> list[str]:
    """The items that a plain action names: one or none, or each line of an order that is revised."""
    arguments = made["arguments"]
    named = [line.get("item") for line in arguments.get("lines", ())] or [arguments.get("item")]
    return list(dict.fromkeys(str(item) for item in named if item is not None))
