"""A connection to PostgreSQL that can send several statements in one message."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.generators import send
from psycopg.rows import DictRow

Statement = tuple[Any, Any]
"""A query and its parameters."""

Cursor = psycopg.AsyncCursor[DictRow]


class Connection(psycopg.AsyncConnection[DictRow]):
    """The driver's connection, rows as dicts."""

    async def together(self, statements: Iterable[Statement]) -> list[Cursor]:
        """Execute statements one after the other: one message to the server and one back. The cursors of all of them.

        Outside of a transaction they are one. The driver's pipeline does the same at more cost: it hands each statement
        to the socket as soon as it comes, with two looks at whether the socket is ready, takes the connection's lock
        for each, and the server wakes up for each.

        Raises:
            psycopg.Error: a statement failed, and those after it were skipped (`storage.database.first_fault` tells
                which one it was).
            psycopg.ProgrammingError: within a pipeline.
        """
        asked = list(statements)
        if not asked:
            return []
        cursors = [self.cursor() for _ in asked]
        async with self.lock:
            if self._pipeline is not None:
                raise psycopg.ProgrammingError("Statements go together already within a pipeline.")
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
        return cursors


class _Exchange(psycopg.AsyncPipeline):
    """A pipeline that collects its statements and sends them at once, before it waits for results."""

    def run(self, cursors: Sequence[Cursor], statements: Sequence[Statement]) -> PQGen[None]:
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
