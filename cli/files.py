"""Reading what is to be sent (a file, standard input (`-`), JSON on the command line); writing what is made."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.sentences import CommandError


def read_json(given: str) -> Any:
    """The JSON document of a file, of standard input, or of the text itself."""
    text = _text(given)
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"{_named(given)} is not JSON: {error}.") from error


def read_events(given: str) -> list[Any]:
    """One event, a list of them, or one on each line."""
    text = _text(given)
    try:
        found = json.loads(text)
    except ValueError:
        return [_line(line, number, given) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    return found if isinstance(found, list) else [found]


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """CommandError where what is done within cannot write there."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}. Name another place.") from error


def _line(line: str, number: int, given: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise CommandError(f"{_named(given)}, line {number}, is not JSON: {error}.") from error


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if given.lstrip().startswith(("{", "[")):
        return given
    try:
        return Path(given).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandError(f"{given} cannot be read: {reason}.") from error


def _named(given: str) -> str:
    if given == "-":
        return "Standard input"
    return "The text given" if given.lstrip().startswith(("{", "[")) else given
