"""What a line comes with when a running project is taken on: what was approved, ordered, promised, shipped, received
and inspected before. All of it may have gaps: what is not said is unknown, and contradicts nothing.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationInfo, model_validator

from domain.field_markers import Identifier, LineName, Plain
from domain.money import Currency
from domain.text import Day, Money, Name, ReportedQuantity, ShipmentId, Slug, folded, shipment_key

MAX_ORDERS = 50
"""Orders of one line that it is taken on with."""
MAX_SHIPMENTS = 200
"""Shipments of one order and line that it is taken on with."""

NOTHING = Decimal(0)

Disposition = Literal["use_as_is", "repair", "return", "scrap"]


class StatePart(BaseModel):
    """A part of what is known: unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid")


class SubmittalState(StatePart):
    """The designer's last verdict on the vendor's document."""

    verdict: Literal["approved", "rejected"] = Field(description="The last verdict that is known.")
    revision: int | None = Field(None, ge=0, le=1000, description="Revision of the submittal, from 0.")
    on: Day | None = Field(None, description="The day of the verdict; absent: not known.")


class ShipmentState(StatePart):
    """One delivery of an order, as far as it is known; or all that came together, where nobody counted lorries."""

    shipment_id: Annotated[ShipmentId, Identifier("shipment-{}")] | None = Field(
        None, description="The carrier's or vendor's number of it, where it has one."
    )
    quantity: ReportedQuantity | None = Field(
        None, description="How much of the line, in its unit; absent: all of the order that no other shipment has."
    )
    status: Literal["expected", "in_transit", "received"] | None = Field(
        None,
        description="Where it is. When absent, what is said tells: received with arrived_on, accepted or rejected; "
        "in transit with departed_on; else expected.",
    )
    departed_on: Day | None = Field(None, description="The day it left the factory; absent: not known.")
    eta: Day | None = Field(None, description="The day it is expected on site.")
    arrived_on: Day | None = Field(None, description="The day it came; absent: not known.")
    accepted: ReportedQuantity | None = Field(None, description="How much of it passed, or was accepted as it is.")
    rejected: ReportedQuantity | None = Field(None, description="How much of it was rejected.")
    ncr_number: Annotated[Name, Identifier("NCR-{}")] | None = Field(
        None, description="Number of the nonconformance report (NCR) on what was rejected."
    )
    disposition: Disposition | None = Field(
        None, description="What was decided about what was rejected; absent: a person is asked."
    )
    inspected_on: Day | None = Field(None, description="The day of the inspection; absent: not known.")
    place: Literal["site", "storage"] | None = Field(
        None, description="Where received goods are: on site (also when absent), or stored elsewhere."
    )

    @property
    def standing(self) -> Literal["expected", "in_transit", "received"]:
        """Where it is, by what is said of it."""
        if self.status is not None:
            return self.status
        if self.is_judged or self.arrived_on is not None:
            return "received"
        return "expected" if self.departed_on is None else "in_transit"

    @property
    def is_judged(self) -> bool:
        """Whether something of it was inspected."""
        return self.accepted is not None or self.rejected is not None

    @property
    def judged(self) -> Decimal:
        """How much of it has its verdict."""
        return (self.accepted or NOTHING) + (self.rejected or NOTHING)

    @model_validator(mode="after")
    def _can_be(self, info: ValidationInfo) -> Self:
        if (info.context or {}).get("on_file"):
            return self
        if self.standing != "received" and (self.arrived_on is not None or self.is_judged):
            field = "arrived_on" if self.arrived_on is not None else "accepted" if self.accepted else "rejected"
            raise ValueError(f"{field}: it has not arrived, says its status {self.status!r}; make it 'received'")
        if self.standing == "expected" and self.departed_on is not None:
            raise ValueError("departed_on: it has not left, says its status 'expected'; make it 'in_transit'")
        if self.place == "storage" and (self.standing != "received" or self.is_judged):
            raise ValueError(
                "place: only goods that were received are in storage, and they are inspected when they are on site; "
                "leave it out"
            )
        self._check_quantities()
        _in_order([("departed_on", self.departed_on), ("arrived_on", self.arrived_on)])
        _in_order([("arrived_on", self.arrived_on), ("inspected_on", self.inspected_on)])
        _in_order([("departed_on", self.departed_on), ("inspected_on", self.inspected_on)])
        _in_order([("departed_on", self.departed_on), ("eta", self.eta)])
        return self

    def _check_quantities(self) -> None:
        if self.quantity is not None and self.judged > self.quantity:
            field = "rejected" if (self.rejected or NOTHING) > self.quantity else "accepted"
            together = "accepted and rejected together" if self.accepted and self.rejected else field
            raise ValueError(
                f"{field}: {together} {self.judged.normalize():f} are more than the {self.quantity.normalize():f} "
                "that came; correct one of them, or the quantity"
            )
        for field in ("ncr_number", "disposition"):
            if getattr(self, field) is not None and self.rejected is None:
                raise ValueError(f"{field}: nothing was rejected; give rejected, or leave it out")
        if self.inspected_on is not None and not self.is_judged:
            raise ValueError("inspected_on: say what the inspection found: accepted, rejected, or both")


