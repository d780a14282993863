"""How forks are asked for and shown."""

from datetime import datetime
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, Field, model_validator

from domain.approvals import Responder
from domain.buildings import Strict
from domain.comparison import Difference
from domain.text import Name
from storage.connection import Found

T = TypeVar("T")
"""What a view is made of: a row, or what is one already."""


class ForkBody(Strict):
    """The body of `POST /buildings/{b}/forks`; empty: a fork of the building as it is now."""

    before_event: Annotated[int, Field(ge=1, lt=2**63)] | None = Field(
        None, description="Place in the inbox (seq) of the event before which the fork begins."
    )
    checkpoint_id: Name | None = Field(
        None, description="A checkpoint of the building's history; the run that was under way there goes on."
    )

    @model_validator(mode="after")
    def _one_point(self) -> Self:
        if self.before_event is not None and self.checkpoint_id is not None:
            raise ValueError("give before_event or checkpoint_id, not both")
        return self


class ForkView(BaseModel):
    """A sandbox of a building as it was. Its own pages are those of a building: `/buildings/{fork_id}/...`."""

    fork_id: str = Field(description="Id of the fork, and of the sandbox building that it is.")
    building_id: str = Field(description="The building that it is a fork of.")
    after_event: int = Field(description="The last event that both have; the fork's next one comes after it.")
    in_hand: int | None = Field(None, description="The event that was being processed there, and goes on in the fork.")
    checkpoint_id: str | None = Field(
        None, description="The checkpoint that the agent's state comes from; null: the thread begins anew."
    )
    exact: bool = Field(description="Whether state and tables are of the same moment.")
    note: str | None = Field(None, description="Where they are not: what was no longer kept.")
    mode: str = Field(description="sandbox; or replay while a backtest runs through it.")
    events_since: int = Field(description="How many events came into the fork.")
    pending_approvals: int = Field(description="How many of its questions wait for an answer.")
    created_by: Responder = Field(description="Who made it.")
    created_at: datetime = Field(description="When it was made.")

    @model_validator(mode="before")
    @classmethod
    def _from_row(cls, row: T) -> T | Found:
        return {**row, "after_event": row["last_seq"]} if isinstance(row, dict) and "last_seq" in row else row


class DiffView(Difference):
    """How a fork differs from what really happened. What is the same on both sides is left out."""

    fork_id: str = Field(description="The fork.")
    building_id: str = Field(description="Reality.")
    after_event: int = Field(description="The last event that both have.")
    really_until: int = Field(description="The last event in reality.")
    here_until: int = Field(description="The last event in the fork.")
