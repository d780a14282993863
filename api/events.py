"""Events in: accepted once, in order, and never lost. What became of them."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from pydantic import JsonValue, TypeAdapter, ValidationError
from starlette.responses import JSONResponse, Response

from api.auth import Admin, AnyCaller, EventSender, must_change_vendors, must_send
from api.bodies import decoded, parse_bounded, read
from api.buildings import page_of_building
from api.event_view import AcceptedEvent, EventStatus, EventView, RetriedEvent
from api.held import Held, connection
from api.paging import Page
from api.parameters import BuildingId, Cursor, EventId, Limit, Prefer, Source
from api.problems import FieldProblem, InvalidBodyError, body_problems, documented
from api.waiting import APPLIED, Waiting, wait_of
from domain.errors import ForbiddenError, InvalidError, NotFoundError
from domain.events import (
    EVENT,
    EVENT_TYPES,
    INTERNAL_TYPES,
    MAX_BODY_BYTES,
    CloudEvent,
    Event,
    EventVoided,
    ItemsChanged,
    body_of,
)
from domain.principals import Principal, is_own_source
from domain.text import Name, at_the_door
from runtime.keys import RESERVED_SOURCE
from runtime.resources import Resources
from storage import inbox, pages, retry
from storage.audit import Signature
from storage.lists import EVENTS

router = APIRouter(tags=["events"])

CLOUD_EVENTS = "application/cloudevents+json"
DEFAULT_SOURCE = "api"

_CLOUD_EVENT: TypeAdapter[CloudEvent] = TypeAdapter(CloudEvent)
_ENVELOPE = {"event_type": "type", "event_id": "id", "source": "source", "occurred_at": "time"}


@dataclass(frozen=True)
class Sent:
    """An event with the source and the id that it is to be stored under; None where its sender gave none."""

    event: Event
    source: str | None
    event_id: str | None


@router.post(
    "/buildings/{building_id}/events",
    status_code=202,
    summary="Send an event",
    response_model=AcceptedEvent,
    response_description="Stored; it is processed in its turn.",
    responses={
        200: {
            "model": AcceptedEvent | EventView,
            "description": "This source sent this event_id before: where the first one is. "
            "With `Prefer: wait`: the whole event, processed.",
        },
        **documented(404, 409, 413, 422),
    },
)
async def send_event(
    building_id: BuildingId,
    request: Request,
    resources: Held,
    waiting: Waiting,
    caller: EventSender,
    prefer: Prefer = None,
) -> Response:
    """Accept an event into the building's inbox. The same `source` and `event_id` again: nothing is done twice; with
    another body: 409.

    JSON, or CloudEvents 1.0 in structured mode as `application/cloudevents+json`. At most 50,000 bytes.
    """
    raw = await read(request, MAX_BODY_BYTES)
    reader = _cloud_event if _is_cloud_event(request) else _event
    sent = await parse_bounded(raw, lambda text: reader(text, at_the_door(resources.clock.now())))
    event = sent.event
    _must_tell(caller, event)
    source = _source(caller, sent.source)
    if isinstance(event, EventVoided):
        _must_take_back(caller, event)
    async with connection(resources) as conn:
        accepted = await inbox.accept(
            conn,
            building_id,
            source=source,
            event_id=sent.event_id or str(uuid4()),
            event_type=event.event_type,
            body=body_of(event),
            now=resources.clock.now(),
            sent_by=caller.author,
        )
    if (seconds := wait_of(prefer)) and waiting.has_room:
        processed = await waiting.until(lambda: _processed(resources, building_id, accepted.seq), seconds)
        if processed is not None:
            return JSONResponse(processed.model_dump(mode="json"), headers=APPLIED)
    stored = {"event_id": accepted.event_id, "seq": accepted.seq, "status": accepted.status}
    return JSONResponse(stored, 202 if accepted.created else 200)


@router.get(
    "/buildings/{building_id}/events",
    summary="List events",
    responses=documented(404, 422),
)
async def list_events(
    building_id: BuildingId,
    resources: Held,
    _: AnyCaller,
    status: Annotated[EventStatus | None, Query(description="Only those that are here.")] = None,
    event_type: Annotated[Name | None, Query(description="Only those of this type.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[EventView]:
    """The building's inbox in order, with the entries that Longlead writes itself."""
    return await page_of_building(
        resources,
        building_id,
        EVENTS,
        EventView,
        limit=limit,
        cursor=cursor,
        status=status,
        event_type=event_type,
    )


@router.get(
    "/buildings/{building_id}/events/{event_id:path}",
    summary="Read an event",
    responses=documented(404, 409, 422),
)
async def get_event(
    building_id: BuildingId, event_id: EventId, resources: Held, _: AnyCaller, source: Source = None
) -> EventView:
    """One event with all that became of it. 409 where several sources sent that id and none is named."""
    async with connection(resources) as conn:
        event = await retry.named(conn, building_id, event_id, source)
        row = await pages.one(conn, EVENTS, building_id=building_id, seq=event.seq)
    if row is None:
        raise NotFoundError(f"Building {building_id!r} has no event {event_id!r}.")
    return EventView.model_validate(row)


