"""Reading what is to be sent (a file, standard input (`-`), JSON on the command line); writing what is made."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cli.sentences import CommandError

if TYPE_CHECKING:  # help needs none of pydantic
    from pydantic import JsonValue

_ADVICE = "Name a file of JSON, - for standard input, or write the JSON itself."


@dataclass(frozen=True)
class Given:
    """One of the events that were given."""

    position: int
    """From 1, without blank lines."""
    line: int | None
    """Its line, where there is one on each line."""
    event: "JsonValue"


def read_json(given: str) -> "JsonValue":
    """The JSON document of a file, of standard input, or of the text itself."""
    try:
        return _decode(_read_text(given))
    except ValueError as error:
        raise CommandError(f"{_name_source(given)} is not JSON: {error}.") from error


def read_events(given: str) -> list[Given]:
    """One event, a list of them, or one on each line."""
    text = _read_text(given)
    try:
        found = _decode(text)
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) == 1 or text.lstrip().startswith("["):
            raise CommandError(f"{_name_source(given)} is not JSON: {error}. Nothing was sent.") from error
        return [
            Given(position, number, _decode_line(line, number, given))
            for position, (number, line) in enumerate(lines, 1)
        ]
    events = found if isinstance(found, list) else [found]
    return [Given(position, None, event) for position, event in enumerate(events, 1)]


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """CommandError where what is done within cannot write there."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}. Name another place.") from error


def _decode_line(line: str, number: int, given: str) -> "JsonValue":
    try:
        return _decode(line)
    except ValueError as error:
        raise CommandError(f"{_name_source(given)}, line {number}, is not JSON: {error}. Nothing was sent.") from error


def _decode(text: str) -> "JsonValue":
    """What the text says.

    Raises:
        ValueError: it is no JSON; also where Python alone would read it.
    """
    try:
        found: JsonValue = json.loads(text, parse_constant=_refuse_constant, parse_float=_parse_finite)
    except RecursionError as error:
        raise ValueError("it has too many brackets within each other") from error
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no number of JSON")


def _parse_finite(text: str) -> float:
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError(f"it holds {text[:40]}, which is too large")
    return number


def _read_text(given: str) -> str:
    """The text that is meant.

    Raises:
        CommandError: it cannot be read, or there is none.
    """
    try:
        text = _read_bytes(given).decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{given} cannot be read: {error.strerror}. {_ADVICE}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{_name_source(given)} cannot be read: it is not UTF-8 text. Save it as UTF-8.") from error
    except ValueError as error:  # a name that no file can have
        raise CommandError(f"{given!r} cannot be read: {error}. {_ADVICE}") from error
    if not text.strip():
        raise CommandError(f"{_name_source(given)} is empty. {_ADVICE}")
    return text


def _read_bytes(given: str) -> bytes:
    if given == "-":
        return sys.stdin.buffer.read()
    if _is_text(given):
        return given.encode("utf-8", "surrogateescape")
    return Path(given).read_bytes()


def _is_text(given: str) -> bool:
    """Whether what is given is the JSON itself."""
    return given.lstrip().startswith(("{", "["))


def _name_source(given: str) -> str:
    if given == "-":
        return "Standard input"
    return "The text given" if _is_text(given) else given
