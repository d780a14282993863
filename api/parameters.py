"""The parameters that many addresses share, each bounded and described once."""

from typing import Annotated

from fastapi import Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError

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
Cursor = Annotated[
    str | None,
    Query(min_length=1, max_length=4000, description="`next_cursor` of the page before; without it the first page."),
]
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


async def refuse_nul(request: Request) -> None:
    """Refuse what PostgreSQL cannot store in any parameter of any address, whatever its type says: called for all.

    Raises:
        RequestValidationError: a parameter of the path or the query holds a NUL character, or its name does.
    """
    if not getattr(request.scope.get("route"), "include_in_schema", True):
        return  # pages answer a link that was not made here as one that opens nothing
    given = [("path", name, str(value)) for name, value in request.path_params.items()]
    given += [("query", name, value) for name, value in request.query_params.multi_items()]
    wrong = [
        {"type": "value_error", "loc": (place, name.replace("\x00", "\\0")), "msg": "must not contain NUL characters"}
        for place, name, value in given
        if "\x00" in value or "\x00" in name
    ]
    if wrong:
        raise RequestValidationError(wrong)
