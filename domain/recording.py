"""What recording an event comes to: rows to save, and what the agent must make of it."""

from dataclasses import dataclass, field

from domain.plain_json import JsonObject, PlainAction
from domain.procurement import Row


@dataclass
class Recorded:
    """The outcome of recording one event about one line.

    `ask` are questions that this event itself raises: (kind, subject). `say` are actions of the agent that this
    event itself calls for; what follows from the facts as they now stand is found by `domain.outstanding`.
    """

    note: str
    rows: list[Row] = field(default_factory=list)
    repeat: bool = False
    ask: list[tuple[str, JsonObject]] = field(default_factory=list)
    say: list[PlainAction] = field(default_factory=list)
    is_set_aside: bool = False
    """It is kept in sight and counts for nothing until a person has answered."""

    @classmethod
    def repeated(cls, note: str) -> "Recorded":
        """The same fact again: noted, and nothing is done."""
        return cls(note=note, repeat=True)
