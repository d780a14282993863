"""Finding the line that a text names."""

import difflib
from dataclasses import dataclass, field

from domain.events import Entry
from domain.procurement import find_item
from domain.text import folded
from storage import procurement
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
    async with toolbox.lock:
        names = await procurement.item_names(toolbox.conn, entry.building_id)
    found = find_item(named, names)
    return Match(found) if found else Match(None, closest(named, names))


def closest(named: str, names: list[tuple[str, str]], most: int = 3) -> list[list[str]]:
    """The lines whose names are most alike, best first."""

    def likeness(candidate: tuple[str, str]) -> float:
        return max(difflib.SequenceMatcher(None, folded(named), folded(text)).ratio() for text in candidate)

    return [list(candidate) for candidate in sorted(names, key=likeness, reverse=True)[:most]]


async def items_mentioned(toolbox: Toolbox, building_id: str, text: str) -> list[str]:
    """The lines whose names a text contains."""
    async with toolbox.lock:
        names = await procurement.item_names(toolbox.conn, building_id)
    heard = folded(text)
    return [item_id for item_id, name in names if folded(name) in heard or folded(item_id) in heard]
