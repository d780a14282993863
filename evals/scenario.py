"""A scenario as data: a building, what happened to it and what people answered, and what the agent must make of it.

The schema of `evals/scenarios/*.yaml`, explained in docs/evals.md. The demo plays one of them over HTTP.
"""

from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from domain.approvals import ApprovalKind, DecisionBody
from domain.buildings import BuildingSpec, Strict, Vendor, VendorPatch
from domain.line_names import LineNames
from domain.plain_json import JsonObject
from domain.policy import ResponderType
from domain.rules import Autonomy
from domain.text import Name, Slug, slug
from evals.expected import Asked, Did, Standing, Word, changed_words, one_or_more, short_action
from evals.filling import filled
from evals.on_file import DelegationImage
from evals.recorded_models import ModelAnswer
from evals.teaching import Taught
from storage.buildings import lines_of

NOON = time(12)


def _local(value: JsonValue | date) -> date:
    """A day, or a moment on the building's clock (a datetime is a date)."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"is no day or moment ({error}); write 2026-02-15 or 2026-02-15T16:30") from error
    if not isinstance(value, date):
        raise ValueError("is no day or moment; write 2026-02-15 or 2026-02-15T16:30")
    if isinstance(value, datetime) and value.tzinfo is not None:
        raise ValueError("is on the building's own clock: leave the offset out")
    return value


At = Annotated[
    date, PlainValidator(_local), PlainSerializer(lambda when: when.isoformat()), WithJsonSchema({"type": "string"})
]


def _short_actions(given: JsonValue) -> JsonValue:
    return [short_action(one) for one in given] if isinstance(given, list) else given


class Answer(DecisionBody):
    """What somebody answers to the pending question of that kind (on that line)."""

    kind: ApprovalKind = Field(description="Kind of the question.")
    item: Name | None = Field(None, description="Id of the line, where the question is about one.")
    matter: str | None = Field(None, description="What it is about, where several stand on the line: an NCR, an order.")
    by: ResponderType = Field("human", description="Who answers: a person, a model or a rule, by the key it has.")

    @model_validator(mode="before")
    @classmethod
    def _short_actions(cls, given: JsonValue) -> JsonValue:
        """`{repair_item: {note: ...}}` as the whole action; its line is the question's where none is named."""
        actions = given.get("actions") if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(actions, list):
            return given
        return {**given, "actions": [short_action(one, given.get("item")) for one in actions]}

    def body(self) -> JsonObject:
        """The body of `POST /approvals/{id}/decision`."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"kind", "item", "matter", "by"})


class Overruling(Strict):
    """A person says that a rule decided wrongly."""

    rule: Name = Field(description="Title of the rule.")
    message: str | None = None
    actions: Annotated[list[JsonValue], BeforeValidator(_short_actions)] = Field(
        [], description="What is done instead."
    )

    def body(self) -> JsonObject:
        """The body of `POST /rules/{rule_id}/overrule`."""
        given: JsonObject = {"message": self.message, "actions": self.actions}
        return {name: value for name, value in given.items() if value}


class RuleChange(Strict):
    """A person words a rule otherwise, switches it off or on, shares it, or says whether it may decide alone."""

    rule: Name = Field(description="Title of the rule.")
    text: str | None = None
    disabled: bool | None = None
    shared: bool | None = None
    autonomy: Autonomy | None = None

    def body(self) -> JsonObject:
        """The body of `PATCH /rules/{rule_id}`."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"rule"})


