"""Domain rows to and from their tables: one upsert for each kind, made from the model's own fields."""

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from psycopg import sql

from domain.approvals import Approval
from domain.procurement import (
    FactRow,
    Flag,
    Inspection,
    Item,
    LotRow,
    Message,
    Milestone,
    NonconformanceRow,
    OrderLine,
    PurchaseOrder,
    Receipt,
    Row,
    ScheduleVersion,
    Shipment,
    VendorRow,
)
from domain.rules import Delegation, Rule
from domain.summaries import Identifier, Summary
from storage.connection import Connection, Parameters

R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Table:
    """Where a kind of row lives, and what names one within its building."""

    name: str
    keys: tuple[str, ...]


TABLES: dict[type[Row], Table] = {
    Approval: Table("approvals", ("approval_id",)),
    Delegation: Table("delegations", ("delegation_id",)),
    FactRow: Table("facts", ("item_id", "fact_id")),
    Flag: Table("flags", ("flag_id",)),
    Identifier: Table("identifiers", ("kind", "value")),
    Inspection: Table("inspections", ("item_id", "inspection_id")),
    Item: Table("items", ("item_id",)),
    LotRow: Table("lots", ("item_id", "lot_id")),
    Message: Table("messages", ("message_id",)),
    Milestone: Table("milestones", ("item_id", "round", "kind")),
    NonconformanceRow: Table("nonconformances", ("item_id", "ncr_id")),
    OrderLine: Table("purchase_order_lines", ("number", "line")),
    PurchaseOrder: Table("purchase_orders", ("number",)),
    Receipt: Table("receipts", ("item_id", "receipt_id")),
    Rule: Table("rules", ("rule_id",)),
    ScheduleVersion: Table("schedules", ("version",)),
    Shipment: Table("shipments", ("item_id", "shipment_id")),
    Summary: Table("summaries", ("version",)),
    VendorRow: Table("vendors", ("vendor_id",)),
}


@cache
def upserting(kind: type[Row]) -> str:
    """The part of a statement that saves whole rows of this kind: %(building_id)s, and the rows' JSON images in
    `given.rows` under the table's name."""
    table = TABLES[kind]
    fields = list(kind.model_fields)
    columns = [sql.Identifier(field) for field in fields]
    changed = [sql.Identifier(field) for field in fields if field not in table.keys]
    return (
        sql.SQL(
            "INSERT INTO {table} (building_id, {columns}) "
            "SELECT %(building_id)s::text, {columns} "
            "FROM given, jsonb_populate_recordset(NULL::{table}, given.rows -> {name}) "
            "ON CONFLICT (building_id, {keys}) DO UPDATE SET {sets}"
        )
        .format(
            table=sql.Identifier(table.name),
            name=sql.Literal(table.name),
            columns=sql.SQL(", ").join(columns),
            keys=sql.SQL(", ").join(map(sql.Identifier, table.keys)),
            sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in changed),
        )
        .as_string()
    )


@cache
def appending(table: str, columns: tuple[str, ...]) -> str:
    """The part of a statement that adds rows to a table; their JSON images are in `given.rows` under its name."""
    return (
        sql.SQL(
            "INSERT INTO {table} (building_id, {columns}) SELECT %(building_id)s::text, {columns} "
            "FROM given, jsonb_populate_recordset(NULL::{table}, given.rows -> {name})"
        )
        .format(
            table=sql.Identifier(table),
            name=sql.Literal(table),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        )
        .as_string()
    )


def row_id(row: Row) -> str:
    """How `changes` names the row within its building and kind."""
    return "/".join(str(getattr(row, key)) for key in TABLES[type(row)].keys)


MANY_ROWS = 50
"""Rows that are made in one go; then others on the event loop are let go on."""


async def select(
    conn: Connection, kind: type[R], where: str, parameters: Parameters, order: str | None = None
) -> list[R]:
    """Rows of one kind. `where` and `order` are constants of the code, never text from outside."""
    query = statement(kind, where, order)
    cursor = await conn.execute(query, parameters)
    found: list[R] = []
    while rows := await cursor.fetchmany(MANY_ROWS):
        found += [kind.model_validate(row) for row in rows]
        if len(rows) < MANY_ROWS:
            break
        await asyncio.sleep(0)
    return found


@cache
def statement(kind: type[Row], where: str, order: str | None) -> bytes:
    table = TABLES[kind]
    by = sql.SQL(order) if order else sql.SQL(", ").join(map(sql.Identifier, table.keys))
    return (
        sql.SQL("SELECT {columns} FROM {table} WHERE {where} ORDER BY {by}")
        .format(
            columns=sql.SQL(", ").join(map(sql.Identifier, kind.model_fields)),
            table=sql.Identifier(table.name),
            where=sql.SQL(where),
            by=by,
        )
        .as_bytes()
    )
