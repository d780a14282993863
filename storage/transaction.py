"""One transaction on one building: its row is locked first, and everything it saves is also appended to `changes`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from domain.buildings import Building
from domain.errors import NotFoundError
from domain.procurement import Row
from storage.connection import Connection, Parameters, Statement
from storage.database import encode_json
from storage.rows import TABLES, appending, row_id, upserting

R = TypeVar("R", bound=Row)

# Every transaction takes the building's row first, in this strength: with any other order or strength deadlocks
# were measured, with this one none.
LOCK = "SELECT * FROM buildings WHERE building_id = %s FOR NO KEY UPDATE"

_LOGGED = """
    INSERT INTO changes (building_id, position, seq, entity, id, data)
    SELECT %(building_id)s::text, new.position, %(seq)s::bigint, new.entity, new.id, new.data
      FROM given, jsonb_to_recordset(given.rows -> 'changes')
           AS new (position bigint, entity text, id text, data jsonb)"""

_BUILDING_ITSELF = """
       po_counter = %(po_counter)s, schedule_version = %(schedule_version)s, status = %(status)s,
       contacts = %(contacts)s, approvers = %(approvers)s, policy = %(policy)s, is_watching = %(is_watching)s,
       goes_live = %(goes_live)s, live_from_seq = %(live_from_seq)s, acts_from = %(acts_from)s,"""


class BuildingTransaction:
    """What is to be saved in one transaction, written in one statement when it ends.

    Assign fields of `building` to change the building itself, each with a new value; call `save` with whole rows.
    Nothing that was saved can be read back before the end.
    """

    def __init__(self, conn: Connection, row: dict[str, Any], seq: int | None) -> None:
        self.conn = conn
        self.building = building_from(row)
        self.last_seq: int = row["last_seq"]
        self.seq = self.last_seq if seq is None else seq
        self.position: int = row["position"]
        self.ahead: list[dict[str, Any] | None] = []
        """The first row of each of the statements that were sent along with the lock."""
        self._before: Building | None = self.building.model_copy()
        self._rows: list[Row] = []
        self._appended: dict[str, list[dict[str, Any]]] = {}
        self._changes: list[dict[str, Any]] = []
        self._first: list[Statement] = []
        self._statements: list[Statement] = []

    def save(self, *rows: Row) -> None:
        """Save whole rows, in this order; a row saved twice ends as the last one."""
        self._rows.extend(rows)

    def saved_of(self, kind: type[R]) -> list[R]:
        """The rows of a kind that were saved so far, each as it was saved last."""
        saved = {row_id(row): row for row in self._rows if isinstance(row, kind)}
        return list(saved.values())

    def append(self, table: str, row: dict[str, Any]) -> None:
        """A new row, in JSON's types, of a table that is only ever added to and not part of the log. Its columns are
        the keys, the same for all rows of a table."""
        self._appended.setdefault(table, []).append(row)

    def first(self, statement: Statement) -> None:
        """A further statement, before the rows: it finds the building as it was before them."""
        self._first.append(statement)

    def also(self, query: str | bytes, parameters: Parameters | None) -> None:
        """A further statement, after the rows."""
        self._statements.append((query, parameters))

    def log_building(self) -> None:
        """Append the building's image too, though nothing of it changed: so that its past begins with what it was."""
        self._before = None

    @property
    def size(self) -> int:
        """How many rows are to be saved."""
        return len(self._rows)

    @property
    def end_position(self) -> int:
        """The position in `changes` at which this transaction will end, as things stand."""
        return self.position + len(self._rows) + (self.building != self._before)

    def statements(self) -> list[Statement]:
        """What writes everything; asked for once, at the end."""
        return [*self._first, *self._writing(), *self._statements]

    def _writing(self) -> list[Statement]:
        """The statement that writes the rows, where there are any."""
        saved = self._saved()
        changed = self.building != self._before
        image = self.building.model_dump(mode="json") if changed else {}
        if changed:
            self._log("buildings", self.building.building_id, image)
        if not (saved or changed or self._appended):
            return []
        appended = tuple((name, tuple(rows[0])) for name, rows in self._appended.items())
        rows = {TABLES[kind].name: list(images.values()) for kind, images in saved.items()}
        parameters = {
            "building_id": self.building.building_id,
            "seq": self.seq,
            "position": self.position,
            "rows": Jsonb(rows | self._appended | {"changes": self._changes}),
            **_own_columns(image),
        }
        return [(_write(tuple(saved), appended, changed), parameters)]

    def _saved(self) -> dict[type[Row], dict[str, dict[str, Any]]]:
        """The rows' images by kind and id, each appended to `changes`."""
        saved: dict[type[Row], dict[str, dict[str, Any]]] = {}
        for row in self._rows:
            image = row.model_dump(mode="json")
            saved.setdefault(type(row), {})[row_id(row)] = image
            self._log(TABLES[type(row)].name, row_id(row), image)
        return saved

    def _log(self, entity: str, id_: str, image: dict[str, Any]) -> None:
        self.position += 1
        self._changes.append({"position": self.position, "entity": entity, "id": id_, "data": image})