class VendorChange(VendorPatch):
    """A person changes a vendor: its name, its address, or whether it is approved."""

    vendor_id: Slug = Field(description="Id of the vendor.")

    def body(self) -> JsonObject:
        """The body of `PATCH /buildings/{b}/vendors/{vendor_id}`."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"vendor_id"})


class Revoking(Strict):
    """A person takes back what was delegated: the last one of that kind that stands, or of that kind and scope."""

    kind: ApprovalKind
    item: Name | None = Field(None, description="Id of its line, where it is for one line alone.")
    category: str | None = None
    vendor_id: str | None = None

    def fits(self, delegation: DelegationImage) -> bool:
        """Whether it is this one, as it is on file."""
        return (
            delegation["status"] != "revoked"
            and self.kind == delegation["kind"]
            and self.item in (None, delegation["item_id"])
            and self.category in (None, delegation["category"])
            and self.vendor_id in (None, delegation["vendor_id"])
        )


class Step(Strict):
    """Something happens (an event, an answer, a change of the building, or time passes): and all that the agent then
    does, asks and says."""

    at: At | None = Field(None, description="When it happens, on the building's clock; a day means noon.")
    event: JsonObject | None = Field(None, description="The body of `POST .../events`; what is plain is filled in.")
    unchecked: bool = Field(False, description="Put into the inbox as it is, as an older version might have taken it.")
    answer: Answer | None = Field(None, description="Somebody answers a question.")
    change: JsonObject | None = Field(None, description="The body of `PATCH /buildings/{b}`: policy, people.")
    add_vendor: Vendor | None = Field(None, description="The body of `POST /buildings/{b}/vendors`.")
    change_vendor: VendorChange | None = Field(None, description="A person changes a vendor.")
    delegate: JsonObject | None = Field(None, description="The body of `POST /delegations`, without the building.")
    overrule: Overruling | None = Field(None, description="A person overrules what a rule decided last.")
    edit_rule: RuleChange | None = Field(None, description="A person changes a learned rule.")
    revoke: Revoking | None = Field(None, description="A person takes a delegation back.")
    until: At | None = Field(None, description="Time passes until then, and what falls due is looked for.")
    queued: bool = Field(False, description="Posted while the agent is busy: it is taken up with the next step.")

    does: Annotated[list[Did], BeforeValidator(one_or_more)] = Field([], description="Actions, in order.")
    would_do: Annotated[list[Did], BeforeValidator(one_or_more)] = Field(
        [], description="Actions that are only told, since the building holds them back; in order."
    )
    asks: Annotated[list[Asked], BeforeValidator(one_or_more)] = Field([], description="Questions that it raises.")
    becomes: dict[str, list[Word]] = Field({}, description="What changes on the lines' facets.")
    closes: Annotated[list[Standing], BeforeValidator(one_or_more)] = Field([], description="Questions that settle.")
    renews: Annotated[list[Standing], BeforeValidator(one_or_more)] = Field([], description="Questions put anew.")
    reminds: Annotated[list[Standing], BeforeValidator(one_or_more)] = Field([], description="Questions brought up.")
    escalates: Annotated[list[Standing], BeforeValidator(one_or_more)] = Field([], description="Questions moved up.")
    sends: list[str] | None = Field(None, description="Whom messages go to; what follows from the rest when absent.")
    withholds: list[str] | None = Field(None, description="Whom messages would have gone to, that are withheld.")
    reads: list[JsonObject] | None = Field(None, description="Events that the text is read as, in order.")
    learns: list[str] | None = Field(None, description="Titles of the rules that are learned, where that matters.")
    notes: str | None = Field(None, description="Words of the outcome, such as `already on file`.")
    outdated: bool = Field(False, description="The answer comes too late: its facts have changed.")
    asked_again: bool = Field(False, description="The answer is not understood, or asks back: the question stays.")
    refused: int | None = Field(None, ge=400, le=499, description="The service refuses it, with this status.")
    dies: str | None = Field(None, description="The entry is given up; words of its error.")

    @field_validator("becomes", mode="before")
    @classmethod
    def _of_its_line(cls, given: JsonValue, info: ValidationInfo) -> JsonValue | dict[str, list[Word]]:
        return changed_words(given, _line_of(info.data.get("event"), info.data.get("answer")))

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(getattr(self, name) is not None for name in HAPPENINGS) != 1:
            raise ValueError(f"a step is one of {', '.join(HAPPENINGS[:-1])} and {HAPPENINGS[-1]}")
        if (self.at is None) == (self.until is None):
            raise ValueError("what happens has `at`, passing time has `until` alone")
        if self.queued and self.model_fields_set - _HAPPENS:
            raise ValueError("queued: what comes of it is expected of the next step")
        return self

    @model_validator(mode="after")
    def _lines_are_named(self) -> Self:
        """The short forms mean the step's line; where it is about none, actions name theirs."""
        for number, did in enumerate([*self.does, *self.would_do]):
            if "item" not in did.known or "item" in did.arguments:
                continue
            if self.named is not None:
                did.arguments["item"] = self.named
            elif did.known["item"].is_required():
                raise ValueError(f"does.{number}: this step is about no line, so {did.name} names its item")
        for expected in (*self.asks, *self.closes, *self.renews, *self.reminds, *self.escalates):
            if expected.item is None and expected.is_about_a_line:
                expected.item = self.named
        return self

    @property
    def named(self) -> str | None:
        """The line that the step is about, as it is named."""
        return _line_of(self.event, self.answer)

    @property
    def is_text(self) -> bool:
        """Whether somebody's free words come in."""
        if self.answer is not None:
            return self.answer.type == "respond"
        return self.event is not None and self.event.get("event_type") == "Message_Received"

    @property
    def moment(self) -> datetime:
        """When it happens, on the building's clock."""
        when = self.at or self.until
        if isinstance(when, datetime):
            return when
        if when is None:
            raise ValueError("a step has a time")
        return datetime.combine(when, NOON)

    @property
    def day(self) -> date:
        return self.moment.date()

    @property
    def body(self) -> JsonObject:
        """The body of the event with what is plain filled in: days, documents, addresses."""
        given = self.event or {}
        return given if self.unchecked else filled(given, self.day)


