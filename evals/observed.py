"""What a step really brought about, read from the database: every row that changed, every effect, every message.

`changes` has the after-image of every row that was ever saved, so nothing that happens can be overlooked.
"""

from dataclasses import dataclass, field

from domain.plain_json import JsonObject
from evals.expected import Decider, decider
from evals.on_file import (
    APPROVALS,
    FLAGS,
    INSPECTIONS,
    ITEMS,
    ORDERS,
    RULES,
    VENDORS,
    ApprovalImage,
    ChangeRow,
    DecisionRow,
    EffectRow,
    EntryRow,
    FlagImage,
    Image,
    ImageKind,
    ItemImage,
    MessageRow,
    PlainOption,
    rows_of,
)
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
AT_FIRST: dict[str, str | None] = {
    "submittal": "pending",
    "commercial": "unordered",
    "logistics": "not_shipped",
    "quality": "not_inspected",
    "schedule_band": None,
}
"""The facets of a line of which nothing is known."""


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

    entries: list[EntryRow] = field(default_factory=list)
    actions: list[EffectRow] = field(default_factory=list)
    """Of the ledger, in order."""
    would_do: list[EffectRow] = field(default_factory=list)
    """Actions that were only told, since the building holds them back; of the ledger, in order."""
    effects: list[EffectRow] = field(default_factory=list)
    """The whole ledger, facts and questions too."""
    raised: list[Question] = field(default_factory=list)
    renewed: list[Question] = field(default_factory=list)
    closed: list[Question] = field(default_factory=list)
    reminded: list[Question] = field(default_factory=list)
    escalated: list[Question] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    """What became of each line, in the words of `evals.expected.WORDS`."""
    lines: dict[str, ItemImage] = field(default_factory=dict)
    """The lines that changed, as they are now."""
    moved: dict[str, str | None] = field(default_factory=dict)
    """The required days that changed."""
    orders: list[str] = field(default_factory=list)
    """Numbers of new orders, but for those that were placed outside."""
    planned: int = 0
    """Inspections newly planned."""
    messages: list[MessageRow] = field(default_factory=list)
    decisions: list[DecisionRow] = field(default_factory=list)
    learned: list[str] = field(default_factory=list)
    """Titles of rules that were learned."""
    restated: list[JsonObject] = field(default_factory=list)
    """Events that a text was read as, as they came into the inbox."""
    refusal: tuple[int, str] | None = None
    """Status and detail, where the service refused the step."""
    settled: str | None = None
    """What became of the answer: applied or outdated."""


Images = dict[tuple[str, str], ChangeRow]
"""By kind and id, the last change of every row."""


class Digest:
    """Makes out of rows, step by step, what happened to one building."""

    def __init__(self) -> None:
        self._images: Images = {}

    def take(self, found: Observed, changes: list[ChangeRow]) -> Observed:
        """Complete what was found with what its changes come to."""
        acted = [effect for effect in found.effects if effect["kind"] == "action"]
        found.actions = [effect for effect in acted if "would_do" not in effect["result"]]
        found.would_do = [effect for effect in acted if "would_do" in effect["result"]]
        found.restated = [entry["body"] for entry in found.entries if entry["source"] == RESTATED]
        before = dict(self._images)
        for change in changes:
            self._take(found, change)
        lines = _images_of(before, ITEMS)
        for item_id, after in found.lines.items():
            known = lines.get(item_id)
            if words := _words(known, after):
                found.words[item_id] = words
            if known and known["required_by"] != after["required_by"]:
                found.moved[item_id] = after["required_by"]
        self._cleared_flags(found, _images_of(before, FLAGS))
        vendors = {row["name"] for row in self.rows(VENDORS)}
        for message in found.messages:
            message["party"] = _party(message, vendors)
        settled = ((entry["outcome"] or {}).get("decision") for entry in found.entries)
        found.settled = next((str(decision) for decision in settled if decision), None)
        return found

    def rows(self, kind: ImageKind[Image]) -> list[Image]:
        """The rows of a table as they were last seen."""
        return list(_images_of(self._images, kind).values())

    def _take(self, found: Observed, change: ChangeRow) -> None:
        key = (change["entity"], change["id"])
        before, self._images[key] = self._images.get(key), change
        if (question := image_of(change, APPROVALS)) is not None:
            _question(found, before and image_of(before, APPROVALS), question)
        elif (item := image_of(change, ITEMS)) is not None:
            found.lines[item["item_id"]] = item
        elif before is not None:
            return
        elif (rule := image_of(change, RULES)) is not None:
            found.learned.append(rule["title"])
        elif (order := image_of(change, ORDERS)) is not None:
            if not order.get("placed_outside"):
                found.orders.append(order["number"])
        elif (inspection := image_of(change, INSPECTIONS)) is not None:
            found.planned += inspection["status"] == "scheduled"

    def _cleared_flags(self, found: Observed, before: dict[str, FlagImage]) -> None:
        for name, flag in _images_of(self._images, FLAGS).items():
            if flag["status"] == "cleared" and before.get(name, flag)["status"] == "open":
                found.words.setdefault(flag["item_id"], []).append("unflagged")


