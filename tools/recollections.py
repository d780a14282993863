"""Putting into long-term memory what an entry taught: once, since a repeat writes the same under the same key."""

from datetime import date

from domain.events import Entry
from domain.procurement import LineFile
from domain.recollections import (
    Episode,
    Fact,
    combined,
    lead_time,
    quality,
    settled_case,
    team_note,
    who_decides,
    with_outcome,
)
from domain.settlement import Applied, Settlement
from storage import procurement
from tools.context import Toolbox
from tools.recording import Finding, zone_of

TEACHES = ("Shipment_Arrived_Site", "Inspection_Passed", "Inspection_Failed", "Human_Input")
"""Types of entries that facts are learned from, beside a person's answers. No other entry comes here at all."""


async def recollect(toolbox: Toolbox, entry: Entry, finding: Finding, settled: Settlement | None) -> None:
    """Remember the case that was settled, and learn what the entry says beyond the log."""
    answered = settled if isinstance(settled, Applied) else None
    if not toolbox.acts or not (answered is not None or (entry.event_type in TEACHES and not finding.repeat)):
        return
    today = entry.today(await zone_of(toolbox, entry))
    file = await _file(toolbox, entry.building_id, finding.items[0] if len(finding.items) == 1 else None)
    if answered is not None:
        await _remember_case(toolbox, entry, answered, file, today)
    elif entry.event_type == "Human_Input":
        await _learn(
            toolbox, entry, [team_note(str(entry.body["text"]), entry.source, file, today, entry.seq)], embed=True
        )
    elif file is not None:
        await _learn_of_line(toolbox, entry, file, today)


async def _file(toolbox: Toolbox, building_id: str, item_id: str | None) -> LineFile | None:
    if item_id is None:
        return None
    async with toolbox.lock:
        return await procurement.line_file(toolbox.conn, building_id, item_id)


async def _remember_case(toolbox: Toolbox, entry: Entry, settled: Applied, file: LineFile | None, today: date) -> None:
    if settled.responder.type != "human" or settled.approval_id is None:
        return
    async with toolbox.lock:
        approval = await procurement.approval(toolbox.conn, settled.approval_id)
    if approval is None:
        return
    case = settled_case(settled, approval.summary, approval.key, file, today, entry.seq)
    await toolbox.memory.put(entry.building_id, "episodes", {case.key: case.stored()}, embed=True)
    await _learn(toolbox, entry, [who_decides(settled, today, entry.seq)], embed=True)


async def _learn_of_line(toolbox: Toolbox, entry: Entry, file: LineFile, today: date) -> None:
    """Lead times, inspections, and what became of earlier decisions. Typed events ask no model: vectors come later."""
    if entry.event_type == "Shipment_Arrived_Site":
        await _learn(toolbox, entry, [lead_time(file, entry.seq)], embed=False)
        return
    passed = entry.event_type == "Inspection_Passed"
    await _learn(toolbox, entry, [quality(file, passed, today, entry.seq)], embed=False)
    cases = [
        with_outcome(case, file, entry.event_type, today, entry.seq)
        for found in await toolbox.memory.open_cases(entry.building_id, file.item.item_id, entry.seq)
        if (case := Episode.model_validate(found)).kind == "inspection_failed"
    ]
    await toolbox.memory.put(entry.building_id, "episodes", {one.key: one.stored() for one in cases}, embed=False)


async def _learn(toolbox: Toolbox, entry: Entry, facts: list[Fact | None], *, embed: bool) -> None:
    learned = [fact for fact in facts if fact is not None]
    standing = await toolbox.memory.get(entry.building_id, "facts", [fact.subject for fact in learned])
    stored = {
        fact.key: fact.stored()
        for new, known in zip(learned, standing, strict=True)
        for fact in combined(None if known is None else Fact.model_validate(known), new)
    }
    await toolbox.memory.put(entry.building_id, "facts", stored, embed=embed)
