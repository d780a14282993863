"""How a building is shown, in a list and by itself."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.approval_view import ApprovalView
from api.procurement_view import FlagView, WouldOrderView
from domain.buildings import Approver, Contact
from domain.policy import Policy

Mode = Literal["live", "watch", "sandbox", "replay"]
MODE = (
    "watch: it decides, and sends and orders nothing; sandbox: a fork, whose messages are never delivered; replay: one "
    "that a backtest is still running through."
)
GOING_LIVE = (
    "A person has switched it to live, and it is still in watch: true until the entry that this put into the inbox is "
    "processed. Where that entry could not be processed, switch it to live again."
)


class BuildingSummary(BaseModel):
    """A building in a list."""

    building_id: str = Field(description="Stable id of the building.")
    name: str = Field(description="Name that people know it by.")
    thread_id: str = Field(description="Its LangGraph thread.")
    mode: Mode = Field(description=MODE)
    going_live: bool = Field(False, description=GOING_LIVE)
    status: Literal["active", "closed"] = Field(description="A closed building accepts nothing more.")
    created_at: datetime = Field(description="When it was created.")
    pending_approvals: int = Field(description="How many questions wait for a person.")
    waiting_events: int = Field(description="How many events are queued or running.")


class DoingView(BaseModel):
    """An event that is being processed or waits for its turn."""

    seq: int = Field(description="Its place in the inbox.")
    source: str = Field(description="The system that sent it.")
    event_id: str = Field(description="The sender's id.")
    event_type: str = Field(description="What happened.")
    status: Literal["queued", "running"] = Field(description="queued or running.")
    attempts: int = Field(description="How often it was started.")
    received_at: datetime = Field(description="When it was accepted.")
    started_at: datetime | None = Field(None, description="When it was last taken in hand.")
    not_before: datetime | None = Field(None, description="After a failure: when it is tried again.")


class BlockedView(BaseModel):
    """A line that waits for a person, and for which answer."""

    item_id: str = Field(description="The line.")
    approval_id: str | None = Field(None, description="The approval that it waits for; null when it is on hold.")
    kind: str | None = Field(None, description="Kind of the approval.")
    summary: str | None = Field(None, description="What is asked, or why it is on hold.")
    asked_of: str | None = Field(None, description="Role that is asked.")
    held_until: date | None = Field(None, description="On hold: the day on which it is asked about again.")


class ProgressView(BaseModel):
    """How far the building is."""

    lines: dict[str, int] = Field(description="How many lines of the procurement log have each status.")
    doing: list[DoingView] = Field(description="What it does now and next: the first 20 open events.")
    waiting: int = Field(description="How many events are queued or running.")
    blocked: list[BlockedView] = Field(description="The lines that wait for a person.")


class WouldPlaceView(WouldOrderView):
    """An order that the agent would place."""

    item_id: str = Field(description="The line.")
    item: str = Field(description="Its name.")


class WouldChaseView(BaseModel):
    """Something overdue for which the agent would chase somebody."""

    item_id: str = Field(description="The line.")
    item: str = Field(description="Its name.")
    milestone: str = Field(description="acknowledge, ship, arrive or inspect.")
    due_on: date = Field(description="The day on which it was due.")
    on: date | None = Field(None, description="The day on which somebody is chased; in watch: if it went live today.")


class WouldDoView(BaseModel):
    """What the agent does next: in watch, if it went live now; on its first day live, when that is over."""

    orders: list[WouldPlaceView] = Field(description="Orders, those needed first before others.")
    chases: list[WouldChaseView] = Field(description="What it would chase for.")


class BuildingView(BaseModel):
    """A building as it stands."""

    building_id: str = Field(description="Stable id of the building.")
    name: str = Field(description="Name that people know it by.")
    thread_id: str = Field(description="Its LangGraph thread.")
    mode: Mode = Field(description=MODE)
    going_live: bool = Field(False, description=GOING_LIVE)
    origin: str | None = Field(None, description="Of a fork: the live building whose past it has.")
    status: Literal["active", "closed"] = Field(description="A closed building accepts nothing more.")
    time_zone: str = Field(description="IANA zone in which the building's days are counted.")
    currency: str = Field(description="ISO 4217 currency of the budget and the limits.")
    working_week: list[str] = Field(description="Working days of the site.")
    contacts: dict[str, Contact | str] = Field(description="Teams and people by role.")
    approvers: list[Approver] = Field(description="Who is asked, lowest first.")
    policy: Policy = Field(description="What the agent may do alone, and how it asks.")
    acts_from: datetime | None = Field(
        None, description="On the first day after watch: when the agent begins to order by itself."
    )
    would_do: WouldDoView | None = Field(
        None, description="In watch, and on the first day after it: what it would order and chase. Null otherwise."
    )
    schedule_version: int = Field(description="Version of the schedule that stands.")
    progress: ProgressView = Field(description="How far it is.")
    pending_approvals: list[ApprovalView] = Field(description="Questions that wait for a person, the oldest first.")
    open_flags: list[FlagView] = Field(description="What people should look at, the oldest first.")
