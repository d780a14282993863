"""Recording changes of the log as a whole: a revised schedule, lines added, changed or removed, the closing."""

from datetime import date
from typing import Any

from domain.approvals import Approval
from domain.buildings import Delivery, delivery_problem
from domain.changing_lines import Applied, Asked, Log, Refused, WantedLine, is_bound
from domain.events import CLEAR, Entry, ItemChange, ItemsChanged, ScheduleRevised
from domain.orders import as_date
from domain.outstanding import resolved_message
from domain.procurement import Item, LineFile, ScheduleVersion
from domain.questions.change_order import KIND as CHANGE_ORDER
from domain.questions.change_order import ChangeOrderSubject, still_wanted, subject_of
from storage import procurement
from tools.apart import breathe, work_apart
from tools.context import ActionContext, Toolbox
from tools.flags import band_settled
from tools.recording import Finding, record_facts
from tools.schedule import open_log, save_version
from tools.vendors import change_vendors


async def revise_schedule(toolbox: Toolbox, entry: Entry, event: ScheduleRevised) -> Finding:
    """A new version: every open line gets its new need and is compared again. Lines that the new schedule does not
    name keep their last need; deliveries that have no line get one."""

    async def act(context: ActionContext) -> dict[str, Any]:
        conn = context.transaction.conn
        body = event.schedule.model_dump(mode="json", exclude_none=True)
        data_date = None if event.data_date is None else as_date(event.data_date)
        standing = await procurement.current_schedule(conn, entry.building_id)
        if standing is not None and None not in (standing.data_date, data_date) and data_date < standing.data_date:  # type: ignore[operator]
            return vars(Finding(note=await _file_past_version(context, body, data_date, standing)))
        before = {item.item_id: item for item in await procurement.items(conn, entry.building_id)}
        log = await open_log(context, before.values())
        await work_apart(log.replace_schedule, body)
        changed: list[Item] = []
        say: list[dict[str, Any]] = []
        problems: list[str] = []
        for number, known in enumerate(before.values()):
            await breathe(number)
            if known.removed:
                continue
            problem = delivery_problem(_deliveries(log, known.item_id), known.quantity)
            if problem is not None:
                problems.append(f"{known.shown}: {problem}")
            item = log.scheduled(known)
            if item == known:
                continue
            settled, cleared = await band_settled(conn, entry.building_id, known, item, entry.seq)
            context.save(*cleared)
            say += [resolved_message(settled)] if cleared else []
            changed.append(settled.model_copy(update={"caused_seq": entry.seq}))
        changed += log.add_scheduled()
        await save_version(context, log.plan.body, data_date)
        context.save(*changed)
        version = context.building.schedule_version
        note = f"schedule version {version}: {len(changed)} of {len(before)} lines moved"
        ask = [_unclear(entry, problem) for problem in _told(problems)]
        return vars(Finding(note=note, items=[item.item_id for item in changed], say=say, ask=ask))

    return await record_facts(toolbox, entry, act)


def _deliveries(log: Log, item_id: str) -> list[Delivery]:
    return [Delivery.model_validate(one) for one in log.plan.deliveries_of(item_id)]


async def _file_past_version(
    context: ActionContext, body: dict[str, Any], data_date: date | None, standing: ScheduleVersion
) -> str:
    """Old news: the version is on file, and the one that stood goes on standing as the version after it."""
    past = await save_version(context, body, data_date)
    again = await save_version(context, dict(standing.body), standing.data_date)
    return (
        f"schedule version {past} speaks of {data_date}, before {standing.data_date} of the version that stands: "
        f"it is on file and changes nothing; version {again} is the standing one"
    )


