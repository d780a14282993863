"""What leaves the building: messages and orders on their way, those that reached nobody, and sending these again."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api.auth import Admin, AnyCaller
from api.held import Held, connection
from api.paging import Page, page_of
from api.parameters import Cursor, Limit
from api.problems import documented
from domain.outside import shown_name
from domain.text import Name
from runtime.channels_ways import Ways
from storage import outbox, pages
from storage.audit import Signature
from storage.outbox import OUTBOX, DeliveryStatus, MessageStatus

router = APIRouter(tags=["service"])

OutboxId = Annotated[int, Path(ge=1, lt=2**63, description="The message.")]


class DeliveryView(BaseModel):
    """A message on one of its ways. Addresses are in the settings alone."""

    channel: str = Field(description="What kind of way: mailtos, slack, webhook, erp, ...")
    status: DeliveryStatus = Field(description="queued, delivered, dead or withheld.")
    attempts: int = Field(description="Attempts begun.")
    error: str | None = Field(None, description="Why the last attempt failed.")
    next_attempt_at: datetime | None = Field(None, description="When it is tried again.")
    delivered_at: datetime | None = Field(None, description="When it was taken.")


class OutboxView(BaseModel):
    """A message for outside. What it says is in the building's messages and purchase orders."""

    outbox_id: int = Field(description="Id of the message.")
    building_id: str = Field(description="The building.")
    key: str = Field(description="Its ledger key: sent along as Idempotency-Key and webhook-id.")
    recipient: str = Field(description="Whom it is for.")
    subject: str = Field(description="What it is about.")
    status: MessageStatus = Field(
        description="queued: not yet on all its ways. delivered: each of its ways took it. logged: in the "
        "service's log alone, since no way out is configured for its recipient; nobody was told. dead: given up on "
        "at least one way. withheld: never sent. One that some ways took before the rest was withheld is delivered."
    )
    withheld_because: Literal["watch", "sandbox"] | None = Field(
        None, description="Why it, or the rest of it, is withheld: its building was in watch, or is a sandbox."
    )
    attempts: int = Field(description="Most attempts on any of its ways.")
    error: str | None = Field(None, description="Why it was not taken, by channel.")
    created_at: datetime = Field(description="When it was written.")
    delivered_at: datetime | None = Field(None, description="When a way last took it.")
    deliveries: list[DeliveryView] = Field([], description="Its ways beside the service's log.")


class RetriedView(OutboxView):
    """A message that is sent again."""

    warning: str | None = Field(None, description="Why nobody will be told all the same; null: it has a way.")


@router.get("/outbox", summary="List messages for outside", responses=documented(422))
async def list_outbox(
    resources: Held,
    caller: AnyCaller,
    status: Annotated[
        MessageStatus | None,
        Query(description="Only those with this status; dead letters: dead; those that nobody got: logged."),
    ] = None,
    building_id: Annotated[Name | None, Query(description="Only those of this building.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[OutboxView]:
    """Messages and orders for outside, in the order in which they were written."""
    async with connection(resources) as conn:
        return await page_of(
            conn,
            OUTBOX,
            OutboxView,
            theirs=caller.buildings,
            limit=limit,
            cursor=cursor,
            status=status,
            building_id=building_id,
        )


@router.post(
    "/outbox/{outbox_id}/retry",
    status_code=202,
    summary="Send a message again that reached nobody",
    responses=documented(404, 409, 422),
)
async def retry(outbox_id: OutboxId, resources: Held, caller: Admin) -> RetriedView:
    """Send a dead or logged message again, with the same key, on the ways that it should go by the settings of now.

    Where these have no way to its recipient, `warning` says so.
    """
    async with connection(resources) as conn:
        await outbox.retry(conn, outbox_id, Signature(caller.author, resources.clock.now()))
        row = await pages.one(conn, OUTBOX, outbox_id=outbox_id)
        message = await outbox.message(conn, outbox_id)
    retried = RetriedView.model_validate(row)
    if message is not None and not Ways(resources.settings).of(message):
        retried.warning = (
            f"No way out is configured for {shown_name(retried.recipient)}: the message is only logged again, and "
            "nobody is told. Name a way in LONGLEAD_CHANNELS, restart the service, and retry it."
        )
    return retried
