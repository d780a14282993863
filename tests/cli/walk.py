"""Every command that asks the service, with arguments that fit."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from cli.lazy import load_command
from cli.main import app

OPTIONS = {
    "approvals decide": ["approve"],
    "building change": ["--policy", "po_limit=1"],
    "delegations grant": [],
    "links make": ["--approval", "1"],
    "links revoke": ["--all"],
    "rules edit": ["--text", "Otherwise."],
    "vendors change": ["--name", "Mill"],
}
"""What a command needs beside its required arguments."""
JSON = {"file": "{}", "events": "{}"}
"""Arguments that are JSON."""


def list_commands(command: Any = None, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its words."""
    command = command or get_command(app)
    for name, found in command.commands.items():
        loaded = load_command(found.entry) if hasattr(found, "entry") else found
        if hasattr(loaded, "commands"):
            yield from list_commands(loaded, *above, name)
        else:
            yield (*above, name), loaded


def list_calls() -> Iterator[list[str]]:
    """A call of each command that asks the service."""
    for words, command in list_commands():
        if any("--url" in parameter.opts for parameter in command.params):
            required = [one for one in command.params if one.param_type_name == "argument" and one.required]
            yield [*words, *(JSON.get(str(one.name), "1") for one in required), *OPTIONS.get(" ".join(words), [])]
