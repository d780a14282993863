"""Recording what an event says, before anything is decided: once, even where the step runs twice."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from domain.approvals import Approval, Responder
from domain.buildings import Building
from domain.errors import LongleadError
from domain.events import Entry
from domain.lines.stored import tie_breaker
from domain.lines.taking_in import COUNTED, RESTATED, Report
from domain.outstanding import resolved_message
from domain.plain_json import JsonObject, PlainAction
from domain.plan import RaisedQuestion
from domain.procurement import Item, LineFile, Message
from domain.recording import Recorded
from storage import procurement
from tools.context import ActionContext, Toolbox
from tools.decisions import Verdict
from tools.effects import run_effect
from tools.flags import band_settled
from tools.noted import ask_about_new_note
from tools.outside_orders import take_up

RECORDER = Responder(type="automated_rule", id="recorder", name="Recorder")

Recorder = Callable[[LineFile, Building], Recorded]


class Finding(BaseModel):
    """What recording an event came to: goes through the ledger and the state."""

    note: str
    repeat: bool = False
    items: list[str] = []
    looked_at: list[str] = []
    """Lines of which only the open questions are held against the facts: nothing else follows at once."""
    ask: list[RaisedQuestion] = []
    """Questions that the event itself raises."""
    say: list[PlainAction] = []
    """What people are told of the event itself, whatever else waits on its line."""
    settles: list[PlainAction] = []
    """What people are told of conflicts that are no more, unless a question of the line says so."""
    verdicts: list[Verdict] = []
    """What a model read without doubts."""
    unread: bool = False
    """A message that a model is to read."""

    def plain(self) -> JsonObject:
        """As it goes through ledger and state."""
        plain: JsonObject = self.model_dump(mode="json")
        return plain


def report_in(entry: Entry, building: Building) -> Report:
    """The event of an entry as the report of a fact."""
    return Report(
        said_at=_said_at(entry, building),
        received_at=entry.received_at + tie_breaker(entry.seq),
        source=entry.source,
        event_id=entry.event_id,
        seq=entry.seq,
        body=entry.body,
        is_dated=bool(entry.body.get("occurred_at")),
        dated_on=entry.today(building.zone),
        is_counted=entry.source == RESTATED and entry.event_id.endswith(COUNTED),
    )


def _said_at(entry: Entry, building: Building) -> datetime:
    """When it was said: at the latest when it came in."""
    return min(entry.at(building.zone), entry.received_at)


async def record(toolbox: Toolbox, entry: Entry, item_id: str, recorder: Recorder) -> Finding:
    """Record an event about one line, in one transaction; `recorder` is pure."""

    async def act(context: ActionContext) -> Finding:
        file = await context.file(item_id)
        known, order = await take_up(context, file)
        recorded = recorder(known, context.building)
        if recorded.is_set_aside and order:  # what is not believed tells of no order
            order, recorded = [], recorder(file, context.building)
        settles: list[PlainAction] = []
        if recorded.rows:
            context.save(*order)
        for row in recorded.rows:
            if isinstance(row, Item):
                settled, cleared = await band_settled(
                    context.transaction.conn, entry.building_id, file.item, row, entry.seq
                )
                context.save(settled, *cleared)
                settles += [resolved_message(settled)] if cleared and not settled.is_released else []
            else:
                context.save(row)
        return Finding(
            note=recorded.note,
            repeat=recorded.repeat,
            items=[item_id],
            ask=[RaisedQuestion(kind=kind, item_id=item_id, subject=subject) for kind, subject in recorded.ask],
            say=recorded.say,
            settles=settles,
        )

    return await record_facts(toolbox, entry, act, item=item_id)


async def record_facts(
    toolbox: Toolbox, entry: Entry, act: Callable[[ActionContext], Awaitable[Finding]], *, item: str | None = None
) -> Finding:
    """Record an event in one transaction."""

    async def act_and_keep(context: ActionContext) -> JsonObject:
        return Finding.model_validate(await act(context)).plain()

    result = await run_effect(
        toolbox,
        entry,
        f"record:{entry.event_type}",
        item=item,
        ordinal=0,
        kind="fact",
        arguments=entry.body,
        responder=RECORDER,
        act=act_and_keep,
    )
    if "would_do" in result:
        return Finding(note=f"would record {entry.event_type}", items=[item] if item else [])
    return Finding.model_validate(result)


def keep_note(context: ActionContext, party: str, text: str, items: Sequence[str]) -> None:
    """Put a text from outside on file: on the lines it is about, else on the building."""
    for number, item_id in enumerate(items or [None]):
        context.save(
            Message(
                message_id=f"M-{context.seq}-in-{number}",
                item_id=item_id,
                direction="in",
                party=party,
                text=text,
                caused_seq=context.seq,
            )
        )


async def record_note(toolbox: Toolbox, entry: Entry, *, party: str, text: str, items: list[str]) -> Finding:
    """Keep a text from outside: on the lines it is about, else on the building."""

    async def act(context: ActionContext) -> Finding:
        keep_note(context, party, text, items)
        asks = await ask_about_new_note(context, items, text)
        return Finding(note=f"note of {party} recorded", items=items, ask=asks)

    return await record_facts(toolbox, entry, act)


async def line_files(toolbox: Toolbox, building_id: str, item_ids: list[str]) -> list[LineFile]:
    """The files of the lines named, as they stand."""
    async with toolbox.lock:
        found = [await procurement.line_file(toolbox.conn, building_id, item_id) for item_id in item_ids]
    return [file for file in found if file is not None]


async def building_of(toolbox: Toolbox, building_id: str) -> Building:
    """The building as it stands.

    Raises:
        LongleadError: it was deleted while its agent ran.
    """
    async with toolbox.lock:
        return _there(await procurement.building(toolbox.conn, building_id), building_id)


async def zone_of(toolbox: Toolbox, entry: Entry) -> ZoneInfo:
    """The zone in which the building's days are counted. The inbox names it with the entry."""
    if entry.time_zone is not None:
        return ZoneInfo(entry.time_zone)
    return (await building_of(toolbox, entry.building_id)).zone


async def standing(
    toolbox: Toolbox, building_id: str, item_ids: list[str]
) -> tuple[Building, list[Approval], list[LineFile]]:
    """What is decided from: the building, the questions of these lines that are pending or answered and not yet
    settled, and the lines' files. Of a line that is bought in a lump sum, all lines of its group.

    Raises:
        LongleadError: it was deleted while its agent ran.
    """
    async with toolbox.lock:
        building, questions, files = await procurement.standing(toolbox.conn, building_id, item_ids)
        others = {other.item_id for file in files for other in file.group_lines} - set(item_ids)
        if others:
            together = [*item_ids, *sorted(others)]
            building, questions, files = await procurement.standing(toolbox.conn, building_id, together)
    return _there(building, building_id), questions, files


def _there(building: Building | None, building_id: str) -> Building:
    if building is None:
        raise LongleadError(f"Building {building_id!r} is gone; its entries cannot be processed.")
    return building
