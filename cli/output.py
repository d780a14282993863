"""What commands print: tables for people, JSON for machines."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.outside import one_line

if TYPE_CHECKING:  # help needs none of pydantic
    from domain.plain_json import PlainAction

R = TypeVar("R")
Cell = str | int | float | bool | None | Sequence["Cell"] | Mapping[str, "Cell"]
"""What stands in a table: words, numbers, or plain JSON."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]

_COLOURS = {
    "done": "green",
    "released": "green",
    "ready": "green",
    "queued": "yellow",
    "pending": "yellow",
    "on_hold": "yellow",
    "running": "cyan",
    "dead": "red",
    "failed_inspection": "red",
}


def print_json(value: Any) -> None:
    """One JSON document, with other scripts' letters as they are."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], empty: str) -> None:
    """A table, or a sentence when it has no rows."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    _console().print(table if table.row_count else empty)


def print_rows(
    found: Iterable[R],
    as_json: bool,
    title: str,
    columns: Sequence[str],
    row: Callable[[R], Sequence[Cell]],
    empty: str,
) -> None:
    """A list that was read: all of it as JSON, or as a table of what `row` makes of each."""
    rows = list(found)
    if as_json:
        print_json(rows)
    else:
        print_table(title, columns, map(row, rows), empty)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Names and values below each other; absent ones are left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in fields.items():
        if value not in (None, "", [], {}):
            grid.add_row(Text(name, style="dim"), _cell(value))
    _console().print(grid)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:  # in a file or a pipe nothing should be folded away at 80 columns
        console.width = 200
    return console


def _cell(value: Cell) -> Text:
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, (dict, list)):
        return Text(one_line(json.dumps(value, ensure_ascii=False)))
    return Text(one_line(str(value)), style=_COLOURS.get(str(value), ""))


def moment(value: str | None) -> str | None:
    """A time for people: to the second, in UTC as it came."""
    return None if value is None else value[:19].replace("T", " ")


def describe_actions(made: "Iterable[PlainAction]") -> str:
    """Actions in one line: `reorder_item(item=hvac-units)`."""
    return ", ".join(
        f"{action['name']}({', '.join(f'{name}={value}' for name, value in action['arguments'].items())})"
        for action in made
    )


MAX_SHOWN = 60
"""Characters of a value that are shown of a change; `--json` has all of it."""


def describe_changes(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What was and what is, a line for each field that is not what it was."""
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    if not names:
        return f"{what}: nothing has changed; it was so before."
    lines = (f"{name}: {shorten(before.get(name))} -> {shorten(after.get(name))}" for name in names)
    return "\n".join([f"{what} is changed:", *(f"  {one_line(line)}" for line in lines)])


def shorten(value: Any) -> str:
    """A value of any kind in a few words."""
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
