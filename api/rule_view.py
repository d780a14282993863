"""How a learned rule is shown, changed and overruled."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.approval_view import ActionView
from domain.actions import Action
from domain.buildings import Strict
from domain.plain_json import JsonObject
from domain.rules import Autonomy, Rule, RuleStatus
from domain.text import Text
from storage.connection import Found

T = TypeVar("T")
"""What a view is made of: a row, or what is one already."""

Standing = Literal["recommends", "trusted", "retired", "disabled"]


class RuleView(BaseModel):
    """What people's answers have taught a building."""

    rule_id: str = Field(description="Id of the rule.")
    building_id: str = Field(description="The building that learned it.")
    text: str = Field(description="The rule in one or two sentences.")
    kind: str = Field(description="The kind of question that it answers.")
    category: str | None = Field(None, description="Only for lines of this category; null: of any.")
    vendor_id: str | None = Field(None, description="Only for lines of this vendor; null: of any.")
    item_id: str | None = Field(None, description="Only for this line; null: for any.")
    about: str | None = Field(
        None,
        description="What tells such questions apart: the unknown name, the sender, what a vendor's exceptions are "
        "about, the milestone, `change order`.",
    )
    title: str = Field(description="What it recommends, in a few words.")
    actions: list[ActionView] = Field(
        description="What it recommends: `{item}` is the line in question; days, quantities and words are taken from "
        "the options of the new situation."
    )
    source_approval: str = Field(description="The approval that it was learned from.")
    learned_from: str = Field(description="Who decided that, and on what.")
    learned_at: datetime = Field(description="When.")
    standing: Standing = Field(
        description="recommends: it only recommends. trusted: confirmed often enough to decide alone, within authority "
        "or a delegation. retired: overruled twice in a row, it stopped. disabled: a person switched it off."
    )
    autonomy: Autonomy = Field(
        description="recommend: never alone. earned: alone after enough confirmations. alone: a person trusts it."
    )
    in_a_row: int = Field(description="Confirmations in a row.")
    autonomy_after: int = Field(description="Confirmations in a row that it takes to decide alone.")
    applied: int = Field(description="How often it recommended or decided.")
    decided: int = Field(description="How often it decided alone.")
    confirmed: int = Field(description="How often people decided as it says.")
    overruled: int = Field(description="How often people decided otherwise.")
    largest_amount: Decimal | None = Field(None, description="The largest amount that people confirmed.")
    delegation: Literal["none", "asked", "refused"] = Field(description="Whether a delegation was asked for.")
    shared: bool = Field(description="Whether it is recommended in other buildings too.")
    edited_by: str | None = Field(None, description="Who changed it last.")

    @model_validator(mode="before")
    @classmethod
    def _stand(cls, row: T) -> T | Found:
        if not isinstance(row, dict) or "autonomy_after" not in row:
            return row
        rule = Rule.model_validate(row)
        trusted = "trusted" if rule.may_stand_alone(row["autonomy_after"]) else "recommends"
        return {
            **row,
            "rule_id": row["id"],
            "standing": trusted if rule.status == "active" else rule.status,
            "in_a_row": rule.streak,
            "largest_amount": rule.most,
        }


class RulePatch(Strict):
    """The body of `PATCH /rules/{rule_id}`: what is given replaces what stands."""

    text: Text | None = Field(None, max_length=1000, description="The rule in other words; what it does stays.")
    disabled: bool | None = Field(None, description="true: it is no longer used. false: it starts over.")
    shared: bool | None = Field(None, description="Whether other buildings may be recommended the same.")
    autonomy: Autonomy | None = Field(
        None,
        description="recommend: never alone. earned: after enough confirmations. alone: from now on.",
    )

    @model_validator(mode="after")
    def _change_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one of text, disabled, shared and autonomy")
        return self

    def change(self) -> JsonObject:
        """The fields of the rule that it changes."""
        given = self.model_dump(exclude_none=True, exclude={"disabled"})
        if self.disabled is not None:
            status: RuleStatus = "disabled" if self.disabled else "active"
            given["status"] = status
        return given


class OverrulingBody(Strict):
    """The body of `POST /rules/{rule_id}/overrule`."""

    message: Text | None = Field(None, description="Why it was wrong.")
    actions: list[Action] | None = Field(
        None, min_length=1, max_length=50, description="What is to be done instead; without it you are asked."
    )
    entry: int | None = Field(
        None, ge=1, le=2**62, description="The entry on which it decided; the last one when absent."
    )


class AcceptedOverruling(BaseModel):
    """An overruling that was taken."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"event_id": "office-renovation-r17:25", "seq": 31, "decided_at": 25}]}
    )

    event_id: str = Field(description="Its entry in the building's inbox.")
    seq: int = Field(description="Its place in the inbox.")
    decided_at: int = Field(description="The entry on which the rule had decided.")
