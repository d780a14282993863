"""What a step really brought about, read from the database: every row that changed, every effect, every message.

`changes` has the after-image of every row that was ever saved, so nothing that happens can be overlooked.
"""

from dataclasses import dataclass, field
from typing import Any

from evals.expected import Decider, decider
from storage.connection import Connection

CHANGES = (
    "SELECT position, seq, entity, id, data FROM changes WHERE building_id = %s AND position > %s ORDER BY position"
)

LEDGER = """
SELECT seq, action, item, ordinal, kind, arguments, result, responder FROM actions
 WHERE building_id = %s AND seq > %s ORDER BY seq, position, ordinal"""

ENTRIES = """
SELECT seq, generation, source, event_id, event_type, body, received_at, status, attempts, error, outcome FROM events
 WHERE building_id = %s AND seq > %s ORDER BY seq"""

DECISIONS = """
SELECT seq, type, kind, item_id, responder, why, actions FROM decisions
 WHERE building_id = %s AND seq > %s ORDER BY seq, generation, step"""

OUTBOX = """
SELECT outbox_id, key, recipient, subject, payload, status FROM outbox
 WHERE building_id = %s AND outbox_id > %s ORDER BY outbox_id"""

RESTATED = "longlead.restated"
FACETS = ("submittal", "commercial", "logistics", "quality", "schedule_band")
AT_FIRST = {"submittal": "pending", "commercial": "unordered", "logistics": "not_shipped", "quality": "not_inspected"}

Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A question that was raised, or what became of one that was there."""

    approval_id: str
    kind: str
    item: str | None
    to: str
    """The role that is asked."""
    recommends: str | None
    options: list[str]
    summary: str
    by: Decider | None = None
    """Who recommends it; None: the ranking of options."""


@dataclass
class Observed:
    """Everything that one step brought about."""

    entries: list[Row] = field(default_factory=list)
    actions: list[Row] = field(default_factory=list)
    """Of the ledger, in order: {seq, action, item, arguments, result, responder}."""
    would_do: list[Row] = field(default_factory=list)
    """Actions that were only told, since the building holds them back; of the ledger, in order."""
    effects: list[Row] = field(default_factory=list)
    """The whole ledger, facts and questions too."""
    raised: list[Question] = field(default_factory=list)
    renewed: list[Question] = field(default_factory=list)
    closed: list[Question] = field(default_factory=list)
    reminded: list[Question] = field(default_factory=list)
    escalated: list[Question] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    """What became of each line, in the words of `evals.expected.WORDS`."""
    lines: dict[str, Row] = field(default_factory=dict)
    """The lines that changed, as they are now."""
    moved: dict[str, str | None] = field(default_factory=dict)
    """The required days that changed."""
    orders: list[str] = field(default_factory=list)
    """Numbers of new orders, but for those that were placed outside."""
    planned: int = 0
    """Inspections newly planned."""
    messages: list[Row] = field(default_factory=list)
    """Of the outbox: {key, recipient, subject, payload, status, party}."""
    decisions: list[Row] = field(default_factory=list)
    learned: list[str] = field(default_factory=list)
    """Titles of rules that were learned."""
    restated: list[Row] = field(default_factory=list)
    """Events that a text was read as, as they came into the inbox."""
    refusal: tuple[int, str] | None = None
    """Status and detail, where the service refused the step."""
    settled: str | None = None
    """What became of the answer: applied or outdated."""


class Digest:
    """Makes out of rows, step by step, what happened to one building."""

    def __init__(self) -> None:
        self._images: dict[tuple[str, str], Row] = {}

    def take(self, found: Observed, changes: list[Row]) -> Observed:
        """Complete what was found with what its changes come to."""
        acted = [effect for effect in found.effects if effect["kind"] == "action"]
        found.actions = [effect for effect in acted if "would_do" not in effect["result"]]
        found.would_do = [effect for effect in acted if "would_do" in effect["result"]]
        found.restated = [entry["body"] for entry in found.entries if entry["source"] == RESTATED]
        before = dict(self._images)
        for change in changes:
            self._take(found, change)
        for item_id, after in found.lines.items():
            if words := self._words(before, item_id, after):
                found.words[item_id] = words
            if (known := before.get(("items", item_id))) and known["required_by"] != after["required_by"]:
                found.moved[item_id] = after["required_by"]
        self._cleared_flags(found, before)
        for message in found.messages:
            message["party"] = self._party(message)
        found.settled = next((s for e in found.entries if (s := (e["outcome"] or {}).get("decision"))), None)
        return found

    def rows(self, entity: str) -> list[Row]:
        """The rows of a table as they were last seen."""
        return [row for (kind, _), row in self._images.items() if kind == entity]

    def _take(self, found: Observed, change: Row) -> None:
        key, after = (change["entity"], change["id"]), change["data"]
        before, self._images[key] = self._images.get(key), after
        if change["entity"] == "approvals":
            _question(found, before, after)
        elif change["entity"] == "items":
            found.lines[after["item_id"]] = after
        elif change["entity"] == "rules" and before is None:
            found.learned.append(after["title"])
        elif change["entity"] == "purchase_orders" and before is None and not after.get("placed_outside"):
            found.orders.append(after["number"])
        elif change["entity"] == "inspections" and before is None and after["status"] == "scheduled":
            found.planned += 1

    def _words(self, images: dict[tuple[str, str], Row], item_id: str, after: Row) -> list[str]:
        before = images.get(("items", item_id))
        words = ["added"] if before is None else []
        start = before or {**AT_FIRST, "schedule_band": None, "held_until": None, "removed": False}
        words += [str(after[facet] or "no_band") for facet in FACETS if after[facet] != start[facet]]
        if after["held_until"] != start["held_until"]:
            words.append("not_held" if after["held_until"] is None else "held")
        if after["removed"] and not start["removed"]:
            words.append("removed")
        return words

    def _cleared_flags(self, found: Observed, before: dict[tuple[str, str], Row]) -> None:
        for key, flag in self._images.items():
            if key[0] == "flags" and flag["status"] == "cleared" and before.get(key, flag)["status"] == "open":
                found.words.setdefault(flag["item_id"], []).append("unflagged")

    def _party(self, message: Row) -> str:
        """The role or team that a message goes to; `vendor` for every vendor."""
        party = message["payload"].get("to", "vendor")
        vendors = {row["name"] for (entity, _), row in self._images.items() if entity == "vendors"}
        return "vendor" if party in vendors else str(party)


class Watch(Digest):
    """Sees what happens to one building from now on."""

    def __init__(self, conn: Connection, building_id: str) -> None:
        super().__init__()
        self._conn, self.building_id = conn, building_id
        self._position = self._seq = self._outbox = 0

    async def look(self) -> Observed:
        """What has happened since the last look."""
        found = Observed(
            entries=await self._rows(ENTRIES, self._seq),
            effects=await self._rows(LEDGER, self._seq),
            decisions=await self._rows(DECISIONS, self._seq),
            messages=await self._rows(OUTBOX, self._outbox),
        )
        changes = await self._rows(CHANGES, self._position)
        # What still waits in the inbox belongs to whatever runs it.
        ended = [entry["seq"] for entry in found.entries if entry["status"] in ("done", "dead")]
        self._seq = max([self._seq, *ended])
        self._outbox = max([self._outbox, *(message["outbox_id"] for message in found.messages)])
        self._position = max([self._position, *(change["position"] for change in changes)])
        return self.take(found, changes)

    async def _rows(self, query: str, since: int) -> list[Row]:
        return await (await self._conn.execute(query.encode(), (self.building_id, since))).fetchall()


def _question(found: Observed, before: Row | None, after: Row) -> None:
    """Sort what became of a question into its list."""
    seen = _seen(after)
    if before is None:
        found.raised.append(seen)
    elif after["status"] in ("superseded", "withdrawn") and before["status"] != after["status"]:
        found.closed.append(seen)
    elif after["version"] > before["version"]:
        found.renewed.append(seen)
    elif after["escalation_level"] > before["escalation_level"]:
        found.escalated.append(seen)
    elif (before["status"], after["status"]) == ("pending", "pending") and before["due_at"] != after["due_at"]:
        found.reminded.append(seen)


def _seen(row: Row) -> Question:
    titles = [str(option["title"]) for option in row["options"]]
    recommended = row["options"][row["refused"]] if row["refused"] < len(titles) else {}
    return Question(
        approval_id=row["approval_id"],
        kind=row["kind"],
        item=row["item_id"],
        to=row["asked_of"] or "project_manager",
        recommends=recommended.get("title"),
        options=titles,
        summary=row["summary"],
        by=decider(recommended.get("recommended_by")),
    )
