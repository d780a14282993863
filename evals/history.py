"""A building's whole history as rows, entry by entry."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from evals.observed import CHANGES, DECISIONS, ENTRIES, LEDGER, OUTBOX, Observed, image_of
from evals.on_file import (
    CallRow,
    ChangeRow,
    DecisionRow,
    EffectRow,
    EntryRow,
    Image,
    ImageKind,
    MessageRow,
    rows_of,
)
from storage import replays
from storage.connection import Connection
from storage.replayed_changes import Change
from storage.replays import Record

CALLS = """
SELECT seq, worker, ordinal, tier, outcome, answer FROM model_calls
 WHERE building_id = %s AND seq > %s ORDER BY call_id"""


@dataclass(frozen=True)
class ByHand:
    """What somebody changed beside the inbox, after which entry, and the rows that it changed."""

    change: Change
    after: int
    rows: list[ChangeRow]


@dataclass
class History:
    """What is on file of one building. Only entries that have ended are part of it, up to the first that has not."""

    entries: list[EntryRow]
    effects: list[EffectRow]
    decisions: list[DecisionRow]
    messages: list[MessageRow]
    calls: list[CallRow] = field(default_factory=list)
    """What language models were asked, in order."""
    changes: dict[int, list[ChangeRow]] = field(default_factory=lambda: defaultdict(list))
    """By the entry that caused them; 0: what the building was posted with."""

    by_hand: list[ByHand] = field(default_factory=list)
    """What people changed beside the inbox, in order; not part of the entries' own changes."""

    def observed(self, seqs: Iterable[int]) -> Observed:
        """What was found of these entries, before their changes are taken in."""
        wanted = set(seqs)
        return Observed(
            entries=[row for row in self.entries if row["seq"] in wanted],
            effects=[row for row in self.effects if row["seq"] in wanted],
            decisions=[row for row in self.decisions if row["seq"] in wanted],
            messages=[row for row in self.messages if _seq_of(row) in wanted],
        )

    def changed(self, seqs: Iterable[int]) -> list[ChangeRow]:
        """The changes of these entries, in the order in which they were made."""
        found = [change for seq in seqs for change in self.changes[seq]]
        return sorted(found, key=lambda change: int(change["position"]))

    def first(self, kind: ImageKind[Image]) -> list[Image]:
        """The rows of a kind that the building was posted with."""
        return [image for change in self.changes[0] if (image := image_of(change, kind)) is not None]

    def images(self, kind: ImageKind[Image]) -> dict[str, Image]:
        """The last image of every row of a kind."""
        parts = [*self.changes.values(), *(one.rows for one in self.by_hand)]
        rows = sorted((row for part in parts for row in part), key=lambda row: int(row["position"]))
        return {one["id"]: image for one in rows if (image := image_of(one, kind)) is not None}


async def read_history(conn: Connection, building_id: str) -> History:
    """Everything that is on file of the building."""
    entries = await rows_of(conn, EntryRow, ENTRIES, building_id)
    open_ = next((place for place, row in enumerate(entries) if row["status"] not in ("done", "dead")), None)
    history = History(
        entries[:open_],
        await rows_of(conn, EffectRow, LEDGER, building_id),
        await rows_of(conn, DecisionRow, DECISIONS, building_id),
        await rows_of(conn, MessageRow, OUTBOX, building_id),
    )
    history.calls = await rows_of(conn, CallRow, CALLS, building_id)
    logged = await rows_of(conn, ChangeRow, CHANGES, building_id)
    history.by_hand = _by_hand(await replays.read(conn, building_id, 0, 0), logged)
    people = {row["position"] for one in history.by_hand for row in one.rows}
    for change in logged:
        if change["position"] not in people:
            history.changes[change["seq"]].append(change)
    return history


def _by_hand(record: Record, logged: list[ChangeRow]) -> list[ByHand]:
    """Each change that people made, with the images behind it; its place is after the entries that had begun to act."""
    at = {row["position"]: row for row in logged}
    return [
        ByHand(
            change,
            max((entry.seq for entry in record.entries if entry.acted < change.position), default=0),
            [at[position] for position in range(change.position, change.position + 1 + change.rows)],
        )
        for change in record.changes
        if "taught" not in change.data  # a rule that was there before the building lived
    ]


def _seq_of(message: MessageRow) -> int:
    """The entry that a message of the outbox belongs to: its key is building, entry, action, item, ordinal."""
    return int(message["key"].split(":")[1])