@router.post(
    "/buildings/{building_id}/events/{event_id:path}/retry",
    status_code=202,
    summary="Retry a dead event",
    responses=documented(404, 409, 422),
)
async def retry_event(
    building_id: BuildingId, event_id: EventId, resources: Held, caller: Admin, source: Source = None
) -> RetriedEvent:
    """Queue a dead event again, in its old place, after what killed it was mended. 409 when it is not dead."""
    async with connection(resources) as conn:
        signature = Signature(caller.author, resources.clock.now())
        retried = await retry.retry(conn, building_id, event_id, source, signature)
    return RetriedEvent.model_validate(vars(retried))


async def _processed(resources: Resources, building_id: str, seq: int) -> EventView | None:
    async with connection(resources) as conn:
        row = await pages.one(conn, EVENTS, building_id=building_id, seq=seq)
    return EventView.model_validate(row) if row and row["status"] in ("done", "dead") else None


def _source(caller: Principal, given: str | None) -> str:
    """The source that an event is stored under.

    Raises:
        ForbiddenError: it is none of the caller's.
        InvalidError: none is given, and the caller has several.
    """
    if caller.sources is None:
        return given or DEFAULT_SOURCE
    allowed = ", ".join(map(repr, sorted(caller.sources)))
    if given is None and len(caller.sources) == 1:
        return next(iter(caller.sources))
    if given is None and DEFAULT_SOURCE not in caller.sources:
        raise InvalidError(f"source: is required with this key; it may send as {allowed}", "source")
    source = given or DEFAULT_SOURCE
    if source not in caller.sources:
        raise ForbiddenError(f"{caller.responder.name} may not send as {source!r:.100}; it may send as {allowed}.")
    return source


def _must_tell(caller: Principal, event: Event) -> None:
    """ForbiddenError for an event that the caller may not send, or that changes vendors though they may not."""
    must_send(caller, event.event_type)
    if isinstance(event, ItemsChanged) and event.vendors:
        must_change_vendors(caller)


def _must_take_back(caller: Principal, event: EventVoided) -> None:
    """ForbiddenError for an event of a source that is none of the caller's, or replaced by one that they may not
    send."""
    _source(caller, event.source)
    if event.instead is not None:
        _must_tell(caller, event.instead)


def _is_cloud_event(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == CLOUD_EVENTS


def _event(raw: bytes, context: Mapping[str, datetime]) -> Sent:
    try:
        event = EVENT.validate_json(raw, strict=True, context=context)
    except ValidationError as error:
        raise InvalidBodyError(_problems(error, decoded(raw))) from error
    _refuse_reserved(event.source)
    return Sent(event, event.source, event.own_id)


def _cloud_event(raw: bytes, context: Mapping[str, datetime]) -> Sent:
    try:
        envelope = _CLOUD_EVENT.validate_json(raw, strict=True, context=context)
    except ValidationError as error:
        raise InvalidBodyError(body_problems(error, decoded(raw))) from error
    body = envelope.body()
    try:
        event = EVENT.validate_json(json.dumps(body, default=str), strict=True, context=context)
    except ValidationError as error:
        found = _problems(error, body)
        ours = ("event_type", "occurred_at") if envelope.type == "Event_Voided" else tuple(_ENVELOPE)
        raise InvalidBodyError([_in_envelope(problem, ours) for problem in found]) from error
    _refuse_reserved(envelope.source)
    _refuse_reserved(event.source)
    return Sent(event, envelope.source, envelope.id)


def _in_envelope(problem: FieldProblem, ours: Collection[str]) -> FieldProblem:
    """A problem under the name that its field has in a CloudEvent; `ours`: fields that stand in the envelope."""
    field = _ENVELOPE[problem.field] if problem.field in ours else f"data.{problem.field}"
    return FieldProblem(field=field, message=problem.message)


def _problems(error: ValidationError, body: JsonValue) -> list[FieldProblem]:
    kind = error.errors(include_url=False, include_input=False, include_context=False)[0]["type"]
    if kind not in ("union_tag_invalid", "union_tag_not_found"):
        return body_problems(error, body)
    given = body.get("event_type") if isinstance(body, dict) else None
    return [FieldProblem(field="event_type", message=_type_message(given))]


def _type_message(given: JsonValue) -> str:
    known = f"known are {', '.join(EVENT_TYPES)}"
    if given is None:
        return f"is required; {known}"
    if given in INTERNAL_TYPES:
        return f"{given} is an entry that only Longlead writes itself; {known}"
    return f"{given!r:.100} is not a known event type; {known}"


def _refuse_reserved(source: str | None) -> None:
    if is_own_source(source or ""):
        message = f"sources that begin with {RESERVED_SOURCE!r} are Longlead's own; use the sending system's name"
        raise InvalidBodyError([FieldProblem(field="source", message=message)])
