"""Commands whose modules are imported when they are used: help and completion of the names need none of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command, get_group


@dataclass(frozen=True)
class Entry:
    """A line of `longlead --help`, and where the command is."""

    name: str
    source: str
    """`module:attribute`: a function, or the Typer app of a group of commands."""
    help: str
    """What the command itself says in its first sentences. A test holds the two together."""
    panel: str


class Placeholder(TyperCommand):
    """Stands for a command until its arguments are to be parsed."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name, callback=None, help=entry.help, rich_help_panel=entry.panel)
        self.entry = entry

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the command itself: whoever runs or completes it goes on with `context.command`."""
        return load_command(self.entry).make_context(info_name, args, parent=parent, **extra)


def make_placeholders(entries: Iterable[Entry]) -> dict[str, Placeholder]:
    """The commands by name, in the order given."""
    return {entry.name: Placeholder(entry) for entry in entries}


def load_command(entry: Entry) -> Any:
    """Import the command's module, and make the command of it."""
    module, _, attribute = entry.source.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return get_group(found)
    alone = typer.Typer(add_completion=False)
    alone.command(entry.name)(found)
    return get_command(alone)
