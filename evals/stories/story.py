"""A recorded story of a building as data: what happened, what people answered, and what is expected of the agent."""

import json
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import Any, Self

import yaml  # type: ignore[import-untyped]
from pydantic import Field, model_validator

from domain.approvals import ApprovalKind, DecisionBody
from domain.buildings import BuildingSpec, Strict
from domain.events import EVENT
from domain.procurement import find_item


class Asked(Strict):
    """A question that the agent is expected to put."""

    kind: ApprovalKind
    item: str
    """Id of the line."""
    recommends: str
    """Title of the option that is recommended."""


class Answer(DecisionBody):
    """What a person answered to the pending question of that kind on that line."""

    kind: ApprovalKind
    item: str

    def body(self, day: date) -> dict[str, Any]:
        """The body of `POST /approvals/{id}/decision`, as given on that day."""
        decision = self.model_dump(mode="json", exclude_none=True, exclude={"kind", "item"})
        return {**decision, "occurred_at": noon(day)}


class Step(Strict):
    """An event that came in, or a question that was answered; and what the agent then did and asked."""

    day: date
    event: dict[str, Any] | None = None
    answer: Answer | None = None
    does: list[str] = []
    asks: Asked | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.event is None) == (self.answer is None):
            raise ValueError("a step is an event or an answer")
        if self.event is not None:
            EVENT.validate_python(self.event)
        return self


class Order(Strict):
    """An order that is expected to have been placed."""

    item: str
    quantity: Decimal


class Outcome(Strict):
    """How the procurement log is expected to end."""

    lines: dict[str, str]
    """Status of every line, by its id."""
    orders: dict[str, Order]
    """Every order, by its number: none missing and none twice."""
    flags: dict[str, str] = {}
    """Status of the one flag of each line that had one, by its id."""


class Story(Strict):
    """A building from its first submittal to its last inspection."""

    title: str
    building: dict[str, Any] = Field(description="The body of `POST /buildings`.")
    steps: list[Step]
    outcome: Outcome

    @model_validator(mode="after")
    def _fits_the_api(self) -> Self:
        BuildingSpec.model_validate(self.building)
        return self

    @property
    def spec(self) -> BuildingSpec:
        return BuildingSpec.model_validate(self.building)

    def item_id(self, named: str) -> str:
        """The id of the line that is named; LookupError where there is none."""
        found = find_item(named, [(item.id, item.name) for item in self.spec.items])
        if found is None:
            raise LookupError(f"the story has no line {named!r}")
        return found


def load_story(name: str) -> Story:
    """The story in `evals/stories/<name>.yaml`.

    Raises:
        ValidationError: it does not fit this form, or what it would post does not fit the API.
    """
    text = resources.files("evals.stories").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return Story.model_validate(plain(yaml.safe_load(text)))


def plain(value: Any) -> Any:
    """YAML's days as ISO text, so that what is posted is plain JSON."""
    return json.loads(json.dumps(value, default=str))


def noon(day: date) -> str:
    """A moment of that day in the building's own zone: business time without an offset."""
    return f"{day}T12:00:00"
