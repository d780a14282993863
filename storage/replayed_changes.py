"""What people changed beside the inbox, as it is on record: to be done again on a fork."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.connection import Connection

# Each image of a rule or a delegation beside the one before it.
LOGGED = """
SELECT position, seq, entity, id, data,
       lag(data) OVER (PARTITION BY entity, id ORDER BY position) AS before
  FROM changes
 WHERE building_id = %s AND entity IN ('building_change', 'rules', 'delegations') ORDER BY position"""

PATCHED = ("text", "status", "autonomy", "shared")
"""Fields of a rule that people change."""

Run = tuple[int, int]
"""The positions between which an entry was processed."""


@dataclass(frozen=True)
class Change:
    """What somebody changed, when, and after which entry had come in."""

    position: int
    seq: int
    data: dict[str, Any]
    """As in `storage.by_hand.log`; or `taught`, the image of a rule that was put on file as it is."""

    @property
    def rows(self) -> int:
        """How many images of rows stand behind it that are its own."""
        return int(self.data.get("rows", 0))

    @property
    def at(self) -> datetime | None:
        """When; None where an older version did not keep it."""
        return datetime.fromisoformat(self.data["at"]) if "at" in self.data else None


async def read(conn: Connection, building_id: str, after: int, runs: Sequence[Run]) -> list[Change]:
    """What people changed after a position, in order. What older versions did not log is read off the images of rows
    that no entry's run has saved."""
    rows = await (await conn.execute(LOGGED, (building_id,))).fetchall()
    logged = {p for row in rows for p in _images_of(row)}
    found = []
    for row in rows:
        data = row["data"] if row["entity"] == "building_change" else None
        if data is None and row["position"] not in logged and not _within(row["position"], runs):
            data = _as_logged(row)
        if data is not None and row["position"] > after:
            found.append(Change(row["position"], row["seq"], data))
    return found


def _images_of(row: dict[str, Any]) -> range:
    """The positions of the images that an entry of the log is about."""
    rows = row["data"].get("rows", 0) if row["entity"] == "building_change" else 0
    return range(row["position"] + 1, row["position"] + 1 + rows)


def _within(position: int, runs: Sequence[Run]) -> bool:
    return any(began < position <= ended for began, ended in runs)


def _as_logged(row: dict[str, Any]) -> dict[str, Any] | None:
    """What made this image out of the one before it; None: nothing that people change."""
    now, before, name = row["data"], row["before"], row["id"]
    if row["entity"] == "rules":
        if before is None:
            return {"by": {}, "taught": now}
        changed = {field: now[field] for field in PATCHED if now[field] != before[field]}
        by = {"type": "human", "id": now["edited_by"], "name": now["edited_by"]}
        return {"by": by, "rule_id": name, "changed": changed} if changed else None
    if before is None:
        return {"by": {}, "granted": now}
    revoked = now["status"] == "revoked" != before["status"]
    by = {"name": str(now["note"] or "").removeprefix("revoked by ")}
    return {"by": by, "revoked": name} if revoked else None
