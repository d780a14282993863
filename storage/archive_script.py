"""Runs pg_restore's script of an archive on any server, over our own connection.

pg_restore writes the script for a server of its own version: pg_restore 18 begins it with SET transaction_timeout,
which servers before 17 do not know. Run over our connection the script can leave out settings that the server does not
know, stays in our transaction, and uses the driver's TLS, which the wheel's tools lack.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

import psycopg

from storage.client_tools import ToolError

_BLOCK = 256 * 1024
_END_OF_ROWS = b"\\.\n"  # at a line's start it can be nothing else: COPY doubles the backslashes of data
_COPY = re.compile(rb"COPY .* FROM stdin;\n", re.DOTALL)
_SETTING = re.compile(rb"SET ([a-z_]+) = ")
_FIRST_OBJECT = re.compile(rb"^-- (?:Data for )?Name: ", re.MULTILINE)
# Commands of psql around the script; a function's body may have lines that look the same.
_FIRST_COMMAND = re.compile(rb"^\\restrict \w+\n", re.MULTILINE)
_LAST_COMMAND = re.compile(rb"^\\unrestrict \w+\s*\Z", re.MULTILINE)
# pg_restore wraps large objects in transactions of their own; here everything is in one.
_TRANSACTION = (b"BEGIN;\n", b"COMMIT;\n")
_KNOWN_SETTINGS = "SELECT name FROM pg_settings"


@dataclass
class ScriptRunner:
    """Runs the sections of one archive's script inside the connection's transaction."""

    connection: psycopg.Connection
    on_progress: Callable[[int], None]
    """Called with the number of bytes read so far."""
    _bytes_read: int = 0
    _known_settings: frozenset[bytes] = field(init=False)

    def __post_init__(self) -> None:
        rows = self.connection.execute(_KNOWN_SETTINGS)
        self._known_settings = frozenset(str(row[0]).encode() for row in rows)

    def run_definitions(self, script: IO[bytes]) -> None:
        """Run a section without rows: what comes before the data, or after it."""
        text = script.read()
        self._count(len(text))
        self.connection.execute(self._adapt(text))

    def run_data(self, script: IO[bytes]) -> None:
        """Run the section with the tables' rows, block by block."""
        lines = _Lines(script, self._count)
        preamble = b"".join(lines.read_until(_FIRST_OBJECT))
        self.connection.execute(self._adapt(preamble))
        while (line := lines.read_line()) is not None:
            if _COPY.fullmatch(line):
                self._copy_rows(line, lines)
            elif _is_statement(line):
                self.connection.execute(line)

    def _copy_rows(self, statement: bytes, lines: "_Lines") -> None:
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for block in lines.read_rows():
                copy.write(block)

    def _adapt(self, script: bytes) -> bytes:
        """The script without psql's commands, and without settings at its beginning that this server does not know."""
        script = _LAST_COMMAND.sub(b"", script)
        first_object = _FIRST_OBJECT.search(script)
        end = first_object.start() if first_object else len(script)
        preamble = _FIRST_COMMAND.sub(b"", script[:end], count=1).splitlines(keepends=True)
        return b"".join(line for line in preamble if self._is_known(line)) + script[end:]

    def _is_known(self, line: bytes) -> bool:
        setting = _SETTING.match(line)
        return setting is None or setting[1] in self._known_settings

    def _count(self, size: int) -> None:
        self._bytes_read += size
        self.on_progress(self._bytes_read)


def _is_statement(line: bytes) -> bool:
    return line not in _TRANSACTION and bool(line.strip()) and not line.startswith((b"--", b"\\unrestrict "))


class _Lines:
    """Lines of a stream, read many at once."""

    def __init__(self, stream: IO[bytes], count: Callable[[int], None]) -> None:
        self._stream = stream
        self._count = count
        self._lines: list[bytes] = []
        self._next = 0

    def read_line(self) -> bytes | None:
        """The next line; None at the end."""
        if not self._fill():
            return None
        line = self._lines[self._next]
        self._next += 1
        return line

    def read_until(self, pattern: re.Pattern[bytes]) -> Iterator[bytes]:
        """The lines before the first one that matches, which stays unread."""
        while self._fill() and not pattern.match(self._lines[self._next]):
            yield self._lines[self._next]
            self._next += 1

    def read_rows(self) -> Iterator[bytes]:
        """The rows of one table in blocks; ToolError when the stream ends within them."""
        while self._fill():
            try:
                end = self._lines.index(_END_OF_ROWS, self._next)
            except ValueError:
                yield b"".join(self._lines[self._next :])
                self._next = len(self._lines)
                continue
            yield b"".join(self._lines[self._next : end])
            self._next = end + 1
            return
        raise ToolError("The backup ends within a table's rows: the file is incomplete.")

    def _fill(self) -> bool:
        """Have at least one unread line; False at the end."""
        if self._next >= len(self._lines):
            self._lines = self._stream.readlines(_BLOCK)
            self._next = 0
            self._count(sum(map(len, self._lines)))
        return bool(self._lines)
