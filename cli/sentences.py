"""Errors on the command line: one clear sentence on standard error, and exit code 1. Never a traceback."""

import errno
import re
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from domain.errors import LongleadError
from domain.outside import one_line


class CommandError(LongleadError):
    """The command could not be carried out. The message says why, and what to do."""

    title = "Command failed"


# The service names its own addresses; here the command that shows the same is of more use.
_COMMANDS = (
    (re.compile(r"GET /buildings/([^\s/]+)/history"), r"`longlead history \1`"),
    (re.compile(r"GET /buildings/([^\s/]+)/forks"), r"`longlead fork list \1`"),
    (re.compile(r"GET /buildings/([^\s/]+)/items"), r"`longlead items list \1`"),
    (re.compile(r"GET /buildings/([^\s/]+)/vendors"), r"`longlead vendors list \1`"),
    (re.compile(r"PATCH /buildings/([^\s/]+)/vendors/([^\s/]+?)(?=[\s.,;]|$)"), r"`longlead vendors change \1 \2`"),
    (re.compile(r"PATCH /buildings/([^\s/]+?)(?=[\s.,;]|$)"), r"`longlead building change \1`"),
    (re.compile(r"GET /buildings(?![/\w])"), "`longlead building list`"),
    (re.compile(r"GET /outbox(?![/\w])"), "`longlead messages list`"),
    (re.compile(r"GET /(approvals|rules|delegations)(?![/\w])"), r"`longlead \1 list`"),
)


class Sentences(TyperGroup):
    """The root of the commands: whatever goes wrong below is said in a sentence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not _is_for_people(error):
                raise
            print(f"Error: {one_line(_with_commands(sentence(error)))}", file=sys.stderr)
            raise typer.Exit(1) from error


def sentence(error: BaseException) -> str:
    """What went wrong, for a person."""
    if isinstance(error, BaseExceptionGroup):
        return sentence(error.exceptions[0])
    if isinstance(error, _find_exception("psycopg", "OperationalError")):
        return f"The database cannot be reached: {error_in_words(error)}. Check LONGLEAD_DATABASE_URL."
    if isinstance(error, _find_exception("psycopg.errors", "UndefinedTable")):
        return "The database has no tables of Longlead yet. Make them with `longlead db migrate`."
    if isinstance(error, LongleadError):
        return error.detail
    return f"{type(error).__name__}: {error_in_words(error)}"


def error_in_words(error: BaseException) -> str:
    """What a library says of an error, as a part of a sentence; the error's kind where it says nothing."""
    return one_line(str(error)).rstrip(".") or type(error).__name__


def _is_for_people(error: Exception) -> bool:
    """Whether a sentence says enough; a reader who has left (`| head`) is told nothing."""
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return False
    return isinstance(
        error,
        (LongleadError, OSError, ExceptionGroup)
        + _find_exception("httpx", "HTTPError")
        + _find_exception("psycopg", "Error")
        + _find_exception("pydantic", "ValidationError"),
    )


def _find_exception(module: str, name: str) -> tuple[type[BaseException], ...]:
    """An exception of a library, if that was imported. If not, it has raised nothing: no need to import it for this."""
    found = sys.modules.get(module)
    return () if found is None else (getattr(found, name),)


def _with_commands(text: str) -> str:
    for address, command in _COMMANDS:
        text = address.sub(command, text)
    return text
