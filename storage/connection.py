"""A connection to PostgreSQL that can send several statements in one message."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.abc import PQGen
from psycopg.generators import send
from psycopg.pq import ExecStatus
from psycopg.rows import DictRow, class_row
from psycopg.types.json import Jsonb

R = TypeVar("R")
Parameter = str | bytes | int | float | bool | Decimal | date | timedelta | UUID | Jsonb | Sequence["Parameter"] | None
Parameters = Sequence[Parameter] | Mapping[str, Parameter]
Column = str | int | float | Decimal | date | timedelta | UUID | list["Column"] | dict[str, "Column"] | None
"""What stands in a column of a row: JSON too."""
Found = dict[str, Column]
"""A row of any query, by column."""
Statement = tuple[str | bytes, Parameters | None]
"""A query, as text or bytes, and its parameters."""

Rows = list[DictRow]
"""What a statement returned; none where it returns no rows."""

_Cursor = psycopg.AsyncCursor[DictRow]

MOST_KEPT = 200
"""Queries whose cursors a connection keeps."""


class Connection(psycopg.AsyncConnection[DictRow]):
    """The driver's connection, rows as dicts."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: dict[Any, _Cursor] = {}
        """By query: a cursor knows how the parameters and rows of the query that it ran last are converted. What is
        registered for the connection later does not reach it."""

    async def together(self, statements: Iterable[Statement]) -> list[Rows]:
        """Execute statements one after the other: one message to the server and one back. The rows of each.

        Outside of a transaction they are one. The driver's pipeline does the same at more cost: it hands each statement
        to the socket as soon as it comes, with two looks at whether the socket is ready, takes the connection's lock
        for each, and the server wakes up for each.

        Raises:
            psycopg.Error: the first statement's that failed; those after it were skipped. Or a commit was turned into
                an undoing, since one had failed before.
            psycopg.ProgrammingError: within a pipeline.
        """
        asked = list(statements)
        if not asked:
            return []
        async with self.lock:
            if self._pipeline is not None:
                raise psycopg.ProgrammingError("Statements go together already within a pipeline.")
            cursors = [self._kept.pop(query) if query in self._kept else self.cursor() for query, _ in asked]
            try:
                await self._exchange(cursors, asked)
            except psycopg.Error as error:
                raise first_fault(error) from None
            self._keep(cursors, asked)
            return [_rows(cursor, query) for cursor, (query, _) in zip(cursors, asked, strict=True)]

    async def _exchange(self, cursors: list[_Cursor], asked: list[Statement]) -> None:
        self._pipeline = exchange = _Exchange(self, _no_lock=True)
        failed: BaseException | None = None
        try:
            await self.wait(exchange.run(cursors, asked))
        except BaseException as error:
            failed = error
            raise
        finally:
            self._pipeline = None
            exchange._exit(failed)

    def _keep(self, cursors: list[_Cursor], asked: list[Statement]) -> None:
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        self._kept.update((query, cursor) for cursor, (query, _) in zip(cursors, asked, strict=True))


async def select(conn: Connection, kind: type[R], query: str | bytes, parameters: Parameters = ()) -> list[R]:
    """The rows of a query, each as a `kind`, whose fields are its columns."""
    cursor = await conn.execute(query, parameters)
    make = class_row(kind)(cursor)
    return [make(list(row.values())) for row in await cursor.fetchall()]


async def select_one(conn: Connection, kind: type[R], query: str | bytes, parameters: Parameters = ()) -> R | None:
    """The first row of a query as a `kind`; None where there is none."""
    cursor = await conn.execute(query, parameters)
    row = await cursor.fetchone()
    return None if row is None else class_row(kind)(cursor)(list(row.values()))


async def select_value(conn: Connection, query: str, parameters: Parameters = ()) -> Any:
    """The first column of the first row of a query; None where there is no row."""
    row = await (await conn.execute(query, parameters)).fetchone()
    return None if row is None else next(iter(row.values()))


def first_fault(error: psycopg.Error) -> psycopg.Error:
    """What went wrong first: a pipeline whose statement fails may tell of those that were skipped after it instead,
    and that looks like a fault of the database."""
    found = error
    while isinstance(found, psycopg.errors.PipelineAborted) and isinstance(found.__context__, psycopg.Error):
        found = found.__context__
    return found


def _rows(cursor: _Cursor, query: Any) -> Rows:
    result = cursor.pgresult
    if result is not None and result.status == ExecStatus.TUPLES_OK:
        return cursor._tx.load_rows(0, result.ntuples, cursor._make_row)
    if query == "COMMIT" and cursor.statusmessage != query:
        raise psycopg.errors.InFailedSqlTransaction("The transaction was undone: a statement in it had failed.")
    return []


class _Exchange(psycopg.AsyncPipeline):
    """A pipeline that collects its statements and sends them at once, before it waits for results."""

    def run(self, cursors: Sequence[_Cursor], statements: Sequence[Statement]) -> PQGen[None]:
        yield from self._enter_gen()
        try:
            for cursor, statement in zip(cursors, statements, strict=True):
                yield from cursor._execute_gen(*statement)
        finally:
            self._enqueue_sync()
            yield from self._fetch_gen(flush=False)

    def _communicate_gen(self) -> PQGen[None]:
        """Called after each statement. Nothing is sent yet."""
        yield from ()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        """Called for results. What was collected is sent first; large parameters need several turns."""
        while self.command_queue:
            self.command_queue.popleft()()
        yield from send(self.pgconn)
        yield from super()._fetch_gen(flush=flush)
