"""What a model is shown of a building, in layers: the facts, the open questions, the rolling summary, what is
recalled, the last messages. Each keeps to its budget, so the prompt of an old building is no longer than a young one's.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from domain.approvals import Approval
from domain.buildings import Building
from domain.events import Entry
from domain.procurement import Item, LineFile, Message
from domain.recollections import about
from domain.schedule import days_late
from storage import procurement, summaries
from storage.long_term import Sought
from tools.context import Toolbox
from tools.prompts import OUTSIDE_RULE, Layer, Part
from tools.recording import building_of, line_files
from tools.summaries import summary_layers

MOST_LINES = 400
"""Lines of the log that are listed beside those in question; by need, the soonest first."""
MOST_QUESTIONS = 20
MOST_RECALLED = 8
CHARACTERS_A_TOKEN = 5
"""More than any text has: how many characters of messages are read so that the budget is surely filled."""


async def building_layers(
    toolbox: Toolbox, entry: Entry, *, task: str, item_ids: Sequence[str], sought: str, rules: Sequence[str] = ()
) -> list[Layer]:
    """The layers of a prompt about these lines; the caller adds its own question and assembles.

    `task` says who the model is and what it is to do; `sought` is what memory is asked for, in words of the situation;
    `rules` are the learned rules that fit.
    """
    budgets = toolbox.budgets
    building = await building_of(toolbox, entry.building_id)
    files = await line_files(toolbox, entry.building_id, list(item_ids))
    async with toolbox.lock:
        items = await procurement.items(toolbox.conn, entry.building_id)
        open_ = await procurement.open_questions(toolbox.conn, entry.building_id)
    today = entry.today(building.zone)
    core: list[Part | str] = [*_of_building(building, today), *map(_of_file, files)]
    core += [*map(_of_question, open_[:MOST_QUESTIONS]), *_of_log(items, set(item_ids))]
    summary, told = await _told(toolbox, entry)
    return [
        Layer("Task", budgets.identity, [task, OUTSIDE_RULE]),
        Layer("Facts", budgets.facts, core),
        *summary,
        Layer("Rules and memories", budgets.recalled, [*rules, *await _recalled(toolbox, entry, files, sought)]),
        told,
    ]


def _of_building(building: Building, today: date) -> list[str]:
    policy = building.policy.model_dump(mode="json", exclude_defaults=True)
    return [f"Today is {today} ({today:%A}). Currency {building.currency}. Policy: {json.dumps(policy)}"]


def _of_file(file: LineFile) -> Part:
    """Everything on file about a line in question. Names and defects in it were written by others."""
    item = file.item
    facts: dict[str, Any] = {
        **about(file),
        "status": item.status,
        "facets": [item.submittal, item.commercial, item.logistics, item.quality],
        "quantity": item.quantity,
        "unit": item.unit,
        "unit_price": item.unit_price,
        "lead_time_days": item.lead_time_days,
        "required_by": item.required_by,
        "buffer_days": item.buffer_days,
        "promised_date": item.promised_date,
        "eta": item.eta,
        "days_late": days_late(item.expected, item.required_by),
        "order": file.order.number if file.order else None,
        "shipments": [s.shipment_id for s in file.shipments_in(item.round)],
        "reports": [
            {"status": i.status, "on": i.inspected_on, "defects": i.defects, "ncr": i.ncr_number}
            for i in file.inspections_in(item.round)
        ],
    }
    known = {name: value for name, value in facts.items() if value not in (None, [], "")}
    return Part(json.dumps(known, default=str, ensure_ascii=False), f"the log, line {item.item_id}")


def _of_question(approval: Approval) -> Part:
    return Part(
        approval.summary, f"open question {approval.key} ({approval.kind}) of {approval.item_id or 'the building'}"
    )


def _of_log(items: Sequence[Item], but: set[str]) -> list[Part]:
    """The other lines in one sentence each, the soonest needed first."""
    others = [item for item in items if not item.removed and item.item_id not in but]
    soonest = sorted(others, key=lambda item: (item.required_by or date.max, item.item_id))[:MOST_LINES]
    lines = [
        f"{item.item_id}: {item.name}, {item.status}, required by {item.required_by}, expected {item.expected}"
        for item in soonest
    ]
    return [Part("\n".join(lines), "the log, other lines")] if lines else []


async def _recalled(toolbox: Toolbox, entry: Entry, files: Sequence[LineFile], sought: str) -> list[Part]:
    """What long-term memory holds that fits: facts first, then settled cases."""
    line = about(files[0]) if files else {}
    wanted = Sought(
        sought,
        item_id=line.get("item_id"),
        vendor_id=line.get("vendor_id"),
        category=line.get("category"),
        limit=MOST_RECALLED,
    )
    facts = await toolbox.memory.recall(entry.building_id, "facts", wanted)
    cases = await toolbox.memory.recall(entry.building_id, "episodes", wanted)
    return [
        *(Part(fact["text"], "memory, a fact") for fact in facts),
        *(Part(case["text"], "memory, a settled case") for case in cases),
    ]


async def _told(toolbox: Toolbox, entry: Entry) -> tuple[list[Layer], Layer]:
    """The rolling summary, and what was said since; without what the entry itself says: the caller shows that."""
    async with toolbox.lock:
        summary = await summaries.latest(toolbox.conn, entry.building_id)
        named = await summaries.identifiers(toolbox.conn, entry.building_id)
        room = toolbox.budgets.messages(summary.tokens if summary else 0)
        after = -1 if summary is None else summary.upto_seq
        said = await summaries.last_messages(
            toolbox.conn, entry.building_id, after, entry.seq, room * CHARACTERS_A_TOKEN
        )
    layers = [] if summary is None else summary_layers(summary, named, toolbox.budgets.summary)
    return layers, Layer("Last messages", room, [_as_said(message) for message in said], keep="last")


def _as_said(message: Message) -> Part:
    way = "from" if message.direction == "in" else "to"
    about_ = f", about {message.item_id}" if message.item_id else ""
    return Part(message.text, f"{message.caused_seq} {way} {message.party}{about_}")