async def change_items(toolbox: Toolbox, entry: Entry, event: ItemsChanged) -> Finding:
    """Lines added, changed (absent fields stay, cleared ones are emptied) and removed. What needs a person's word is
    asked, what cannot be done is told, the rest is done."""

    async def act(context: ActionContext) -> dict[str, Any]:
        conn, building_id = context.transaction.conn, entry.building_id
        vendors = await change_vendors(context, event.vendors)
        items = await procurement.items(conn, building_id)
        log = await open_log(context, items, set(vendors.known))
        body = log.plan.body
        refused: list[str] = [*vendors.refused]
        touched: list[str] = []
        notes: list[str] = []
        asks: dict[str, dict[str, Any]] = {}
        for number, change in enumerate(event.items):
            await breathe(number)
            wanted = _wanted(context, change)
            known = log.find(wanted)
            file = await context.file(known.item_id) if known is not None and is_bound(known) else None
            outcome = log.change(wanted, file)
            if isinstance(outcome, Refused):
                refused.append(outcome.reason)
                continue
            item = outcome.item
            if outcome.before is not None:
                item, cleared = await band_settled(conn, building_id, outcome.before, item, entry.seq)
                context.save(*cleared)
                log.items[item.item_id] = item
            context.save(item)
            touched.append(item.item_id)
            if isinstance(outcome, Applied):
                notes += [outcome.note] if outcome.note else []
            if file is not None:
                earlier = asks.pop(item.item_id, None)
                question = await _change_order(context, file, outcome, earlier)
                asks |= {} if question is None else {item.item_id: question}
        if log.plan.body != body:
            await save_version(context, log.plan.body)
        told = _told(refused)
        note = f"{len(touched)} lines changed" + (f", {vendors.changed} vendors" if vendors.changed else "")
        note = "; ".join([note, *notes])
        note += f"; a change of the order is asked for {len(asks)}" if asks else ""
        note += f"; refused: {'; '.join(told)}" if refused else ""
        ask = [*asks.values(), *(_unclear(entry, problem) for problem in told)]
        concerned = list(dict.fromkeys([*touched, *vendors.items]))
        return vars(Finding(note=note, items=concerned, ask=ask, say=vendors.say))

    return await record_facts(toolbox, entry, act)


async def _change_order(
    context: ActionContext, file: LineFile, outcome: Applied | Asked, asked: dict[str, Any] | None
) -> dict[str, Any] | None:
    """The question of a change order, together with what already waits on the same order. Where nothing is left that
    the line does not have, a question that is open is withdrawn. `asked`: what this very event asks of the line."""
    pending = await _pending_change(context, file)
    known = asked["subject"] if asked else None if pending is None else pending.subject
    earlier = None if known is None else ChangeOrderSubject.model_validate(known)
    if isinstance(outcome, Applied) and earlier is None:
        return None
    subject = subject_of(file, outcome, earlier)
    if subject.removal or still_wanted(outcome.item, subject):
        return {
            "kind": CHANGE_ORDER.name,
            "item_id": outcome.item.item_id,
            "subject": subject.model_dump(mode="json", exclude_unset=True),
        }
    if pending is not None:
        context.save(pending.supersede())
    return None


async def _pending_change(context: ActionContext, file: LineFile) -> Approval | None:
    """The open change order of the line's current order."""
    conn, building_id = context.transaction.conn, context.building.building_id
    open_ = await procurement.open_questions(conn, building_id, file.item.item_id)
    order = "" if file.order is None else file.order.number
    return next((one for one in open_ if one.kind == CHANGE_ORDER.name and one.matter == order), None)


def _wanted(context: ActionContext, change: ItemChange) -> WantedLine:
    values = change.model_dump(exclude_none=True, exclude={"removed", "item_id", "name", "required_by", CLEAR})
    values |= {name: _when_cleared(context).get(name) for name in change.clear}
    if change.required_by is not None:
        values["required_by"] = as_date(change.required_by)
    return WantedLine(change.item_id, change.name, values, change.removed)


MAX_REFUSED = 20
"""Changes that were refused and are asked about one by one; those beyond are told as one."""


def _told(refused: list[str]) -> list[str]:
    beyond = refused[MAX_REFUSED:]
    return [*refused[:MAX_REFUSED], *([f"{len(beyond)} more lines, the first: {beyond[0]}"] if beyond else [])]


def _unclear(entry: Entry, problem: str) -> dict[str, Any]:
    subject = {
        "text": problem,
        "source": entry.source,
        "event_id": entry.event_id,
        "event_type": entry.event_type,
    }
    return {"kind": "event_unclear", "item_id": None, "subject": subject}


def _when_cleared(context: ActionContext) -> dict[str, Any]:
    """What a cleared field is then, where it is not nothing: as of a line that was posted without it."""
    return {"currency": context.building.currency, "buffer_days": 0}


async def close_building(toolbox: Toolbox, entry: Entry) -> Finding:
    """Close the building, unless lines are open: then it stays open, and the finding says which they are."""

    async def act(context: ActionContext) -> dict[str, Any]:
        items = await procurement.items(context.transaction.conn, entry.building_id)
        open_ = [item.shown for item in items if not item.removed and not item.is_released]
        asked = await procurement.open_questions(context.transaction.conn, entry.building_id)
        pending = [approval for approval in asked if approval.kind != "delegation_request"]
        if open_ or pending:
            named = ", ".join(open_[:5]) + (f" and {len(open_) - 5} more" if len(open_) > 5 else "")
            why = f"{len(open_)} lines are open ({named})" if open_ else f"{len(pending)} questions are open"
            return vars(Finding(note=f"refused: {why}"))
        context.save(*(approval.withdraw() for approval in asked))
        context.building.status = "closed"
        return vars(Finding(note="building closed"))

    return await record_facts(toolbox, entry, act)
