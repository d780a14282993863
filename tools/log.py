"""Recording changes of the log as a whole: a revised schedule, lines added, changed or removed, the closing."""

from typing import Any

from domain.actions import action
from domain.buildings import MANAGER
from domain.events import CLEAR, Entry, ItemChange, ItemsChanged, ScheduleRevised
from domain.line_names import LineNames
from domain.outside import shown_name
from domain.outstanding import resolved_message
from domain.plain_json import PlainAction
from domain.procurement import Item
from domain.schedule import as_date, compared
from domain.text import DistinctIds, folded, slug
from storage import procurement
from tools.apart import breathe, work_apart
from tools.context import ActionContext, Toolbox
from tools.flags import band_settled
from tools.recording import Finding, record_facts
from tools.schedule import save_version
from tools.vendors import change_vendors


async def revise_schedule(toolbox: Toolbox, entry: Entry, event: ScheduleRevised) -> Finding:
    """A new version: every open line gets its new need and is compared again. Lines that the new schedule does not
    name keep their last need; deliveries that have no line get one."""

    async def act(context: ActionContext) -> Finding:
        body = event.schedule.model_dump(mode="json", exclude_none=True)
        data_date = None if event.data_date is None else as_date(event.data_date)
        save_version(context, body, data_date)
        items = await procurement.items(context.transaction.conn, entry.building_id)
        names = await work_apart(_names_of, items)
        by_id = {item.item_id: item for item in items}
        ids = DistinctIds(by_id)
        changed: list[Item] = []
        say: list[PlainAction] = []
        for number, delivery in enumerate(event.schedule.deliveries):
            await breathe(number)
            need = {"required_by": as_date(delivery.required_by), "buffer_days": delivery.buffer_days}
            known = by_id.get(names.find(delivery.item) or "")
            if known is None:
                changed.append(_from_delivery(context, delivery.item, need, ids))
                continue
            item = compared(known.model_copy(update=need))
            if item == known:
                continue
            settled, cleared = await band_settled(context.transaction.conn, entry.building_id, known, item, entry.seq)
            context.save(*cleared)
            say += [resolved_message(settled)] if cleared else []
            changed.append(settled.model_copy(update={"caused_seq": entry.seq}))
        context.save(*changed)
        version = context.building.schedule_version
        note = f"schedule version {version}: {len(changed)} of {len(items)} lines moved"
        return Finding(note=note, items=[item.item_id for item in changed], say=say)

    return await record_facts(toolbox, entry, act)


def _from_delivery(context: ActionContext, name: str, need: dict[str, Any], ids: DistinctIds) -> Item:
    return Item(
        item_id=ids.take(slug(name)),
        name=name,
        currency=context.building.currency,
        posted=False,
        caused_seq=context.seq,
        **need,
    )


async def change_items(toolbox: Toolbox, entry: Entry, event: ItemsChanged) -> Finding:
    """Lines added, changed (absent fields stay, cleared ones are emptied) and removed. What cannot be done is told, the
    rest is."""

    async def act(context: ActionContext) -> Finding:
        conn, building_id = context.transaction.conn, entry.building_id
        vendors = await change_vendors(context, event.vendors)
        items = {item.item_id: item for item in await procurement.items(conn, building_id)}
        refused: list[str] = [*vendors.refused]
        touched: list[str] = []
        names = await work_apart(_names_of, list(items.values()))
        for number, change in enumerate(event.items):
            await breathe(number)
            known = items.get(names.find(change.item_id or change.name or "") or "")
            problem = _problem(change, known, set(vendors.known))
            if problem is not None:
                refused.append(problem)
                continue
            item = _changed(context, change, known)
            if known is not None:
                settled, cleared = await band_settled(conn, building_id, known, item, entry.seq)
                context.save(*cleared)
                item = settled
            context.save(item)
            items[item.item_id] = item
            _rename(names, known, item)
            touched.append(item.item_id)
        told = _told(refused)
        note = f"{len(touched)} lines changed" + (f", {vendors.changed} vendors" if vendors.changed else "")
        note += f"; refused: {'; '.join(told)}" if refused else ""
        ask = [_unclear(entry, problem) for problem in told]
        concerned = list(dict.fromkeys([*touched, *vendors.items]))
        return Finding(note=note, items=concerned, ask=ask, say=vendors.say)

    return await record_facts(toolbox, entry, act)


def _names_of(items: list[Item]) -> LineNames:
    return LineNames((item.item_id, item.name) for item in items if not item.removed)


MAX_REFUSED = 20
"""Changes that were refused and are asked about one by one; those beyond are told as one."""


def _told(refused: list[str]) -> list[str]:
    beyond = refused[MAX_REFUSED:]
    return [*refused[:MAX_REFUSED], *([f"{len(beyond)} more lines, the first: {beyond[0]}"] if beyond else [])]


def _rename(names: LineNames, before: Item | None, item: Item) -> None:
    """Keep the index true to a line that was added, renamed or removed."""
    if before is not None and (before.removed, before.name) == (item.removed, item.name):
        return
    if before is not None:
        names.drop(before.item_id, before.name)
    if not item.removed:
        names.add(item.item_id, item.name)


def _problem(change: ItemChange, known: Item | None, vendors: set[str]) -> str | None:
    """Why a change cannot be made; None when it can."""
    named = change.item_id or change.name
    if named is None:
        return "a line without item_id and name"
    if known is None and change.removed:
        return f"{shown_name(named)} is to be removed, but there is no such line"
    if known is None and change.name is None:
        return f"{shown_name(named)} is new and has no name"
    if change.vendor_id is not None and change.vendor_id not in vendors:
        return f"{shown_name(named)} names the vendor {change.vendor_id}, who is not known"
    return None


def _unclear(entry: Entry, problem: str) -> dict[str, Any]:
    subject = {
        "text": problem,
        "source": entry.source,
        "event_id": entry.event_id,
        "event_type": entry.event_type,
    }
    return {"kind": "event_unclear", "item_id": None, "subject": subject}


def _changed(context: ActionContext, change: ItemChange, known: Item | None) -> Item:
    given = change.model_dump(exclude_none=True, exclude={"removed", "item_id", "required_by", CLEAR})
    given.update({name: _when_cleared(context).get(name) for name in change.clear})
    if change.required_by is not None:
        given["required_by"] = as_date(change.required_by)
    if known is None:
        name = str(change.name)
        start = {"item_id": change.item_id or slug(name), "currency": context.building.currency}
        return compared(Item(**{**start, **given}, caused_seq=context.seq))
    update = {**given, "removed": change.removed, "posted": True, "caused_seq": context.seq}
    if folded(str(given.get("name", known.name))) == folded(known.name):
        update.pop("name", None)
    return compared(known.model_copy(update=update))


def _when_cleared(context: ActionContext) -> dict[str, Any]:
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
            why = f"{len(open_)} lines are open ({named})" if open_ else f"{len(pending)} questions are open"
            tell = action("notify_team", team=MANAGER, message=f"{context.building.name} is not closed: {why}.")
            return Finding(note=f"refused: {why}", say=[tell])
        context.save(*(approval.withdraw() for approval in asked))
        context.building.status = "closed"
        return Finding(note="building closed")

    return await record_facts(toolbox, entry, act)