@cache
def _write(kinds: tuple[type[Row], ...], appended: tuple[tuple[str, tuple[str, ...]], ...], changed: bool) -> str:
    """The statement that writes rows of these kinds: each further statement would cost a message to the server and
    back. No part of it sees what another part writes, and none needs to."""
    parts = [f"saved_{number} AS ({upserting(kind)})" for number, kind in enumerate(kinds)]
    parts += [f"appended_{number} AS ({appending(*each)})" for number, each in enumerate(appended)]
    logged = [f"logged AS ({_LOGGED})"] if kinds or changed else []
    ending = (
        f"UPDATE buildings SET {_BUILDING_ITSELF if changed else ''} position = %(position)s "
        "WHERE building_id = %(building_id)s"
        if logged
        else "SELECT"
    )
    given = "given AS MATERIALIZED (SELECT %(rows)s::jsonb AS rows)"
    return f"WITH {', '.join([given, *parts, *logged])} {ending}"


_PLAIN_COLUMNS = ("po_counter", "schedule_version", "status", "is_watching", "goes_live", "live_from_seq", "acts_from")


def _own_columns(image: dict[str, Any]) -> dict[str, Any]:
    """What of a building may change, as parameters; none where it did not."""
    if not image:
        return {}
    plain = {column: image[column] for column in _PLAIN_COLUMNS}
    return plain | {column: Jsonb(image[column]) for column in ("contacts", "approvers", "policy")}


def building_from(row: dict[str, Any]) -> Building:
    """The building of a row of its table."""
    return Building.model_validate({**row, "thread_id": str(row["thread_id"])})


MAX_INLINE_ROWS = 100
"""Rows whose images are made on the event loop; those of more, in a thread."""


async def _statements(transaction: BuildingTransaction) -> list[Statement]:
    if transaction.size <= MAX_INLINE_ROWS:
        return transaction.statements()
    return await asyncio.to_thread(encoded_statements, transaction)


def encoded_statements(transaction: BuildingTransaction) -> list[Statement]:
    """The statements with their documents as JSON text already, which the driver would make of them on the loop."""
    return [(query, _encoded(parameters)) for query, parameters in transaction.statements()]


def _encoded(parameters: Any) -> Any:
    if isinstance(parameters, dict):
        return {name: _encoded(value) for name, value in parameters.items()}
    if isinstance(parameters, Jsonb):
        text = encode_json(parameters.obj)
        return Jsonb(None, dumps=lambda _: text)
    return parameters


@asynccontextmanager
async def building_transaction(
    conn: Connection,
    building_id: str,
    seq: int | None = None,
    *,
    ahead: Sequence[Statement] = (),
    joins: bool = False,
    commits: bool = True,
) -> AsyncIterator[BuildingTransaction]:
    """Lock the building, yield what is to be saved, write it and commit: the begin travels with the lock, and the
    commit with what it commits.

    `seq` names the inbox entry that causes the changes; the last one when absent (a change made over REST). `ahead`
    are statements that read what the transaction begins with: sent along with the lock, and answered as of then.
    Several in a row are one transaction where all but the last do not commit, and all but the first `joins` what is
    open: each sees what those before it wrote, and an error in one undoes all.

    Raises:
        NotFoundError: there is no such building.
    """
    outermost = joins or conn.info.transaction_status == TransactionStatus.IDLE
    try:
        if outermost:
            transaction = await _begin(conn, building_id, seq, ahead, opening=not joins)
            yield transaction
            ending: list[Statement] = [("COMMIT", None)] if commits else []
            await conn.together([*await _statements(transaction), *ending])
        else:  # undone alone, committed with the one around it
            async with conn.transaction():
                transaction = await _begin(conn, building_id, seq, ahead)
                yield transaction
                await conn.together(await _statements(transaction))
    except BaseException:
        if outermost:
            await roll_back(conn)
        raise


async def roll_back(conn: Connection) -> None:
    """Undo what is open. Where the connection is lost, so is what was open on it; the error in hand tells."""
    if conn.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        with contextlib.suppress(psycopg.Error):
            await conn.rollback()


async def _begin(
    conn: Connection, building_id: str, seq: int | None, ahead: Iterable[Statement], *, opening: bool = False
) -> BuildingTransaction:
    begin = [("BEGIN", None)] if opening else []
    locking, *reading = (await conn.together([*begin, (LOCK, (building_id,)), *ahead]))[len(begin) :]
    if not locking:
        raise NotFoundError(f"There is no building {building_id!r}. List the buildings with GET /buildings.")
    transaction = BuildingTransaction(conn, locking[0], seq)
    transaction.ahead = [rows[0] if rows else None for rows in reading]
    return transaction
