"""A story as data: a building over months, and for each step what a manager would want of a good assistant there.

The schema of story files, explained in docs/evals.md.
"""

import re
from collections.abc import Iterator
from datetime import date
from datetime import time as clock_time
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Discriminator, Field, JsonValue, Tag, field_validator

from domain.approvals import DecisionType
from domain.buildings import BuildingSpec, Strict
from domain.plain_json import JsonObject
from domain.text import Name
from evals.source import Place

Wanted = Literal["quiet", "tell", "ask"]
MORNING = clock_time(9)
"""When an event comes whose step names no time."""
ANY_LINE = "*"
LATER = "later"
HAPPENINGS = ("event", "check", "state", "decide")
"""What a step is, exactly one of them."""


def _make_list(given: JsonValue) -> JsonValue:
    return given if isinstance(given, list) or given is None else [given]


def _make_map_of_kinds(given: JsonValue) -> JsonValue:
    """One answer for every kind of question, as the map that it stands for."""
    return {"any": given} if given == LATER or (isinstance(given, dict) and "type" in given) else given


Accepted = Annotated[frozenset[Wanted], BeforeValidator(_make_list), Field(min_length=1)]
"""What a label accepts: each of these is right."""
AcceptedHere = Annotated[
    Annotated[Accepted, Tag("all")] | Annotated[dict[str, Accepted], Tag("by line")],
    Discriminator(lambda given: "by line" if isinstance(given, dict) else "all"),
]
Names = Annotated[list[Name], BeforeValidator(_make_list)]


class Reply(Strict):
    """A decision of the manager: the body of `POST /approvals/{id}/decision` without the version."""

    type: DecisionType
    actions: list[JsonObject] | None = None
    message: str | None = None
    occurred_at: str | None = None


ReplyOrLater = Annotated[
    Annotated[Reply, Tag("reply")] | Annotated[Literal["later"], Tag("later")],
    Discriminator(lambda given: "later" if isinstance(given, str) else "reply"),
]
Replies = Annotated[dict[str, ReplyOrLater], BeforeValidator(_make_map_of_kinds)]
"""By kind of question; `any` for the others."""


class Check(Strict):
    """Looks back from the end of the day: what should have been asked or told by then."""

    item: Names
    want: Accepted
    since: date | None = Field(None, description="First day that is looked at; the step's own when absent.")
    to: Literal["people", "vendor"] = "people"
    max: int = Field(1, ge=1, description="How many questions it is worth.")
    why: str = ""


class State(Strict):
    """What must be true of a line, or of the building. Only what is written is compared."""

    item: Name | None = None
    exists: bool = True
    released: bool = True
    complete: bool = Field(True, description="All of it is on site.")
    late: bool = True
    status: Annotated[list[str], BeforeValidator(_make_list)] = []
    required_by: date | None = None
    promised_date: date | None = None
    eta: date | None = None
    eta_not: date | None = None
    quantity: Decimal | None = None
    received: Decimal | None = Field(None, description="Received and kept: not sent back.")
    ordered: Decimal | None = Field(None, description="Quantity over all live orders.")
    orders: int | None = Field(None, description="How many live orders.")
    order_total: Decimal | None = None
    in_transit: int | None = Field(None, description="How many shipments.")
    pending: bool | Annotated[list[str], BeforeValidator(_make_list)] = True
    closed: bool = True
    lines: int | None = None
    since: date | None = Field(None, description="With `late: true`: nobody was told the opposite since this day.")
    why: str = ""

    @property
    def predicates(self) -> list[str]:
        """The names of what is compared, always in one order."""
        known = (name for name in type(self).model_fields if name not in ("item", "since", "why"))
        return [name for name in known if name in self.model_fields_set]

    @field_validator("pending", mode="before")
    @classmethod
    def _kinds(cls, given: JsonValue) -> JsonValue:
        return [given] if isinstance(given, str) else given


class Decide(Strict):
    """The manager now answers what an earlier `later` left open."""

    item: Name


