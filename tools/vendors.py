"""Vendors within the run of an entry: added, changed and barred, and what that means for lines."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.barring import VENDOR_BARRED, bar, unbar
from domain.buildings import MAX_VENDORS, VendorChange
from domain.events import Entry
from domain.outside import shown_name
from domain.plain_json import JsonObject, PlainAction
from domain.principals import Author
from domain.procurement import Flag, VendorRow
from domain.questions.registry import REST_ON_VENDORS
from domain.text import DistinctIds, folded, slug
from storage import procurement
from storage.audit import Act, Signature, differences, record_audit
from storage.rows import select
from storage.vendors import lines_with_orders_of, sender_of
from tools.context import ActionContext, Toolbox
from tools.recording import Finding, record_facts


@dataclass
class VendorChanges:
    """What an event's vendors came to."""

    known: dict[str, VendorRow]
    """All vendors of the building, by id, with the changes."""
    refused: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    """Lines that are to be looked at again."""
    say: list[PlainAction] = field(default_factory=list)
    changed: int = 0


Turn = tuple[VendorRow | None, VendorRow]
"""A vendor before and after a change; before it was added there is None."""


async def change_vendors(context: ActionContext, changes: Sequence[VendorChange]) -> VendorChanges:
    """Add and change vendors as an event says, each on record with who sent it. Who may is asked at the door."""
    conn, building_id = context.transaction.conn, context.building.building_id
    made = VendorChanges({vendor.vendor_id: vendor for vendor in await procurement.vendors(conn, building_id)})
    turns: list[Turn] = []
    for change in changes:
        before, problem = _find(change, made.known)
        if problem is not None:
            made.refused.append(problem)
            continue
        after = _added(change, made.known) if before is None else before.with_changes(_given(change, before))
        if after != before:
            made.known[after.vendor_id] = after
            context.save(after)
            turns.append((before, after))
    made.changed = len(turns)
    await _put_on_record(context, turns)
    await _follow(context, made, turns)
    return made


async def _put_on_record(context: ActionContext, turns: Sequence[Turn]) -> None:
    if not turns:
        return
    source = context.entry.source
    sent_by = await sender_of(context.transaction.conn, context.building.building_id, context.seq)
    by = sent_by or Author(type="automated_rule", id=source, name=source)
    for before, after in turns:
        changed = {"changed": differences({} if before is None else before.on_record, after.on_record)}
        act = Act("vendor_added" if before is None else "vendor_changed", after.vendor_id, changed)
        record_audit(context.transaction, Signature(by, context.now), act)


def _find(change: VendorChange, known: dict[str, VendorRow]) -> tuple[VendorRow | None, str | None]:
    """The vendor that is meant; None where it is new. And why it cannot be taken in."""
    if change.vendor_id is not None:
        standing = known.get(change.vendor_id)
        if standing is None and change.name is None:
            return None, f"the vendor {change.vendor_id} is new and has no name"
    else:
        named = [one for one in known.values() if folded(one.name) == folded(str(change.name))]
        if len(named) > 1:
            ids = ", ".join(sorted(one.vendor_id for one in named))
            return None, f"{shown_name(str(change.name))} may be any of the vendors {ids}: name it by its vendor_id"
        standing = named[0] if named else None
    if standing is None and len(known) >= MAX_VENDORS:
        return None, f"{shown_name(str(change.name))} would be one vendor more than the {MAX_VENDORS} there may be"
    return standing, None


def _given(change: VendorChange, before: VendorRow) -> JsonObject:
    given = change.model_dump(mode="json", exclude_none=True, exclude={"vendor_id"})
    if "name" in given and folded(given["name"]) == folded(before.name):
        del given["name"]
    return given


def _added(change: VendorChange, known: dict[str, VendorRow]) -> VendorRow:
    vendor_id = change.vendor_id or DistinctIds(known).take(slug(str(change.name)))
    new = VendorRow(vendor_id=vendor_id, name=str(change.name))
    return new.with_changes(change.model_dump(mode="json", exclude_none=True, exclude={"vendor_id"}))


async def look_again(toolbox: Toolbox, entry: Entry) -> Finding:
    """A person changed a vendor beside the inbox: lines whose question rests on it are looked at again."""
    vendor_id, was_approved = str(entry.body["vendor_id"]), entry.body.get("was_approved")

    async def act(context: ActionContext) -> Finding:
        conn, building_id = context.transaction.conn, context.building.building_id
        known = {vendor.vendor_id: vendor for vendor in await procurement.vendors(conn, building_id)}
        after = known.get(vendor_id)
        if after is None:
            return Finding(note="the vendor is not there", repeat=True)
        made = VendorChanges(known)
        before = None if was_approved is None else after.model_copy(update={"approved": was_approved})
        await _follow(context, made, [(before, after)])
        note = f"{shown_name(after.name)} was {'added' if before is None else 'changed'} as a vendor"
        return Finding(note=note, items=made.items, say=made.say)

    return await record_facts(toolbox, entry, act)


async def _follow(context: ActionContext, made: VendorChanges, turns: Sequence[Turn]) -> None:
    """What changes of vendors mean for lines: questions that wait for one are asked afresh, and open orders with one
    that is barred are flagged and asked about, once."""
    if not turns:
        return
    ids = {None, *(after.vendor_id for _, after in turns)}
    for approval in await procurement.open_questions(context.transaction.conn, context.building.building_id):
        if approval.kind not in REST_ON_VENDORS or approval.item_id is None:
            continue
        if (await context.file(approval.item_id)).item.vendor_id in ids:
            made.items.append(approval.item_id)
    for before, after in turns:
        if before is not None and before.approved != after.approved:
            made.say += await _bar_or_unbar(context, after)


async def _bar_or_unbar(context: ActionContext, vendor: VendorRow) -> list[PlainAction]:
    conn, building_id = context.transaction.conn, context.building.building_id
    lines = await lines_with_orders_of(conn, building_id, vendor.vendor_id)
    files = [await context.file(item_id) for item_id in lines]
    if vendor.approved:
        where = "building_id = %s AND status = 'open' AND band = %s"
        flags = await select(conn, Flag, where, (building_id, VENDOR_BARRED))
        context.save(*unbar(flags, files, context.seq))
        return []
    rows, say = bar(vendor, files, context.seq)
    context.save(*rows)
    return say
