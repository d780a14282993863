"""A building's history as a plain file: every row that names the building or its thread, as JSON."""

import json
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from storage.buildings import thread_id
from storage.connection import Connection

FOLDER = Path(__file__).parent / "recorded"

# Of one building or of one thread; what refers to another comes after it.
TABLES_OF = """
SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t
    ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
 WHERE c.table_schema = 'public' AND c.column_name IN ('building_id', 'thread_id')
   AND (c.table_name <> 'buildings' OR c.column_name = 'building_id')
 ORDER BY c.table_name <> 'buildings', c.table_name <> 'events', c.table_name = 'deliveries', c.table_name"""

NUMBERED = """
SELECT column_name FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = %s AND is_identity = 'YES'"""

History = dict[str, list[dict[str, Any]]]
"""Rows by table, in the order in which they can be put back."""


async def dump(conn: Connection, building_id: str) -> History:
    """All rows of a building and its thread."""
    found: History = {}
    for row in await (await conn.execute(TABLES_OF)).fetchall():
        named = {"building_id": building_id, "thread_id": thread_id(building_id)}[row["column_name"]]
        query = sql.SQL("SELECT to_jsonb(t) AS row FROM {} t WHERE t.{}::text = %s ORDER BY to_jsonb(t)::text").format(
            sql.Identifier(row["table_name"]), sql.Identifier(row["column_name"])
        )
        rows = [one["row"] for one in await (await conn.execute(query, (named,))).fetchall()]
        if rows:
            found[row["table_name"]] = rows
    return found


async def load(conn: Connection, history: History) -> None:
    """Put a history into a database of today: columns that came later have their defaults."""
    for table, rows in history.items():
        columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
        query = sql.SQL(
            "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE "
            "SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s)"
        ).format(table=sql.Identifier(table), columns=columns)
        await conn.execute(query, (Jsonb(rows),))
        for numbered in [row["column_name"] for row in await (await conn.execute(NUMBERED, (table,))).fetchall()]:
            highest = max(row[numbered] for row in rows)
            await conn.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (table, numbered, highest))


def write(file: Path, history: History) -> None:
    """One row a line, so that two recordings can be compared."""
    tables = [
        f"{json.dumps(table)}: [\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]"
        for table, rows in history.items()
    ]
    file.write_text("{" + ",\n".join(tables) + "}\n", encoding="utf-8")


def read(name: str) -> History:
    """A recorded history, by the name of its file."""
    history: History = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return history