class Step(Strict):
    """An event with its label, a look back, a truth that must hold, or a late answer."""

    day: date
    time: clock_time = Field(MORNING, description="On the building's clock.")
    event: JsonObject | None = None
    check: Check | None = None
    state: State | None = None
    decide: Decide | None = None
    want: AcceptedHere = frozenset({"quiet"})
    about: Annotated[list[str] | None, BeforeValidator(_make_list)] = None
    max: int = Field(1, ge=1)
    within: int = Field(1, ge=0, description="Working days in which asking or telling is in time.")
    says: str | None = None
    answer: Replies | None = None
    keeps_question: Names = []
    may_refuse: bool = False
    never: list[str] = []
    why: str = ""

    @field_validator("says", mode="before")
    @classmethod
    def _as_text(cls, given: JsonValue) -> JsonValue:
        return str(given) if isinstance(given, int) else given

    @field_validator("says")
    @classmethod
    def _is_pattern(cls, given: str | None) -> str | None:
        try:
            re.compile(given or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return given

    @property
    def named(self) -> str | None:
        """The line that the event names."""
        item = (self.event or {}).get("item")
        return None if item is None else str(item)

    @property
    def lines(self) -> list[str]:
        """The lines that a question or message of this event may be about, as they are named."""
        if isinstance(self.want, dict):
            return list(self.want)
        if self.about is not None:
            return self.about
        return [self.named] if self.named else []

    @property
    def reason(self) -> str:
        """The manager's reason."""
        return self.why or (self.check.why if self.check else "") or (self.state.why if self.state else "")

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        if self.event is not None:
            parts = (self.event.get(name) for name in ("event_type", "item", "shipment_id"))
            return " ".join(str(part) for part in parts if part)
        if self.check is not None:
            return f"(check) {', '.join(self.check.item)}"
        if self.state is not None:
            return f"(state) {self.state.item or 'building'}"
        return f"(decide) {self.decide.item}" if self.decide else ""


class Limits(Strict):
    """How much is too much."""

    messages_per_line_per_month: int = Field(3, ge=0)


class Manager(Strict):
    """How the manager answers where no step says it."""

    habits: dict[str, Reply] = Field({}, description="By kind, kind/what it is about, or `default`.")


class Final(Strict):
    """What must be true after the last step."""

    states: list[State] = []


class Story(Strict):
    """A building over months, with its labels."""

    name: Name
    why: str = ""
    holidays: frozenset[date] = frozenset()
    limits: Limits = Limits()
    tolerated: dict[str, Annotated[int, Field(ge=0)]] = Field({}, description="Fair questions of a kind, and how many.")
    manager: Manager = Manager()
    building: JsonObject = Field(description="The body of `POST /buildings`.")
    steps: list[Step] = Field(min_length=1)
    final: Final = Final()

    @cached_property
    def spec(self) -> BuildingSpec:
        """The building as the API reads it."""
        return BuildingSpec.model_validate(self.building)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.spec.time_zone)


def list_mistakes(story: Story) -> Iterator[tuple[Place, str]]:
    """What is wrong with a story though each field fits, with its place."""
    earlier: date | None = None
    for number, step in enumerate(story.steps):
        place: Place = ("steps", number)
        if earlier is not None and step.day < earlier:
            yield (*place, "day"), f"{step.day} comes after {earlier}: steps go forward in time"
        earlier = step.day
        given = [name for name in HAPPENINGS if getattr(step, name) is not None]
        if len(given) != 1:
            yield place, f"a step has exactly one of {', '.join(HAPPENINGS)}; this one has {len(given)}"
            continue
        yield from _find_misplaced_keys(step, given[0], place)
    for number, state in enumerate(story.final.states):
        if not state.predicates:
            yield ("final", "states", number), "a state names what must hold"


BESIDE: dict[str, set[str]] = {
    "event": {"want", "about", "max", "within", "says", "answer", "keeps_question", "may_refuse", "never"},
    "check": {"answer"},
    "state": set(),
    "decide": {"answer"},
}
"""The keys that mean something beside each happening; `day`, `time` and `why` stand everywhere."""


def _find_misplaced_keys(step: Step, happening: str, place: Place) -> Iterator[tuple[Place, str]]:
    for name in sorted(step.model_fields_set - BESIDE[happening] - {"day", "time", "why", *HAPPENINGS}):
        yield (*place, name), f"means nothing beside {happening}"
    if step.event is not None:
        if not isinstance(step.event.get("event_type"), str):
            yield (*place, "event"), "event_type is missing"
        accepted = step.want.values() if isinstance(step.want, dict) else [step.want]
        if not step.why and any(one != {"quiet"} for one in accepted):
            yield (*place, "want"), "a label that is not quiet says why"
    elif step.state is not None and not step.state.predicates:
        yield (*place, "state"), "a state names what must hold"
    elif step.check is not None and (step.check.since or step.day) > step.day:
        yield (*place, "check", "since"), f"is after the day of the check, {step.day}"
    elif step.decide is not None and LATER in (step.answer or {}).values():
        yield (*place, "answer"), "decide gives the answer: it cannot be later"
