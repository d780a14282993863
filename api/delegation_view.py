"""How a delegation is shown and granted."""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.actions import DelegationArguments
from domain.rules import TO_RULES, DelegationStatus
from domain.text import Moment, Name, Slug, Text
from storage.connection import Found

T = TypeVar("T")
"""What a view is made of: a row, or what is one already."""


class DelegationView(BaseModel):
    """What a person allowed to be decided without asking."""

    delegation_id: str = Field(description="Id of the delegation.")
    building_id: str = Field(description="The building.")
    kind: str = Field(description="The kind of question that may be decided.")
    actions: list[str] = Field(description="Names of the actions that may be taken.")
    category: str | None = Field(None, description="Only for lines of this category; null: of any.")
    vendor_id: str | None = Field(None, description="Only for lines of this vendor; null: of any.")
    item_id: str | None = Field(None, description="Only for this line; null: for any.")
    about: str | None = Field(None, description="Only for this name, sender, exception, ...")
    amount_limit: Decimal | None = Field(None, description="Most that one decision may commit; null: po_limit holds.")
    granted_to: str = Field(description="`rules`: the learned rules; else the id of a program's key.")
    granted_by: str = Field(description="The person who granted it.")
    granted_at: datetime = Field(description="When.")
    expires_at: datetime | None = Field(None, description="When it ends by itself; null: when it is revoked.")
    status: DelegationStatus = Field(
        description="active; suspended: a rule that stood on it was overruled; revoked: a person took it back."
    )
    note: str | None = Field(None, description="What was said about it.")

    @model_validator(mode="before")
    @classmethod
    def _identify(cls, row: T) -> T | Found:
        return {**row, "delegation_id": row["id"]} if isinstance(row, dict) and "id" in row else row


class DelegationBody(DelegationArguments):
    """The body of `POST /delegations`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "building_id": "office-renovation",
                    "kind": "inspection_failed",
                    "actions": ["reorder_item"],
                    "category": "23",
                    "amount_limit": "10000",
                    "days": 180,
                }
            ]
        },
    )

    building_id: Slug = Field(description="The building.")
    expires_at: Moment | None = Field(None, description="When it ends by itself, instead of `days`.")
    granted_to: Name = Field(TO_RULES, description="`rules`: the learned rules; else the id of a program's key.")
    note: Text | None = Field(None, max_length=1000, description="What to keep with it.")
