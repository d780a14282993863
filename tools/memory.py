"""What a model is shown of a building beside the question in hand, in layers: the rolling summary, other lines and
open questions, what is recalled, the last messages. Each keeps to its budget, so the prompt of an old building is no
longer than a young one's."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from domain.approvals import Approval
from domain.events import Entry
from domain.procurement import Item, Message
from domain.questions.registry import TOLD_FROM_OUTSIDE
from storage import procurement, summaries
from storage.long_term import Sought
from tools.context import Toolbox
from tools.message_origins import message_origins, of_note
from tools.prompts import Layer, Part
from tools.provenance import MIXED, OURS, TEAM, Origin, about, written_by
from tools.summaries import summary_layers

MOST_LINES = 400
"""Lines of the log that are listed beside those in question; by need, the soonest first."""
MOST_QUESTIONS = 20
MOST_RECALLED = 8
CHARACTERS_A_TOKEN = 5
"""More than any text has: how many characters of messages are read so that the budget is surely filled."""


async def memory_layers(toolbox: Toolbox, entry: Entry, item_id: str | None, *, sought: str, but: str) -> list[Layer]:
    """What is remembered that bears on a question about a line, beside the question's own facts.

    `sought` is what long-term memory is asked for, in words of the situation; cases of the kind `but` are left out,
    since the question itself shows them.
    """
    budgets = toolbox.budgets
    async with toolbox.lock:
        items = await procurement.items(toolbox.conn, entry.building_id)
        open_ = await procurement.open_questions(toolbox.conn, entry.building_id)
    item = next((item for item in items if item.item_id == item_id), None)
    vendor_id = None if item is None else item.vendor_id
    log = [*map(_of_question, open_[:MOST_QUESTIONS]), *_of_log(items, item_id, vendor_id)]
    summary, told = await _told(toolbox, entry)
    return [
        *summary,
        Layer("Other lines and open questions", budgets.facts // 4, log),
        Layer("Memories", budgets.recalled // 2, await _recalled(toolbox, entry, item, sought, but)),
        told,
    ]


def _of_question(approval: Approval) -> Part:
    source = f"open question {approval.key} ({approval.kind}) of {approval.item_id or 'the building'}"
    return Part(approval.summary, source, MIXED)


def _of_log(items: Sequence[Item], but: str | None, vendor_id: str | None) -> list[Part]:
    """The other lines in one sentence each, the soonest needed first; those of other vendors than `vendor_id` apart."""
    others = [item for item in items if not item.removed and item.item_id != but]
    soonest = sorted(others, key=lambda item: (item.required_by or date.max, item.item_id))[:MOST_LINES]
    own = [item for item in soonest if item.vendor_id in (None, vendor_id)]
    of_others = [item for item in soonest if item not in own]
    return [
        *([Part("\n".join(map(_line, own)), "the log, other lines", OURS)] if own else []),
        *([Part("\n".join(map(_line, of_others)), "the log, lines of other vendors", OTHERS)] if of_others else []),
    ]


OTHERS = about("others")
"""Of other vendors, several at once: secret to each."""


def _line(item: Item) -> str:
    return f"{item.item_id}: {item.shown}, {item.status}, required by {item.required_by}, expected {item.expected}"


async def _recalled(toolbox: Toolbox, entry: Entry, item: Item | None, sought: str, but: str) -> list[Part]:
    """What long-term memory holds that fits: facts first, then settled cases."""
    line = {} if item is None else {"vendor_id": item.vendor_id, "category": item.category, "item_id": item.item_id}
    wanted = Sought(sought, limit=MOST_RECALLED, **line)
    facts = await toolbox.memory.recall(entry.building_id, "facts", wanted)
    cases = await toolbox.memory.recall(entry.building_id, "episodes", wanted)
    return [
        *(Part(fact["text"], "memory, a fact", _of_fact(fact)) for fact in facts),
        *(Part(case["text"], "memory, a settled case", of_case(case["kind"])) for case in cases if case["kind"] != but),
    ]


def _of_fact(fact: dict[str, Any]) -> Origin:
    """Whose a fact is: lead times are counted by us, defects are told by whoever inspected, the rest people say."""
    if fact["kind"] in ("lead_time", "quality") and fact.get("vendor_id"):
        vendor_id = str(fact["vendor_id"])
        return about(vendor_id) if fact["kind"] == "lead_time" else written_by(vendor_id)
    if fact["kind"] == "note":
        return of_note(str(fact["text"]).partition(": ")[0])
    return TEAM if fact["kind"] == "decides" else MIXED


def of_case(kind: str) -> Origin:
    """Whose a past decision is: the team's; beside the words of a question that came from outside it is mixed."""
    return MIXED if kind in TOLD_FROM_OUTSIDE else TEAM


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
    origins = await message_origins(toolbox, entry.building_id, said)
    return layers, Layer("Last messages", room, [_as_said(one, origins.of(one)) for one in said], keep="last")


def _as_said(message: Message, origin: Origin) -> Part:
    way = "from" if message.direction == "in" else "to"
    about_ = f", about {message.item_id}" if message.item_id else ""
    return Part(message.text, f"{message.caused_seq} {way} {message.party}{about_}", origin)
