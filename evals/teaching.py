"""What a building has learned and what was delegated to it before a scenario begins."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue

from domain.actions import ACTION_NAMES
from domain.approvals import ApprovalKind
from domain.buildings import Strict
from domain.plain_json import JsonObject
from domain.rules import Autonomy, Rule
from domain.templates import ITEM
from domain.text import Name
from evals.expected import arguments_of, short_action
from storage.connection import Connection
from storage.transaction import building_transaction


def _templates(given: JsonValue) -> JsonValue:
    """What a rule recommends: names of actions, with the arguments that do not depend on the case."""
    return [_known(short_action(one, ITEM)) for one in given] if isinstance(given, list) else given


def _known(action: JsonValue) -> JsonObject:
    if not isinstance(action, dict) or set(action) != {"name", "arguments"}:
        raise ValueError("write an action as its name, or as {name: {argument: value}}")
    name, arguments = str(action["name"]), action["arguments"]
    if name not in ACTION_NAMES:
        raise ValueError(f"{name!r} is no action; there are {', '.join(ACTION_NAMES)}")
    if unknown := set(arguments if isinstance(arguments, dict) else ()) - set(arguments_of(name)):
        raise ValueError(f"{name} has no argument {sorted(unknown)[0]!r}")
    return action


Templates = Annotated[list[JsonObject], BeforeValidator(_templates), Field(min_length=1)]
"""What a rule recommends; the line in question need not be named."""


class Taught(Strict):
    """A rule that people's answers had taught before."""

    title: Name = Field(description="The way out that it recommends.")
    kind: ApprovalKind
    actions: Templates = Field(description="What it recommends; the line in question need not be named.")
    category: str | None = None
    vendor_id: str | None = None
    item_id: str | None = None
    about: str | None = Field(None, description="The name that was not known, or the sender.")
    confirmed: int = Field(1, ge=1, description="How often people decided so, all of them in a row.")
    autonomy: Autonomy = "earned"
    delegation: str = Field("none", pattern="^(none|asked|refused)$")

    def rule(self, number: int, now: datetime) -> Rule:
        """The rule as it is on file."""
        return Rule(
            rule_id=f"r0{number}",
            text=f"{self.title}, as people decided before.",
            source="0.0",
            learned_from="people, before the scenario begins",
            learned_at=now,
            streak=self.confirmed,
            **self.model_dump(),
        )


async def teach(conn: Connection, building_id: str, taught: list[Taught], now: datetime) -> None:
    """Put the rules on file, as they were learned before."""
    if not taught:
        return
    async with building_transaction(conn, building_id) as transaction:
        transaction.save(*(one.rule(number, now) for number, one in enumerate(taught, 1)))
