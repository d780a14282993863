"""A building's past as it was seen when it was the present, and forks held against it."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.principals import Author
from graph.forking import fork
from storage.approvals import AcceptedDecision
from storage.audit import Signature
from storage.buildings import thread_id
from storage.connection import Connection
from storage.forks import REBUILT, Fork
from tests.agent.desk import Desk

WHO = Author(type="human", id="local", name="local", via="local")
OF_A_BUILDING = ("status", "time_zone", "currency", "working_week", "contacts", "approvers", "policy")
COUNTED = ("schedule_version", "po_counter", "last_seq")
DECIDED = "seq, generation, step, item_id, approval_id, type, kind, responder, actions"

# All but the audit: that somebody made a fork and deleted it stays, and is looked at by itself.
TABLES = """
SELECT table_name FROM information_schema.tables
 WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'audit'
 ORDER BY table_name"""

Rows = dict[str, list[Any]]


@dataclass
class WatchedDesk(Desk):
    """A desk that takes down what the tables say before each entry comes in, if nothing is open then."""

    seen: dict[int, tuple[Rows, datetime]] = field(default_factory=dict)
    """By the number that the next entry gets: the rows, and when that was."""

    async def post(self, event_type: str, **fields: Any) -> str:
        await self.look()
        return await super().post(event_type, **fields)

    async def decide(self, approval: Any, kind: str = "approve", **how: Any) -> AcceptedDecision:
        await self.look()
        return await super().decide(approval, kind, **how)

    async def look(self) -> None:
        query = (
            "SELECT last_seq + 1 AS next, EXISTS (SELECT 1 FROM events e WHERE e.building_id = b.building_id "
            "AND e.status IN ('queued', 'running')) AS busy FROM buildings b WHERE building_id = %s"
        )
        row = await (await self.conn.execute(query, (self.building_id,))).fetchone()
        assert row is not None
        if not row["busy"]:
            self.seen[row["next"]] = (await rows_of(self.conn, self.building_id), self.clock.now())


def watched(desk: Desk) -> WatchedDesk:
    return WatchedDesk(desk.conn, desk.drainer, desk.clock, desk.building_id)


async def rows_of(conn: Connection, building_id: str) -> Rows:
    """Every row of the domain, what was decided, and what is counted of the building, with the building's own name
    taken out."""
    found: Rows = {}
    for table in sorted(REBUILT):
        query = f"SELECT to_jsonb(t) - 'building_id' AS row FROM {table} t WHERE building_id = %s"
        rows = await (await conn.execute(query, (building_id,))).fetchall()
        found[table] = sorted((_neutral(row["row"], building_id) for row in rows), key=json.dumps)
    query = f"SELECT {DECIDED} FROM decisions WHERE building_id = %s ORDER BY seq, generation, step"
    found["decisions"] = [
        _neutral(row, building_id) for row in await (await conn.execute(query, (building_id,))).fetchall()
    ]
    columns = ", ".join((*OF_A_BUILDING, *COUNTED))
    cursor = await conn.execute(f"SELECT {columns} FROM buildings WHERE building_id = %s", (building_id,))
    buildings = json.loads(json.dumps(await cursor.fetchall(), default=str))
    found["buildings"] = [_neutral(row, building_id) for row in buildings]
    return found


def _neutral(value: Any, building_id: str) -> Any:
    """Ids without the building's name, wherever they stand; a fork's orders are numbered as its parent's."""
    owned = re.compile(rf"(?<!PO-)\b(?:{re.escape(building_id)}|office)(?=[-:][rd]?\d)")
    return json.loads(owned.sub("~", json.dumps(value)))


async def fork_of(desk: Desk, **point: Any) -> Fork:
    return await fork(desk.conn, desk.building_id, **point, signature=Signature(WHO, desk.clock.now()))


def desk_of(desk: Desk, made: Fork, moment: datetime | None = None) -> Desk:
    """The fork's own desk, on the same worker; with `moment` its clock stands there."""
    if moment is not None:
        desk.clock.moment = moment
    return Desk(desk.conn, desk.drainer, desk.clock, made.fork_id, _numbers=1000)


async def checkpoints_of(desk: Desk, seq: int) -> list[str]:
    """The live checkpoints of an entry, in order."""
    cursor = await desk.conn.execute(
        "SELECT checkpoint_id FROM checkpoints WHERE thread_id = %s AND (metadata ->> 'seq')::int = %s "
        "ORDER BY (metadata ->> 'step')::int",
        (thread_id(desk.building_id), seq),
    )
    return [row["checkpoint_id"] for row in await cursor.fetchall()]


async def everything(conn: Connection) -> dict[str, int]:
    """How many rows every table has."""
    counted = {}
    for row in await (await conn.execute(TABLES)).fetchall():
        found = await (await conn.execute(f"SELECT count(*) AS n FROM {row['table_name']}")).fetchone()
        assert found is not None
        counted[row["table_name"]] = found["n"]
    return counted


async def every_byte(conn: Connection) -> dict[str, str | None]:
    """A digest of everything that every table holds."""
    found = {}
    for row in await (await conn.execute(TABLES)).fetchall():
        query = f"SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) AS digest FROM {row['table_name']} t"
        one = await (await conn.execute(query)).fetchone()
        assert one is not None
        found[row["table_name"]] = one["digest"]
    return found


DIGEST = """
SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) AS digest FROM {table} t WHERE {column}::text = %s"""
OWNED = """
SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t
 USING (table_schema, table_name)
 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.column_name IN ('building_id', 'thread_id')
   AND c.table_name <> 'audit'
 ORDER BY 1, 2"""


async def digest_of(conn: Connection, building_id: str) -> dict[str, Any]:
    """A digest of all rows, every byte of them, of the building and its thread, by table."""
    found = {}
    for row in await (await conn.execute(OWNED)).fetchall():
        named = {"building_id": building_id, "thread_id": thread_id(building_id)}[row["column_name"]]
        query = DIGEST.format(table=row["table_name"], column=row["column_name"])
        one = await (await conn.execute(query, (named,))).fetchone()
        assert one is not None
        found[f"{row['table_name']}.{row['column_name']}"] = one["digest"]
    return found
