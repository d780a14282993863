"""What a building in watch holds back: orders and other commitments. And what the first day of being live holds back.

In watch the agent records, decides and asks as ever; whatever would bind the building to somebody outside is only told
(`would_do`), and messages are withheld in storage/ledger.py. On the first day after going live people may order, and
the agent by itself may not (docs/decisions/0020-watch-mode.md).
"""

from enum import StrEnum

from pydantic import BaseModel

from domain.buildings import Building
from domain.procurement import LineFile, WouldOrder


class Reach(StrEnum):
    """How far an action goes."""

    ON_FILE = "on_file"
    """Changes what is on file here, and nothing else."""
    MESSAGE = "message"
    """Tells or asks somebody: on file, and withheld in watch."""
    COMMITMENT = "commitment"
    """Orders, cancels, accepts or sends back: it binds the building to somebody outside, or costs money."""
    ON_ORDER = "on_order"
    """Rests on an order: a commitment where there is none."""


REACH: dict[str, Reach] = {
    "issue_purchase_order": Reach.COMMITMENT,
    "reorder_item": Reach.COMMITMENT,
    "cancel_purchase_order": Reach.COMMITMENT,
    "revise_purchase_order": Reach.COMMITMENT,
    "expedite_order": Reach.COMMITMENT,
    "accept_as_is": Reach.COMMITMENT,
    "return_item": Reach.COMMITMENT,
    "start_tracking": Reach.ON_ORDER,
    "notify_team": Reach.MESSAGE,
    "request_information": Reach.MESSAGE,
    "flag_potential_issue": Reach.ON_FILE,
    "schedule_inspection": Reach.ON_FILE,
    "repair_item": Reach.ON_FILE,
    "change_required_by": Reach.ON_FILE,
    "change_project_end": Reach.ON_FILE,
    "remove_item": Reach.ON_FILE,
    "hold_item": Reach.ON_FILE,
    "complete_item": Reach.ON_FILE,
    "restate_event": Reach.ON_FILE,
    "dismiss_event": Reach.ON_FILE,
    "grant_delegation": Reach.ON_FILE,
}
"""Every action with its reach. One that is missing here is held back."""


def commits(name: str, file: LineFile | None = None) -> bool:
    """Whether an action binds the building to somebody outside; `file` is that of the line that it names."""
    reach = REACH.get(name, Reach.COMMITMENT)
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