class Watch(Digest):
    """Sees what happens to one building from now on."""

    def __init__(self, conn: Connection, building_id: str) -> None:
        super().__init__()
        self._conn, self.building_id = conn, building_id
        self._position = self._seq = self._outbox = 0

    async def look(self) -> Observed:
        """What has happened since the last look."""
        conn, name = self._conn, self.building_id
        found = Observed(
            entries=await rows_of(conn, EntryRow, ENTRIES, name, self._seq),
            effects=await rows_of(conn, EffectRow, LEDGER, name, self._seq),
            decisions=await rows_of(conn, DecisionRow, DECISIONS, name, self._seq),
            messages=await rows_of(conn, MessageRow, OUTBOX, name, self._outbox),
        )
        changes = await rows_of(conn, ChangeRow, CHANGES, name, self._position)
        self._seq = max([self._seq, *(entry["seq"] for entry in found.entries)])
        self._outbox = max([self._outbox, *(message["outbox_id"] for message in found.messages)])
        self._position = max([self._position, *(change["position"] for change in changes)])
        return self.take(found, changes)


def image_of(change: ChangeRow, kind: ImageKind[Image]) -> Image | None:
    """The image of a change, where it is of that kind."""
    return change["data"] if change["entity"] == kind else None


def _images_of(images: Images, kind: ImageKind[Image]) -> dict[str, Image]:
    """The images of a kind by their ids."""
    return {name: change["data"] for (entity, name), change in images.items() if entity == kind}


def _words(before: ItemImage | None, after: ItemImage) -> list[str]:
    """What became of a line."""
    words = ["added"] if before is None else []
    facets = AT_FIRST if before is None else _facets(before)
    words += [shown or "no_band" for facet, shown in _facets(after).items() if shown != facets[facet]]
    if after["held_until"] != (before and before["held_until"]):
        words.append("not_held" if after["held_until"] is None else "held")
    if after["removed"] and not (before and before["removed"]):
        words.append("removed")
    return words


def _facets(line: ItemImage) -> dict[str, str | None]:
    return {
        "submittal": line["submittal"],
        "commercial": line["commercial"],
        "logistics": line["logistics"],
        "quality": line["quality"],
        "schedule_band": line["schedule_band"],
    }


def _party(message: MessageRow, vendors: set[str]) -> str:
    """The role or team that a message goes to; `vendor` for every vendor."""
    party = message["payload"].get("to", "vendor")
    return "vendor" if party in vendors else str(party)


def _question(found: Observed, before: ApprovalImage | None, after: ApprovalImage) -> None:
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


def _seen(row: ApprovalImage) -> Question:
    titles = [str(option["title"]) for option in row["options"]]
    recommended: PlainOption | None = row["options"][row["refused"]] if row["refused"] < len(titles) else None
    return Question(
        approval_id=row["approval_id"],
        kind=row["kind"],
        item=row["item_id"],
        to=row["asked_of"] or "project_manager",
        recommends=recommended and recommended["title"],
        options=titles,
        summary=row["summary"],
        by=decider(recommended.get("recommended_by")) if recommended else None,
    )
