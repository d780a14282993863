"""How an entry of the inbox is shown."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.principals import Author

EventStatus = Literal["queued", "running", "done", "dead"]


class AcceptedEvent(BaseModel):
    """An event that was stored: from here it cannot be lost."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"event_id": "erp-4711", "seq": 12, "status": "queued"}]})

    event_id: str = Field(description="The sender's id, or the one that was made for it.")
    seq: int = Field(description="Its place in the building's inbox; events are processed in this order.")
    status: EventStatus = Field(description="Where it is: queued, running, done or dead.")


class EventView(AcceptedEvent):
    """An event with all that became of it."""

    building_id: str = Field(description="The building.")
    source: str = Field(description="The system that sent it.")
    event_type: str = Field(description="What happened.")
    body: dict[str, Any] = Field(description="The event as it was accepted.")
    sent_by: Author | None = Field(
        None, description="Who sent it; null: Longlead itself, or a version that did not keep it."
    )
    received_at: datetime = Field(description="When it was accepted.")
    started_at: datetime | None = Field(None, description="When it was last taken in hand.")
    finished_at: datetime | None = Field(None, description="When it was last done with.")
    generation: int = Field(description="How often it was retried by hand.")
    attempts: int = Field(description="How often it was started, crashes included.")
    failures: int = Field(description="How often it ended with an error of its own.")
    not_before: datetime | None = Field(None, description="After a failure: when it is tried again.")
    error: str | None = Field(None, description="The last error.")
    outcome: dict[str, Any] | None = Field(None, description="What came of it.")


class RetriedEvent(AcceptedEvent):
    """A dead event that is queued again."""

    generation: int = Field(description="How often it was retried by hand.")
