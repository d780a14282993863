"""Reading a list page by page: in a stable order, from the row after the last one that was seen."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

from storage.connection import Column, Connection, Found, Parameter

Key = str | int | datetime


@dataclass(frozen=True, eq=False)
class Listing:
    """A list that can be read in pages. Everything in it is a constant of the code, never text from outside."""

    query: str
    """SELECT ... FROM ... without WHERE."""
    order: Mapping[str, type[Key]]
    """Columns of the query that order it and together name one row, each with the type of its values."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Conditions by the name of their parameter."""
    always: str | None = None
    """A condition that holds for every row of the list."""


THEIRS = {
    "theirs": "(SELECT COALESCE(b.origin, b.building_id) FROM buildings b WHERE b.building_id = r.building_id)"
    " = ANY(%(theirs)s)"
}
"""A condition of lists that reach over buildings: only these buildings, and their forks."""


@dataclass(frozen=True)
class Page:
    """Some rows of a list; `after` names the last of them where there are more."""

    rows: list[Found]
    after: tuple[Key, ...] | None


async def page(
    conn: Connection,
    listing: Listing,
    *,
    limit: int,
    after: Sequence[Key] | None = None,
    **filters: Parameter,
) -> Page:
    """The first `limit` rows after the one named. Filters that are None do not count."""
    cursor = await _executed(conn, listing, filters, after, limit + 1)
    rows: list[Found] = []
    last: tuple[Key, ...] = ()
    weight = 0
    while some := await cursor.fetchmany(SOME_ROWS):
        for row in some:
            if len(rows) == limit or weight > MAX_PAGE_CHARS:
                return Page(rows, last)
            rows.append(row)
            last = tuple(row[column] for column in listing.order)
            weight += _weight(row)
        await asyncio.sleep(0)
    return Page(rows, None)


MAX_PAGE_CHARS = 1_000_000
"""Text that a page holds, about: where rows are large it has fewer of them than were asked for."""
SOME_ROWS = 25
"""Rows that are made in one go; then others on the event loop are let go on."""


def _weight(value: Column) -> int:
    """About how many characters a value takes."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_weight, value.values())) + 10 * len(value)
    return sum(map(_weight, value)) if isinstance(value, list) else 10


async def one(conn: Connection, listing: Listing, **filters: Parameter) -> Found | None:
    """The first row that the filters name; None when there is none."""
    return await (await _executed(conn, listing, filters, None, 1)).fetchone()


async def _executed(
    conn: Connection, listing: Listing, filters: dict[str, Parameter], after: Sequence[Key] | None, limit: int
) -> psycopg.AsyncCursor[DictRow]:
    given = {name: value for name, value in filters.items() if value is not None}
    query = _statement(listing, tuple(sorted(given)), after is not None)
    parameters: dict[str, Parameter] = {**given, "limit": limit}
    parameters |= {f"after_{number}": value for number, value in enumerate(after or ())}
    return await conn.execute(query, parameters)


@cache
def _statement(listing: Listing, given: tuple[str, ...], resumed: bool) -> sql.Composed:
    conditions = [listing.filters[name] for name in given]
    conditions += [listing.always] if listing.always else []
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    columns = sql.SQL(", ").join(map(sql.Identifier, listing.order))
    seen = sql.SQL(", ").join(sql.Placeholder(f"after_{number}") for number in range(len(listing.order)))
    return sql.SQL("SELECT * FROM ({query}{where}) AS listed {resume} ORDER BY {order} LIMIT {limit}").format(
        query=sql.SQL(listing.query),
        where=sql.SQL(where),
        resume=sql.SQL("WHERE ({columns}) > ({seen})").format(columns=columns, seen=seen) if resumed else sql.SQL(""),
        order=columns,
        limit=sql.Placeholder("limit"),
    )
