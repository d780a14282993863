"""What recording an event comes to: rows to save, and what the agent must make of it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.plain_json import PlainAction
from domain.procurement import Item, LineFile, Row
from domain.schedule import compared


@dataclass
class Recorded:
    """The outcome of recording one event about one line.

    `ask` are questions that this event itself raises: (kind, subject). `say` are actions of the agent that this
    event itself calls for; what follows from the facts as they now stand is found by `domain.outstanding`.
    """

    note: str
    rows: list[Row] = field(default_factory=list)
    repeat: bool = False
    ask: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    say: list[PlainAction] = field(default_factory=list)

    @classmethod
    def repeated(cls, note: str) -> "Recorded":
        """The same fact again: noted, and nothing is done."""
        return cls(note=note, repeat=True)

    @classmethod
    def contradicts(cls, detail: str, known: dict[str, Any]) -> "Recorded":
        """What cannot be true beside what is known: nothing is recorded, a person is asked."""
        return cls(note=detail, ask=[("facts_contradict", {"detail": detail, "known": known})])


def saved(file: LineFile, item: Item, *rows: Row) -> list[Row]:
    """The line, compared with its schedule anew, before the rows that belong to it."""
    return [compared(item), *rows] if item != file.item else list(rows)


def round_of(file: LineFile, purchase_order: str | None, shipment_id: str | None, day: date | None) -> int:
    """The round that a fact belongs to: by its order, its shipment, else by its date.

    A fact dated before the day on which the last delivery was rejected belongs to that delivery: a late event of
    it must not hit its replacement (domain.md, "What arrives out of order").
    """
    named = file.round_of_order(purchase_order)
    if named is not None:
        return named
    for shipment in file.shipments:
        if shipment_id is not None and shipment.shipment_id == shipment_id:
            return shipment.round
    rejected = [
        (inspection.inspected_on, inspection.round)
        for inspection in file.inspections
        if inspection.status == "failed" and inspection.inspected_on and inspection.round < file.item.round
    ]
    if day is not None and rejected:
        last, round_ = max(rejected)
        if day < last:
            return round_
    return file.item.round
