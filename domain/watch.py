"""What a building in watch holds back: orders and other commitments. And what the first day of being live holds back.

In watch the agent records, decides and asks as ever; whatever would bind the building to somebody outside is only told
(`would_do`), and messages are withheld in storage/ledger.py. On the first day after going live people may order, and
the agent by itself may not (docs/decisions/0020-watch-mode.md).
"""

from pydantic import BaseModel

from domain.actions.kinds import Reach
from domain.actions.registry import ACTION_KINDS
from domain.buildings import Building
from domain.procurement import LineFile, WouldOrder


def commits(name: str, file: LineFile | None = None) -> bool:
    """Whether an action binds the building to somebody outside; `file` is that of the line that it names. One that is
    not known does."""
    kind = ACTION_KINDS.get(name)
    reach = Reach.COMMITMENT if kind is None else kind.reach
    if reach == Reach.ON_ORDER:
        return file is None or not file.item.is_ordered
    return reach == Reach.COMMITMENT


def is_held_back(name: str, file: LineFile | None, building: Building, *, by_a_person: bool) -> bool:
    """Whether an action is only told: any commitment in watch, and on the first day live those that the agent would
    make by itself."""
    if building.orders_alone or (by_a_person and not building.is_watching):
        return False
    return commits(name, file)


class WouldChase(BaseModel):
    """Something late for which the agent chases somebody on the day `on`."""

    item_id: str
    item: str
    milestone: str
    due_on: str
    on: str | None = None


class WouldPlace(WouldOrder):
    """An order that the agent would place."""

    item_id: str
    item: str


class Intentions(BaseModel):
    """What the agent does next, were it to go live now, or when its first day live is over."""

    orders: list[WouldPlace] = []
    chases: list[WouldChase] = []
