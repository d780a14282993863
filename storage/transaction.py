"""One transaction on one building: its row is locked first, and everything it saves is also appended to `changes`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg.types.json import Jsonb

from domain.buildings import Building
from domain.errors import NotFoundError
from domain.procurement import Row
from storage.database import Connection
from storage.rows import TABLES, row_id, upsert, values

# Every transaction takes the building's row first, in this strength: with any other order or strength deadlocks
# were measured, with this one none.
LOCK = "SELECT * FROM buildings WHERE building_id = %s FOR NO KEY UPDATE"

INSERT_CHANGE = """
INSERT INTO changes (building_id, position, seq, entity, id, data) VALUES (%s, %s, %s, %s, %s, %s)"""

SAVE_BUILDING = """
UPDATE buildings SET position = %s, po_counter = %s, schedule_version = %s, status = %s, contacts = %s,
       approvers = %s, policy = %s
 WHERE building_id = %s"""

SAVE_POSITION = "UPDATE buildings SET position = %s WHERE building_id = %s"


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
        self._before = self.building.model_copy(deep=True)
        self._rows: list[Row] = []
        self._statements: list[tuple[Any, Any]] = []

    def save(self, *rows: Row) -> None:
        """Save whole rows, in this order; a row saved twice ends as the last one."""
        self._rows.extend(rows)

    def also(self, query: str, parameters: Any) -> None:
        """A further statement in the same round trip, after the rows."""
        self._statements.append((query, parameters))

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
            for row in self._rows:
                image = row.model_dump(mode="json")
                await self.conn.execute(upsert(type(row)), [building_id, *values(row, image)])
                await self._append(TABLES[type(row)].name, row_id(row), image)
            if changed:
                await self._append("buildings", building_id, self.building.model_dump(mode="json"))
                await self.conn.execute(SAVE_BUILDING, self._building_values())
            elif self._rows:
                await self.conn.execute(SAVE_POSITION, (self.position, building_id))
            for query, parameters in self._statements:
                await self.conn.execute(query, parameters)

    async def _append(self, entity: str, id_: str, image: dict[str, Any]) -> None:
        self.position += 1
        await self.conn.execute(
            INSERT_CHANGE, (self.building.building_id, self.position, self.seq, entity, id_, Jsonb(image))
        )

    def _building_values(self) -> tuple[Any, ...]:
        plain = self.building.model_dump(mode="json")
        return (
            self.position,
            plain["po_counter"],
            plain["schedule_version"],
            plain["status"],
            Jsonb(plain["contacts"]),
            Jsonb(plain["approvers"]),
            Jsonb(plain["policy"]),
            self.building.building_id,
        )


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
