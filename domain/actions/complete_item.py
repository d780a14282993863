"""Complete a line that cannot be ordered yet."""

from typing import Literal, Self

from pydantic import Field, model_validator

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.money import Currency
from domain.text import Money, Name, Quantity


class CompleteArguments(ItemArguments):
    vendor_id: Name | None = Field(None, description="Id or name of the vendor that it is ordered from.")
    unit_price: Money | None = Field(None, description="Price for one unit, without tax.")
    currency: Currency | None = Field(None, description="Of the price; the line's when absent.")
    quantity: Quantity | None = Field(None, description="How much is to be ordered.")

    @model_validator(mode="after")
    def _fills_something_in(self) -> Self:
        if self.vendor_id is None and self.unit_price is None and self.quantity is None:
            raise ValueError("give vendor_id, unit_price or quantity")
        return self


class CompleteItem(ActionShape):
    """Fill in the vendor, the price or the quantity of a line that is not ordered; the order follows."""

    name: Literal["complete_item"]
    arguments: CompleteArguments


KIND = ActionKind[CompleteArguments](
    shape=CompleteItem,
    needs_a_person=True,
    is_persons_own=True,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("quantity",),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="complete {item}",
    done="completed the line",
    called="",
    called_around="",
    spoken=None,
    from_reply=None,
)
