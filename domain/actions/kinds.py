"""What an action is: everything that Longlead knows of it, declared in one place, and nothing left out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

from domain.actions.shapes import ActionShape
from domain.procurement import Commercial, LineFile, OrderLine, PurchaseOrder, Quality


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


@dataclass(frozen=True)
class Wished:
    """What a person's reply says beside the action that it asks for."""

    item_id: str | None
    """The line that the reply is about."""
    day: date | None
    words: str
    """Whom, what, how or why, in the reply's own words; may be empty."""

    @property
    def note(self) -> str | None:
        """The words, where there are any."""
        return self.words or None


WishedArguments = dict[str, str | date | None]
"""Arguments that follow from a reply; None: it does not say."""

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class ActionKind(Generic[A]):
    """One action with arguments of the type A. No field has a default: an action that leaves something out cannot be
    imported."""

    shape: type[ActionShape]
    """Its model in the union."""

    needs_a_person: bool
    """Whether an automated responder may not take it unless a person delegated it: change orders, NCR dispositions,
    changes of schedule logic, cancellations. Else it may where the amount and the vendor allow it."""
    is_persons_own: bool
    """Whether it can be neither delegated nor learned."""
    commits: Literal["orders", "accepts", "revises", "nothing"]
    """Whose money is held against limits: it orders at a price, or it orders nothing and still binds the building to
    pay, since goods or terms are accepted as they are, or it changes what an order commits to."""
    is_reversible: bool
    """Whether it can be taken back without anybody outside being bound. A model decides on no others alone, whatever
    was delegated: only a rule that people confirmed does."""
    only_undoes: bool
    """Whether it only takes something back or puts it off, so that there is nothing in it to learn."""
    reach: Reach

    is_possible_when_removed: bool
    """Whether it may be done about a line that was taken out: its order still stands, its goods are still on site."""
    check: Callable[[LineFile, A], str | None]
    """Why it cannot be done now, in a site manager's words; None where it can."""
    change: Callable[[LineFile, A], LineFile]
    """The line's file as later actions of the same decision find it."""

    of_the_case: tuple[str, ...]
    """Arguments that belong to one case (days, quantities, words), and so are not learned."""
    recipient: str | None
    """The argument that says whom it writes to, where it does nothing else."""
    only_says: bool
    """Whether it only says something: summaries leave it out."""
    accompanies: bool
    """Whether it goes along with another action and writes to nobody: a reply that names the other means both."""
    order_document: Literal["issued", "cancelled", "revised"] | None
    """What becomes of the purchase order that its message carries; None: it carries none."""

    phrase: str
    """What it does, as pages say it, with arguments in braces."""
    done: str
    """What was done, as the demo tells it, with arguments, results and {vendor} in braces."""
    called: str
    """How plain replies call it, with commas between: what is done is what the question recommends, a verb only names
    it. Empty: none does."""
    called_around: str
    """The same with `{}` for what it is about in the middle of it."""
    spoken: str | None
    """A pattern of the words that a reply has for it; None: a reply has none."""
    from_reply: Callable[[Wished], WishedArguments] | None
    """Its arguments where a model read in a reply that it is wanted; None: no reply can ask for it."""

    @property
    def name(self) -> str:
        return self.shape.action_name()


def always_possible(_file: LineFile, _arguments: BaseModel) -> str | None:
    """Nothing on file speaks against it."""
    return None


def changes_nothing(file: LineFile, _arguments: BaseModel) -> LineFile:
    """Later actions of the same decision find the line as it was."""
    return file


def on_the_line(wish: Wished) -> WishedArguments:
    """The line alone."""
    return {"item": wish.item_id}


def with_note(wish: Wished) -> WishedArguments:
    """The line, and the reply's own words to keep with it."""
    return {"item": wish.item_id, "note": wish.note}


def add_order(file: LineFile) -> LineFile:
    """The line with a further order; its number and amount do not matter here."""
    round_, number = file.item.round + 1, f"order {file.item.round + 1}"
    order = PurchaseOrder(number=number, currency=file.item.currency, total=None)
    line = OrderLine(number=number, line=1, item_id=file.item.item_id, round=round_)
    item = file.item.model_copy(
        update={"round": round_, "commercial": Commercial.ORDERED, "quality": Quality.NOT_INSPECTED}
    )
    return file.model_copy(
        update={"item": item, "orders": [*file.orders, order], "order_lines": [*file.order_lines, line]}
    )