class OrderState(StatePart):
    """An order on a vendor that was placed before, as far as it concerns this line."""

    number: Annotated[Name, LineName()] = Field(
        description="Its number in your books; reports may name it by that. The same number on several lines is one "
        "order."
    )
    vendor_id: Slug | None = Field(None, description="Whom it was placed with; the line's vendor when absent.")
    ordered_on: Day | None = Field(None, description="The day it was placed; absent: not known.")
    quantity: ReportedQuantity | None = Field(
        None, description="How much of the line it orders; absent: all of the line that no other order has."
    )
    over: ReportedQuantity | None = Field(
        None, description="How much more than ordered came, where more did. Else more received than ordered is refused."
    )
    unit_price: Annotated[Money, Plain()] | None = Field(
        None, description="Price for one unit, without tax; the line's when absent."
    )
    currency: Annotated[Currency, Plain()] | None = Field(None, description="ISO 4217; the line's when absent.")
    acknowledged_on: Day | None = Field(None, description="The day the vendor confirmed it.")
    promised_on: Day | None = Field(None, description="The day on site that the vendor promised last.")
    said_on: Day | None = Field(
        None,
        description="The day on which he promised it; absent: not known, and whatever is said from now on is newer.",
    )
    cancelled: bool = Field(False, description="True: what had not arrived of it was cancelled.")
    shipments: Annotated[list[ShipmentState], FailFast()] = Field(
        default=[], max_length=MAX_SHIPMENTS, description="Its deliveries; what is in none is still to come."
    )

    @model_validator(mode="after")
    def _can_be(self, info: ValidationInfo) -> Self:
        if (info.context or {}).get("on_file"):
            return self
        ids = Counter(shipment_key(one.shipment_id) for one in self.shipments if one.shipment_id)
        if twice := [one.shipment_id for one in self.shipments if ids[shipment_key(one.shipment_id or "")] > 1]:
            raise ValueError(f"shipments: {twice[0]!r} is given twice; put what is known of it into one")
        if sum(one.quantity is None and not one.is_judged for one in self.shipments) > 1:
            raise ValueError("shipments: only one of them may go without a quantity: it is the rest")
        if self.said_on is not None and self.promised_on is None:
            raise ValueError("promised_on: said_on is the day on which a promise was made; give the promised day too")
        _in_order([("ordered_on", self.ordered_on), ("acknowledged_on", self.acknowledged_on)])
        for number, shipment in enumerate(self.shipments):
            for field in ("arrived_on", "departed_on"):
                if getattr(shipment, field) is not None:
                    _in_order(
                        [("ordered_on", self.ordered_on), (f"shipments.{number}.{field}", getattr(shipment, field))]
                    )
                    break
        return self

    @property
    def most_beyond(self) -> Decimal:
        """How much more than it orders may have been shipped: what came over, and what replaces returned goods."""
        returned = (one.rejected or NOTHING for one in self.shipments if one.disposition == "return")
        return (self.over or NOTHING) + sum(returned, NOTHING)

    @property
    def stated_quantity(self) -> Decimal:
        """What its shipments have in all, as far as they say."""
        return sum((one.quantity or one.judged for one in self.shipments), NOTHING)


class LineState(StatePart):
    """What is known of a line that is taken on with its project. Nothing of it is ordered or sent again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "submittal": {"verdict": "approved", "revision": 2},
                    "orders": [
                        {
                            "number": "4500017",
                            "ordered_on": "2026-01-12",
                            "quantity": "40",
                            "promised_on": "2026-04-10",
                            "shipments": [
                                {"shipment_id": "L-1", "quantity": "12", "arrived_on": "2026-02-05", "accepted": "12"},
                                {"quantity": "8", "status": "received"},
                            ],
                        }
                    ],
                }
            ]
        },
    )

    submittal: SubmittalState | None = Field(None, description="The verdict on its submittal; absent: none is known.")
    orders: Annotated[list[OrderState], FailFast()] = Field(
        default=[], max_length=MAX_ORDERS, description="Every order that was placed for it."
    )

    @model_validator(mode="after")
    def _can_be(self, info: ValidationInfo) -> Self:
        if (info.context or {}).get("on_file"):
            return self
        numbers = Counter(folded(order.number) for order in self.orders)
        if twice := [order.number for order in self.orders if numbers[folded(order.number)] > 1]:
            raise ValueError(f"orders: {twice[0]!r} is given twice; put what is known of it into one")
        if sum(order.quantity is None for order in self.orders if not order.cancelled) > 1:
            raise ValueError(
                "orders: only one of several may go without a quantity: it orders the rest of the line; say how much "
                "each of the others does"
            )
        return self


def _in_order(days: Iterable[tuple[str, date | datetime | None]]) -> None:
    """Raise a ValueError where a day lies before one that comes before it. By the day alone: zones may differ."""
    known = [(name, as_day(day)) for name, day in days if day is not None]
    for (earlier_name, earlier), (name, day) in pairwise(known):
        if day < earlier:
            raise ValueError(f"{name}: {day} lies before {earlier_name} {earlier}; correct one of them")


def as_day(value: date | datetime) -> date:
    """The calendar day as it is written."""
    return value.date() if isinstance(value, datetime) else value
