"""How the checkpoints of a building's thread are shown."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class CheckpointView(BaseModel):
    """One step of the agent."""

    model_config = ConfigDict(from_attributes=True)

    checkpoint_id: str = Field(description="Id of the checkpoint.")
    parent_id: str | None = Field(None, description="The checkpoint before it.")
    at: datetime | None = Field(None, description="When it was written.")
    step: int | None = Field(None, description="LangGraph's number of the step within its run.")
    nodes: list[str] = Field([], description="The nodes that ran in this step.")
    seq: int | None = Field(None, description="Place in the inbox of the event in hand.")
    generation: int | None = Field(None, description="Which run of that event it was.")
    event_type: str | None = Field(None, description="The type of that event.")
    event_id: str | None = Field(None, description="The event_id of that event.")
    live: bool = Field(description="Whether a worker wrote it; false: an edit or run in Studio.")
    next: list[str] = Field([], description="The nodes that come next.")
    changed: list[str] = Field([], description="The parts of the state that changed.")
    rows: list[str] | None = Field(
        None, description="The rows that the step saved, as table/id; null where an older version wrote the checkpoint."
    )


class StateView(BaseModel):
    """The agent's state at one checkpoint."""

    building_id: str = Field(description="The building.")
    checkpoint_id: str = Field(description="Id of the checkpoint.")
    state: dict[str, Any] = Field(description="The state as the graph had it.")
