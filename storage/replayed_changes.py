"""What people changed beside the inbox, as it is on record: to be done again on a fork."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.plain_json import JsonObject
from storage.by_hand import Logged
from storage.connection import Connection, select

# Each image of a rule or a delegation beside the one before it.
LOGGED = """
SELECT position, seq, entity, id, CASE entity WHEN 'building_change' THEN data END AS logged,
       CASE entity WHEN 'building_change' THEN '{}' ELSE data END AS image,
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
    data: Logged
    """As in `storage.by_hand.log`."""

    @property
    def rows(self) -> int:
        """How many images of rows stand behind it that are its own."""
        return self.data.get("rows", 0)

    @property
    def at(self) -> datetime | None:
        """When; None where an older version did not keep it."""
        return datetime.fromisoformat(self.data["at"]) if "at" in self.data else None


async def read(conn: Connection, building_id: str, after: int, runs: Sequence[Run]) -> list[Change]:
    """What people changed after a position, in order. What older versions did not log is read off the images of rows
    that no entry's run has saved."""
    rows = await select(conn, _Logged, LOGGED, (building_id,))
    logged = {p for row in rows for p in _images_of(row)}
    found = []
    for row in rows:
        data = row.logged
        if data is None and row.position not in logged and not _within(row.position, runs):
            data = _as_logged(row)
        if data is not None and row.position > after:
            found.append(Change(row.position, row.seq, data))
    return found


class _Logged(NamedTuple):
    position: int
    seq: int
    entity: str
    id: str
    logged: Logged | None
    image: JsonObject
    before: JsonObject | None


def _images_of(row: _Logged) -> range:
    """The positions of the images that an entry of the log is about."""
    rows = 0 if row.logged is None else row.logged.get("rows", 0)
    return range(row.position + 1, row.position + 1 + rows)


def _within(position: int, runs: Sequence[Run]) -> bool:
    return any(began < position <= ended for began, ended in runs)


def _as_logged(row: _Logged) -> Logged | None:
    """What made this image out of the one before it; None: nothing that people change."""
    now, before, name = row.image, row.before, row.id
    if row.entity == "rules":
        if before is None:
            return {"by": {}, "taught": now}
        changed: JsonObject = {field: now[field] for field in PATCHED if now[field] != before[field]}
        by: JsonObject = {"type": "human", "id": now["edited_by"], "name": now["edited_by"]}
        return {"by": by, "rule_id": name, "changed": changed} if changed else None
    if before is None:
        return {"by": {}, "granted": now}
    revoked = now["status"] == "revoked" != before["status"]
    who = str(now["note"] or "").removeprefix("revoked by ")
    return {"by": {"name": who}, "revoked": name} if revoked else None
