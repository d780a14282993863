"""Finding the line that a text names."""

from dataclasses import dataclass, field

from domain.events import Entry
from domain.line_names import LineNames
from storage import procurement
from tools.apart import work_apart
from tools.context import Toolbox


@dataclass(frozen=True)
class Match:
    """The line that is meant; or, where none has that name, the closest ones as [item_id, name]."""

    item_id: str | None
    closest: list[list[str]] = field(default_factory=list)


async def look_up_item(toolbox: Toolbox, entry: Entry, named: str) -> Match:
    """Find the line that an entry names by id or name. A near miss is never taken for it."""
    if entry.line is not None and entry.line.named == named:
        return Match(entry.line.item_id)
    names = await _names(toolbox, entry.building_id)
    return await work_apart(_match, named, names)


def _match(named: str, names: list[tuple[str, str]]) -> Match:
    lines = LineNames(names)
    found = lines.find(named)
    return Match(found) if found else Match(None, lines.closest(named))


def closest(named: str, names: list[tuple[str, str]], most: int = 3) -> list[list[str]]:
    """The lines whose names are most alike, best first."""
    return LineNames(names).closest(named, most)


async def items_mentioned(toolbox: Toolbox, building_id: str, text: str) -> list[str]:
    """The lines whose names a text contains."""
    names = await _names(toolbox, building_id)
    return await work_apart(lambda: LineNames(names).mentioned_in(text))


async def _names(toolbox: Toolbox, building_id: str) -> list[tuple[str, str]]:
    async with toolbox.lock:
        return await procurement.item_names(toolbox.conn, building_id)
