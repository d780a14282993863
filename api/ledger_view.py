"""How the ledger of actions and the log of decisions are shown."""

from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, Field, model_validator

from api.approval_view import ActionView
from domain.approvals import Responder
from domain.rules import full_id
from storage.connection import Found

T = TypeVar("T")
"""What a view is made of: a row, or what is one already."""


class LedgerEntry(BaseModel):
    """Something that was done."""

    action_id: str = Field(description="seq:action:item:ordinal: what makes it the same action, done once.")
    name: str = Field(description="What was done.")
    arguments: dict[str, Any] = Field(description="What it was done with.")
    result: dict[str, Any] = Field(description="What came of it.")
    event_id: str | None = Field(None, description="The event that caused it.")
    event_source: str | None = Field(None, description="The source of that event.")
    responder: Responder = Field(description="Who decided it.")
    at: datetime = Field(description="When it was done.")

    @model_validator(mode="before")
    @classmethod
    def _name(cls, row: T) -> T | Found:
        if not isinstance(row, dict) or "ordinal" not in row:
            return row
        return {
            **row,
            "name": row["action"],
            "action_id": f"{row['seq']}:{row['action']}:{row['item']}:{row['ordinal']}",
        }


class DecisionEntry(BaseModel):
    """What was decided or recommended, by whom and why."""

    seq: int = Field(description="Place in the inbox of the entry that it was decided on.")
    generation: int = Field(description="Which run of that entry it was.")
    step: int = Field(description="Its place within that run.")
    event_id: str | None = Field(None, description="The entry's event_id.")
    event_source: str | None = Field(None, description="The entry's source.")
    event_type: str | None = Field(None, description="The entry's type.")
    item_id: str | None = Field(None, description="The line it is about.")
    approval_id: str | None = Field(None, description="The approval that it answers or raised.")
    type: str = Field(
        description="approve, reject, edit or overrule of a person; act: done without asking; recommend: put to a "
        "person as a recommendation."
    )
    kind: str = Field(description="What kind of situation it was.")
    responder: Responder = Field(description="Who decided: a rule, a model or a person.")
    why: str = Field(description="The reason.")
    message: str | None = Field(None, description="With a person's decision: their own words.")
    confidence: float | None = Field(None, description="With a model's decision: how sure it was, 0 to 1.")
    tokens: int | None = Field(None, description="With a model's decision: the tokens that it took.")
    rule_id: str | None = Field(None, description="The learned rule that it rests on.")
    delegation_id: str | None = Field(None, description="The delegation that it rests on.")
    policy_line: str | None = Field(None, description="The line of the policy that allowed it, or did not.")
    reading: dict[str, Any] | None = Field(
        None, description="Of an answer in free words: what a model read in it, how sure it was, and its doubts."
    )
    actions: list[ActionView] = Field(description="What was to be done.")
    at: datetime = Field(description="When it was decided.")

    @model_validator(mode="before")
    @classmethod
    def _rests(cls, row: T) -> T | Found:
        """What it rests on, by the ids that are unique over all buildings."""
        if not isinstance(row, dict) or "basis" not in row:
            return row
        basis = row["basis"]
        named = {name: basis[name] for name in ("rule_id", "delegation_id") if basis.get(name)}
        return {
            **row,
            **named,  # of another building: named in full
            **{name: full_id(row["building_id"], found) for name, found in named.items() if "-" not in found},
            "policy_line": basis.get("policy"),
        }