def _line_of(event: JsonObject | None, answer: Answer | None) -> str | None:
    if answer is not None:
        return answer.item
    return None if event is None or event.get("item") is None else str(event["item"])


HAPPENINGS = ("event", "answer", "change", "add_vendor", "change_vendor") + (
    "delegate",
    "overrule",
    "edit_rule",
    "revoke",
    "until",
)
"""What may happen, one in each step."""
_HAPPENS = {"at", "unchecked", "queued", *HAPPENINGS}
"""What a step says that happens; everything else in it is expected."""


class Order(Strict):
    """An order that is expected to have been placed."""

    item: str
    quantity: Decimal | None = None


class Outcome(Strict):
    """How the procurement log is expected to end."""

    lines: dict[str, str] = Field({}, description="Status of every line, by its id.")
    orders: dict[str, Order] | None = Field(None, description="Every order, by its number: none missing, none twice.")
    flags: dict[str, str] | None = Field(None, description="Status of the one flag of each line that had one.")


class Scenario(Strict):
    """A building and what happens to it."""

    name: Slug = Field(description="The file's name without its ending.")
    title: Name = Field(description="What happens, in one line.")
    why: Name = Field(description="Why it matters to the people who build, in one line.")
    tags: list[Literal["demo", "text"]] = []
    building: JsonObject = Field(description="The body of `POST /buildings`; id, name and schedule are filled in.")
    rules: list[Taught] = Field([], description="What the building has learned before.")
    delegations: list[JsonObject] = Field([], description="Bodies of `POST /delegations`, without the building.")
    models: list[ModelAnswer] | None = Field(
        None, description="What models answer, in order; without the key no model is configured."
    )
    given: list[Step] = Field([], description="What came before, without problems: it is played and not judged.")
    steps: list[Step] = Field(min_length=1)
    never: list[Did] = Field([], description="What must not happen in any step, whatever else does.")
    outcome: Outcome | None = None

    @model_validator(mode="before")
    @classmethod
    def _whole_building(cls, given: JsonValue) -> JsonValue:
        posted = given.get("building") if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(posted, dict):
            return given
        building = {"building_id": given.get("name"), "name": given.get("title"), **posted}
        schedule = building.get("schedule") or {}
        if isinstance(schedule, dict):
            building["schedule"] = {"project": {"name": building["name"]}, **schedule}
        return {**given, "building": building}

    @model_validator(mode="after")
    def _time_goes_forward(self) -> Self:
        for step in self.given:
            if step.model_fields_set - _HAPPENS:
                raise ValueError("given: what came before is not judged: leave out what is expected of it")
        steps = [*self.given, *self.steps]
        for before, after in pairwise(steps):
            if after.moment < before.moment:
                raise ValueError(
                    f"steps: {after.moment} comes after {before.moment}: steps go forward in time; a late report "
                    "carries its own date, or occurred_at"
                )
        if self.steps[-1].queued:
            raise ValueError("steps: the last one cannot be queued: nothing takes it up")
        return self

    @property
    def spec(self) -> BuildingSpec:
        return BuildingSpec.model_validate(self.building)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the scenario's days are counted."""
        return ZoneInfo(self.spec.time_zone)

    def item_id(self, named: str) -> str:
        """The id of the line that is named; LookupError where there is none."""
        found = LineNames((line.item_id, line.name) for line in lines_of(self.spec)).find(named)
        if found is None:
            raise LookupError(f"the scenario has no line {named!r}")
        return found

    def line(self, named: str) -> str:
        """The id of the line that is named, also of one that an event brings."""
        try:
            return self.item_id(named)
        except LookupError:
            return slug(named)
