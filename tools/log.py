"""Recording changes of the log as a whole: a revised schedule, lines added, changed or removed, the closing."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

from domain.actions import action
from domain.approvals import Approval
from domain.buildings import MANAGER, Delivery, delivery_problem
from domain.changing_lines import Applied, Asked, Log, Refused, WantedLine, is_recounted, touches_order
from domain.counts import write_count, write_open
from domain.events import CLEAR, Entry, ItemChange, ItemsChanged, ScheduleRevised
from domain.line_states import LineState
from domain.lines.projection import changed_rows, recount
from domain.lump_sums import in_group
from domain.milestones import spread_chases
from domain.outstanding import resolved_message
from domain.plain_json import JsonObject
from domain.plan import RaisedQuestion
from domain.procurement import Item, LineFile, LineValue, Row, ScheduleVersion
from domain.questions.change_order import KIND as CHANGE_ORDER
from domain.questions.change_order import ChangeOrderSubject, still_wanted, subject_of
from domain.schedule import as_date
from domain.taking_on import NotPossibleError, OrderBook, take_on
from storage import procurement
from tools.apart import breathe, work_apart
from tools.context import ActionContext, Toolbox
from tools.flags import band_settled, bands_settled
from tools.line_files import read_files
from tools.recording import Finding, record_facts
from tools.schedule import open_log, save_version
from tools.taking_on import finding_of, moment_of, read_order_book
from tools.vendors import change_vendors


async def revise_schedule(toolbox: Toolbox, entry: Entry, event: ScheduleRevised) -> Finding:
    """A new version: every open line gets its new need and is compared again. Lines that the new schedule does not
    name keep their last need; deliveries that have no line get one."""

    async def act(context: ActionContext) -> Finding:
        conn = context.transaction.conn
        body = event.schedule.model_dump(mode="json", exclude_none=True)
        data_date = None if event.data_date is None else as_date(event.data_date)
        standing = await procurement.current_schedule(conn, entry.building_id)
        if standing is not None and None not in (standing.data_date, data_date) and data_date < standing.data_date:  # type: ignore[operator]
            return Finding(note=await _file_past_version(context, body, data_date, standing))
        before = {item.item_id: item for item in await procurement.items(conn, entry.building_id)}
        log = await open_log(context, before.values())
        await work_apart(log.replace_schedule, body)
        moved, problems = await work_apart(_reschedule, log, list(before.values()))
        counted = await _recount_all(context, before, moved)
        resolved, cleared = await bands_settled(
            conn, entry.building_id, [(before[item.item_id], item) for item in counted], entry.seq
        )
        context.save(*cleared)
        flagged = {flag.item_id for flag in cleared}
        settles = [resolved_message(item) for item in resolved if item.item_id in flagged]
        changed = [item.model_copy(update={"caused_seq": entry.seq}) for item in resolved]
        changed += await work_apart(log.add_scheduled)
        await save_version(context, log.plan.body, data_date)
        context.save(*changed)
        version = context.building.schedule_version
        note = f"schedule version {version}: {len(changed)} of {write_count(len(before), 'line')} moved"
        ask = [_unclear(entry, problem) for problem in _told(problems)]
        return Finding(note=note, items=[item.item_id for item in changed], settles=settles, ask=ask)

    return await record_facts(toolbox, entry, act)


async def _recount_all(context: ActionContext, before: dict[str, Item], items: list[Item]) -> list[Item]:
    """The lines as their facts make them. Only the files of those are read of which another quantity is needed."""
    ids = [item.item_id for item in items if is_recounted(before[item.item_id], item)]
    counted: dict[str, Item] = {}
    wanted = {item.item_id: item for item in items}
    async for file in read_files(context, ids):
        after = recount(file, wanted[file.item.item_id], context.seq)
        context.save(*_without_line(changed_rows(file, after)))
        counted[file.item.item_id] = after.item
    return [counted.get(item.item_id, item) for item in items]


def _reschedule(log: Log, lines: Iterable[Item]) -> tuple[list[Item], list[str]]:
    """The lines whose needs the schedule changes, as they then are; and what does not add up. Pure."""
    moved: list[Item] = []
    problems: list[str] = []
    for known in lines:
        if known.removed:
            continue
        if log.plan.is_in_parts(known.item_id):
            problem = delivery_problem(_deliveries(log, known.item_id), known.quantity)
            problems += [] if problem is None else [f"{known.shown}: {problem}"]
        item = log.scheduled(known)
        if item != known:
            moved.append(item)
    return moved, problems


def _deliveries(log: Log, item_id: str) -> list[Delivery]:
    return [Delivery.model_validate(one) for one in log.plan.deliveries_of(item_id)]


async def _file_past_version(
    context: ActionContext, body: JsonObject, data_date: date | None, standing: ScheduleVersion
) -> str:
    """Old news: the version is on file, and the one that stood goes on standing as the version after it."""
    past = await save_version(context, body, data_date)
    again = await save_version(context, dict(standing.body), standing.data_date)
    return (
        f"schedule version {past} speaks of {data_date}, before {standing.data_date} of the version that stands: "
        f"it is on file and changes nothing; version {again} is the standing one"
    )


@dataclass
class _Changes:
    """What the lines of one event come to."""

    log: Log
    open_changes: dict[str, list[Approval]]
    """Change orders that wait for an answer, by their line."""
    refused: list[str]
    touched: list[str] = field(default_factory=list)
    recounted: dict[str, LineFile] = field(default_factory=dict)
    """Of lines whose facts were gone through again: their files as they then are."""
    notes: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    """What does not add up, though it was taken in."""
    book: OrderBook = field(default_factory=OrderBook)
    """The orders that lines which are taken on name."""
    vendors: Collection[str] = ()
    """Ids of the vendors that are known."""
    taken_on: dict[str, LineFile] = field(default_factory=dict)
    """Lines that were taken on with what was known of them."""
    asks: dict[str, RaisedQuestion] = field(default_factory=dict)
    """Change orders that this event asks about, by their line."""


async def change_items(toolbox: Toolbox, entry: Entry, event: ItemsChanged) -> Finding:
    """Lines added, changed (absent fields stay, cleared ones are emptied) and removed. What needs a person's word is
    asked, what cannot be done is told, the rest is done."""

    async def act(context: ActionContext) -> Finding:
        conn, building_id = context.transaction.conn, entry.building_id
        vendors = await change_vendors(context, event.vendors)
        log = await open_log(context, await procurement.items(conn, building_id), set(vendors.known))
        body = log.plan.body
        changes = _Changes(log, await _open_changes(context), [*vendors.refused], vendors=set(vendors.known))
        changes.book = await read_order_book(context, [change.state for change in event.items if change.state])
        for number, change in enumerate(event.items):
            await breathe(number)
            await _change_line(context, changes, _wanted(context, change))
        if log.plan.body != body:
            await save_version(context, log.plan.body)
        refused, unclear = _told(changes.refused), _told(changes.unclear)
        note = write_count(len(changes.touched), "line") + " changed"
        note += f", {write_count(vendors.changed, 'vendor')}" if vendors.changed else ""
        note = "; ".join([note, *changes.notes, *unclear])
        note += f"; a change of the order is asked for {len(changes.asks)}" if changes.asks else ""
        note += f"; refused: {'; '.join(refused)}" if refused else ""
        ask = [*changes.asks.values(), *(_unclear(entry, problem) for problem in [*refused, *unclear])]
        concerned = [one for one in dict.fromkeys([*changes.touched, *vendors.items]) if one not in changes.taken_on]
        finding = Finding(note=note, items=concerned, ask=ask, say=vendors.say)
        return _with_taken_on(context, changes, finding)

    return await record_facts(toolbox, entry, act)


async def _change_line(context: ActionContext, changes: _Changes, wanted: WantedLine) -> None:
    log = changes.log
    known = log.find(wanted)
    file = None
    if known is not None and (known.item_id in changes.open_changes or touches_order(known, wanted)):
        file = await context.file(known.item_id)
    outcome = log.change(wanted, file)
    if isinstance(outcome, Refused):
        changes.refused.append(outcome.reason)
        return
    item = outcome.item
    if outcome.before is not None:
        item = await _recounted(context, changes, outcome.before, item)
        conn, building_id = context.transaction.conn, context.building.building_id
        item, cleared = await band_settled(conn, building_id, outcome.before, item, context.seq)
        context.save(*cleared)
        log.items[item.item_id] = item
    also = outcome.also if isinstance(outcome, Applied) else ()
    context.save(item, *also)
    changes.touched += [item.item_id, *(other.item_id for other in also)]
    if isinstance(outcome, Applied) and outcome.note:
        changes.notes.append(outcome.note)
    if "quantity" in wanted.values and not item.removed:
        problem = delivery_problem(_deliveries(log, item.item_id), item.quantity)
        changes.unclear += [] if problem is None else [f"{item.shown}: {problem}"]
    if file is not None:
        question = _change_order(context, changes, file, outcome)
        changes.asks.pop(item.item_id, None)
        changes.asks |= {} if question is None else {item.item_id: question}
    if wanted.state is not None:
        await _take_on(context, changes, item, wanted.state, is_new=outcome.before is None)


async def _take_on(context: ActionContext, changes: _Changes, item: Item, state: LineState, *, is_new: bool) -> None:
    """Take the line on with what is known of it; what cannot be is told like any other change that is refused."""
    known = changes.taken_on.get(item.item_id) or changes.recounted.get(item.item_id)
    if known is None:
        known = (
            LineFile(item=item, tolerances=context.building.policy.tolerances)
            if is_new
            else await context.file(item.item_id)
        )
    file = known.model_copy(update={"item": item.model_copy(update={"account": known.item.account})})
    moment = moment_of(context)
    try:
        taken = take_on(file, state, context.building, moment, book=changes.book, vendors=changes.vendors)
    except NotPossibleError as error:
        changes.refused.append(f"{item.shown} is not taken on: {error.where.replace('.', ' ')}: {error.why}")
        return
    conn, building_id = context.transaction.conn, context.building.building_id
    settled, cleared = await band_settled(conn, building_id, item, taken.file.item, context.seq)
    rows = [row for row in taken.rows if not isinstance(row, Item)]
    context.save(*([settled] if settled != item else []), *rows, *cleared)
    changes.log.items[item.item_id] = settled
    if taken.rows:
        changes.taken_on[item.item_id] = taken.file.model_copy(update={"item": settled})


def _with_taken_on(context: ActionContext, changes: _Changes, finding: Finding) -> Finding:
    """The finding with what follows from the lines that were taken on, all of them at once."""
    files = list(changes.taken_on.values())
    if not files:
        return finding
    today = moment_of(context).today
    context.save(*spread_chases(files, context.building, today, context.seq))
    taken = finding_of(files, context.building, context.seq)
    return finding.model_copy(
        update={
            "note": f"{finding.note}; {taken.note}",
            "looked_at": taken.looked_at,
            "ask": [*finding.ask, *taken.ask],
            "say": [*finding.say, *taken.say],
        }
    )


async def _recounted(context: ActionContext, changes: _Changes, before: Item, item: Item) -> Item:
    """The line as its facts make it, where more than its days has changed."""
    if not is_recounted(before, item):
        return item
    file = changes.recounted.get(item.item_id) or await context.file(item.item_id)
    counted = recount(file, item, context.seq)
    changes.recounted[item.item_id] = counted
    context.save(*_without_line(changed_rows(file, counted)))
    return counted.item


def _without_line(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not isinstance(row, Item)]


async def _open_changes(context: ActionContext) -> dict[str, list[Approval]]:
    found: dict[str, list[Approval]] = {}
    for approval in await procurement.open_questions(context.transaction.conn, context.building.building_id):
        if approval.kind == CHANGE_ORDER.name and approval.item_id is not None:
            found.setdefault(approval.item_id, []).append(approval)
    return found


def _change_order(
    context: ActionContext, changes: _Changes, file: LineFile, outcome: Applied | Asked
) -> RaisedQuestion | None:
    """The question of a change order, together with what already waits on the same order. Where nothing is left that
    the line does not have, a question that is open is withdrawn."""
    item_id, order = outcome.item.item_id, "" if file.order is None else file.order.number
    pending = next((one for one in changes.open_changes.get(item_id, []) if one.matter == order), None)
    asked = changes.asks.get(item_id)
    known = asked.subject if asked else None if pending is None else pending.subject
    earlier = None if known is None else ChangeOrderSubject.model_validate(known)
    if isinstance(outcome, Applied) and earlier is None:
        return None
    subject = subject_of(file, outcome, earlier)
    if subject.removal or still_wanted(outcome.item, subject):
        body = subject.model_dump(mode="json", exclude_unset=True)
        return RaisedQuestion(kind=CHANGE_ORDER.name, item_id=item_id, subject=body)
    if pending is not None:
        context.save(pending.supersede())
    return None


def _wanted(context: ActionContext, change: ItemChange) -> WantedLine:
    values = change.model_dump(
        exclude_none=True, exclude={"removed", "item_id", "name", "required_by", "lump_sum", "state", CLEAR}
    )
    values |= {name: _when_cleared(context).get(name) for name in change.clear if name != "lump_sum"}
    if change.lump_sum is not None or "lump_sum" in change.clear:
        values |= in_group(change.lump_sum)
    if change.required_by is not None:
        values["required_by"] = as_date(change.required_by)
    return WantedLine(change.item_id, change.name, values, change.removed, state=change.state)


MAX_REFUSED = 20
"""Changes that were refused and are asked about one by one; those beyond are told as one."""


def _told(refused: list[str]) -> list[str]:
    beyond = refused[MAX_REFUSED:]
    return [*refused[:MAX_REFUSED], *([f"{len(beyond)} more lines, the first: {beyond[0]}"] if beyond else [])]


def _unclear(entry: Entry, problem: str) -> RaisedQuestion:
    subject: JsonObject = {
        "text": problem,
        "source": entry.source,
        "event_id": entry.event_id,
        "event_type": entry.event_type,
    }
    return RaisedQuestion(kind="event_unclear", subject=subject)


def _when_cleared(context: ActionContext) -> dict[str, LineValue]:
    """What a cleared field is then, where it is not nothing: as of a line that was posted without it."""
    return {"currency": context.building.currency, "buffer_days": 0}


async def close_building(toolbox: Toolbox, entry: Entry) -> Finding:
    """Close the building, unless lines are open: then it stays open, and the finding says which they are."""

    async def act(context: ActionContext) -> Finding:
        items = await procurement.items(context.transaction.conn, entry.building_id)
        open_ = [item.shown for item in items if not item.removed and not item.is_released]
        asked = await procurement.open_questions(context.transaction.conn, entry.building_id)
        pending = [approval for approval in asked if approval.kind != "delegation_request"]
        if open_ or pending:
            named = ", ".join(open_[:5]) + (f" and {len(open_) - 5} more" if len(open_) > 5 else "")
            why = f"{write_open(len(open_), 'line')} ({named})" if open_ else write_open(len(pending), "question")
            tell = action("notify_team", team=MANAGER, message=f"{context.building.name} is not closed: {why}.")
            return Finding(note=f"refused: {why}", say=[tell])
        context.save(*(approval.withdraw() for approval in asked))
        context.building.status = "closed"
        return Finding(note="building closed")

    return await record_facts(toolbox, entry, act)
