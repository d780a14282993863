"""Errors on the command line: one clear sentence on standard error, and exit code 1. Never a traceback."""

import re
import sys
from typing import Any

import httpx
import psycopg
import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from domain.errors import LongleadError


class CommandError(LongleadError):
    """The command could not be carried out. The message says why, and what to do."""

    title = "Command failed"


# The service names its own addresses; here the command that shows the same is of more use.
_COMMANDS = (
    (re.compile(r"GET /buildings/([^\s/]+)/history"), r"`longlead history \1`"),
    (re.compile(r"GET /buildings/([^\s/]+)/forks"), r"`longlead fork list \1`"),
    (re.compile(r"GET /buildings/([^\s/]+)/items"), r"`longlead building show \1`"),
    (re.compile(r"GET /buildings(?![/\w])"), "`longlead building list`"),
    (re.compile(r"GET /outbox(?![/\w])"), "`longlead messages list`"),
    (re.compile(r"GET /(approvals|rules|delegations)(?![/\w])"), r"`longlead \1 list`"),
)


class Sentences(TyperGroup):
    """The root of the commands: whatever goes wrong below is said in a sentence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (LongleadError, httpx.HTTPError, psycopg.Error, ValidationError, OSError, ExceptionGroup) as error:
            print(f"Error: {_with_commands(sentence(error))}", file=sys.stderr)
            raise typer.Exit(1) from error


def sentence(error: BaseException) -> str:
    """What went wrong, for a person."""
    if isinstance(error, BaseExceptionGroup):
        return sentence(error.exceptions[0])
    if isinstance(error, psycopg.OperationalError):
        return f"The database cannot be reached: {_one_line(error)}. Check LONGLEAD_DATABASE_URL."
    if isinstance(error, psycopg.errors.UndefinedTable):
        return "The database has no tables of Longlead yet. Make them with `longlead db migrate`."
    if isinstance(error, LongleadError):
        return error.detail
    return f"{type(error).__name__}: {_one_line(error)}"


def _with_commands(text: str) -> str:
    for address, command in _COMMANDS:
        text = address.sub(command, text)
    return text


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
