"""A building's whole history as rows, entry by entry."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from evals.observed import CHANGES, DECISIONS, ENTRIES, LEDGER, OUTBOX, Observed, Row
from storage.database import Connection

CALLS = """
SELECT seq, worker, ordinal, tier, outcome, answer FROM model_calls
 WHERE building_id = %s AND seq > %s ORDER BY call_id"""


@dataclass
class History:
    """What is on file of one building. Only entries that have ended are part of it, up to the first that has not."""

    entries: list[Row]
    effects: list[Row]
    decisions: list[Row]
    messages: list[Row]
    calls: list[Row] = field(default_factory=list)
    """What language models were asked, in order."""
    changes: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """By the entry that caused them; 0: what the building was posted with."""

    def observed(self, seqs: Iterable[int]) -> Observed:
        """What was found of these entries, before their changes are taken in."""
        wanted = set(seqs)
        return Observed(
            entries=[row for row in self.entries if row["seq"] in wanted],
            effects=[row for row in self.effects if row["seq"] in wanted],
            decisions=[row for row in self.decisions if row["seq"] in wanted],
            messages=[row for row in self.messages if _seq_of(row) in wanted],
        )

    def changed(self, seqs: Iterable[int]) -> list[Row]:
        """The changes of these entries, in the order in which they were made."""
        found = [change for seq in seqs for change in self.changes[seq]]
        return sorted(found, key=lambda change: int(change["position"]))

    def first(self, entity: str) -> list[Row]:
        """The rows of a kind that the building was posted with."""
        return [change["data"] for change in self.changes[0] if change["entity"] == entity]

    def images(self, entity: str) -> dict[str, Row]:
        """The last image of every row of a kind."""
        return {one["id"]: one["data"] for rows in self.changes.values() for one in rows if one["entity"] == entity}


async def read_history(conn: Connection, building_id: str) -> History:
    """Everything that is on file of the building."""

    async def rows(query: str, since: int = -1) -> list[Row]:
        return await (await conn.execute(query.encode(), (building_id, since))).fetchall()

    entries = await rows(ENTRIES)
    open_ = next((place for place, row in enumerate(entries) if row["status"] not in ("done", "dead")), None)
    history = History(entries[:open_], await rows(LEDGER), await rows(DECISIONS), await rows(OUTBOX))
    history.calls = await rows(CALLS)
    for change in await rows(CHANGES):
        history.changes[change["seq"]].append(change)
    return history


def _seq_of(message: dict[str, Any]) -> int:
    """The entry that a message of the outbox belongs to: its key is building, entry, action, item, ordinal."""
    return int(message["key"].split(":")[1])
