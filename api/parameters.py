"""The parameters that many addresses share, each bounded and described once."""

from typing import Annotated

from fastapi import Header, Path, Query

from domain.text import Name, Text

BuildingId = Annotated[Name, Path(description="The building.", examples=["office-renovation"])]
ItemId = Annotated[Name, Path(description="The line of the procurement log.", examples=["steel-beams"])]
EventId = Annotated[Text, Path(max_length=500, description="The sender's id of the event.", examples=["erp-4711"])]
ApprovalId = Annotated[Name, Path(description="The approval.")]
ForkId = Annotated[Name, Path(description="The fork.", examples=["office-renovation-fork-1"])]
CheckpointId = Annotated[Name, Path(description="The checkpoint.")]
Source = Annotated[Name | None, Query(description="The event's source; needed where two sources sent the same id.")]
OfEvent = Annotated[Name | None, Query(description="Only what this event caused, by its event_id.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many rows at most.")]
Cursor = Annotated[Text | None, Query(description="`next_cursor` of the page before; without it the first page.")]
Prefer = Annotated[
    list[str] | None,
    Header(
        description="`wait=N`: answer when it has been processed, or after N seconds (60 at most), whichever is first.",
        examples=[["wait=10"]],
    ),
]
IdempotencyKey = Annotated[
    Name | None,
    Header(description="Made by the sender, and its own: repeated it gets the first answer, with another body 409."),
]
CheckpointCursor = Annotated[
    Name | None, Query(description="`next_cursor` of the page before: a checkpoint_id. Without it the newest.")
]
