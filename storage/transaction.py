"""One transaction on one building: its row is locked first, and everything it saves is also appended to `changes`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any

from psycopg.types.json import Jsonb

from domain.buildings import Building
from domain.errors import NotFoundError
from domain.procurement import Row
from storage.database import Connection
from storage.rows import TABLES, row_id, upsert

# Every transaction takes the building's row first, in this strength: with any other order or strength deadlocks
# were measured, with this one none.
LOCK = "SELECT * FROM buildings WHERE building_id = %s FOR NO KEY UPDATE"

LOGGED = """
WITH logged AS (
    INSERT INTO changes (building_id, position, seq, entity, id, data)
    SELECT %(building_id)s::text, new.position, %(seq)s::bigint, new.entity, new.id, new.data
      FROM jsonb_to_recordset(%(changes)s) AS new (position bigint, entity text, id text, data jsonb))"""

SAVE_BUILDING = f"""{LOGGED}
UPDATE buildings SET position = %(position)s, po_counter = %(po_counter)s, schedule_version = %(schedule_version)s,
       status = %(status)s, contacts = %(contacts)s, approvers = %(approvers)s, policy = %(policy)s
 WHERE building_id = %(building_id)s"""

SAVE_POSITION = f"{LOGGED} UPDATE buildings SET position = %(position)s WHERE building_id = %(building_id)s"


class BuildingTransaction:
    """What is to be saved in one transaction, written in one round trip when it ends.

    Change `building` in place to change the building itself; call `save` with whole rows. Nothing that was saved
    can be read back before the end.
    """

    def __init__(self, conn: Connection, row: dict[str, Any], seq: int | None) -> None:
        self.conn = conn
        self.building = building_from(row)
        self.last_seq: int = row["last_seq"]
        self.seq = self.last_seq if seq is None else seq
        self.position: int = row["position"]
        self._before: Building | None = self.building.model_copy(deep=True)
        self._rows: list[Row] = []
        self._changes: list[dict[str, Any]] = []
        self._statements: list[tuple[Any, Any]] = []

    def save(self, *rows: Row) -> None:
        """Save whole rows, in this order; a row saved twice ends as the last one."""
        self._rows.extend(rows)

    def also(self, query: str, parameters: Any) -> None:
        """A further statement in the same round trip, after the rows."""
        self._statements.append((query, parameters))

    def log_building(self) -> None:
        """Append the building's image too, though nothing of it changed: so that its past begins with what it was."""
        self._before = None

    @property
    def end_position(self) -> int:
        """The position in `changes` at which this transaction will end, as things stand."""
        return self.position + len(self._rows) + (self.building != self._before)

    async def flush(self) -> None:
        """Write everything; called once, at the end."""
        changed = self.building != self._before
        if not (self._rows or self._statements or changed):
            return
        building_id = self.building.building_id
        async with self.conn.pipeline():
            for kind, rows in groupby(self._rows, type):
                images = {row_id(row): self._logged(row) for row in rows}
                await self.conn.execute(upsert(kind), (building_id, Jsonb(list(images.values()))))
            if changed:
                image = self.building.model_dump(mode="json")
                self._append("buildings", building_id, image)
                await self.conn.execute(SAVE_BUILDING, self._moved() | _own_columns(image))
            elif self._rows:
                await self.conn.execute(SAVE_POSITION, self._moved())
            for query, parameters in self._statements:
                await self.conn.execute(query, parameters)

    def _logged(self, row: Row) -> dict[str, Any]:
        """The row's image, appended to `changes`."""
        image = row.model_dump(mode="json")
        self._append(TABLES[type(row)].name, row_id(row), image)
        return image

    def _append(self, entity: str, id_: str, image: dict[str, Any]) -> None:
        self.position += 1
        self._changes.append({"position": self.position, "entity": entity, "id": id_, "data": image})

    def _moved(self) -> dict[str, Any]:
        return {
            "building_id": self.building.building_id,
            "seq": self.seq,
            "position": self.position,
            "changes": Jsonb(self._changes),
        }


def _own_columns(image: dict[str, Any]) -> dict[str, Any]:
    """What of a building may change, as parameters."""
    plain = {column: image[column] for column in ("po_counter", "schedule_version", "status")}
    return plain | {column: Jsonb(image[column]) for column in ("contacts", "approvers", "policy")}


def building_from(row: dict[str, Any]) -> Building:
    """The building of a row of its table."""
    return Building.model_validate({**row, "thread_id": str(row["thread_id"])})


@asynccontextmanager
async def building_transaction(
    conn: Connection, building_id: str, seq: int | None = None
) -> AsyncIterator[BuildingTransaction]:
    """Lock the building, yield what is to be saved, write it and commit.

    `seq` names the inbox entry that causes the changes; the last one when absent (a change made over REST).

    Raises:
        NotFoundError: there is no such building.
    """
    async with conn.transaction():
        row = await (await conn.execute(LOCK, (building_id,))).fetchone()
        if row is None:
            raise NotFoundError(f"There is no building {building_id!r}. List the buildings with GET /buildings.")
        transaction = BuildingTransaction(conn, row, seq)
        yield transaction
        await transaction.flush()
