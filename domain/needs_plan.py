"""The one home of what is needed when: the deliveries of a schedule, beside the lines that they are of."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from pydantic import JsonValue

from domain.line_names import LineNames
from domain.lines.needs import with_needs
from domain.plain_json import JsonObject, PlainObject, objects_in
from domain.procurement import DatedNeed, Item

Delivery = JsonObject
"""A delivery in the form it was posted: item, required_by, buffer_days, quantity?."""


class NeedsPlan:
    """A schedule's deliveries, each found by its line. Days are local to the building."""

    def __init__(self, body: PlainObject, names: LineNames) -> None:
        self._body = dict(body)
        self._names = names
        self._deliveries: list[Delivery | None] = [dict(one) for one in objects_in(body, "deliveries")]
        self._places: dict[str, list[int]] = defaultdict(list)
        self.unknown: list[tuple[int, str]] = []
        """Deliveries of no line that is there: their places, and the names that they give."""
        for place, delivery in enumerate(self._deliveries):
            item_id = None if delivery is None else names.find(str(delivery["item"]))
            if delivery is not None and item_id is not None:
                if not names.is_name_of(item_id, str(delivery["item"])):
                    delivery["item"] = item_id  # a spelling that another line may have as its name some day
                self._places[item_id].append(place)
            elif delivery is not None:
                self.unknown.append((place, str(delivery["item"])))

    @property
    def body(self) -> JsonObject:
        """The schedule as posted, with what was changed."""
        kept: list[JsonValue] = [dict(delivery) for delivery in self._deliveries if delivery is not None]
        return {**self._body, "deliveries": kept}

    def deliveries_of(self, item_id: str) -> list[Delivery]:
        """The deliveries of a line, in the order of the schedule."""
        found = (self._deliveries[place] for place in self._places.get(item_id, ()))
        return [delivery for delivery in found if delivery is not None]

    def is_in_parts(self, item_id: str) -> bool:
        """Whether a line has several deliveries, or a delivery says how much it is."""
        deliveries = self.deliveries_of(item_id)
        return len(deliveries) > 1 or any(delivery.get("quantity") is not None for delivery in deliveries)

    def needs_of(self, item_id: str) -> list[DatedNeed]:
        """What is needed of a line, the earliest day first."""
        needs = [_need_of(delivery) for delivery in self.deliveries_of(item_id)]
        return sorted(needs, key=lambda need: need.required_by)

    def applied_to(self, item: Item) -> Item:
        """The line with its needs as the schedule has them, compared again."""
        needs = self.needs_of(item.item_id)
        first = {"required_by": needs[0].required_by, "buffer_days": needs[0].buffer_days} if needs else {}
        return with_needs(item.model_copy(update={"needs": needs, **first}))

    def file(self, item: Item, place: int) -> None:
        """The delivery in this place is of this line."""
        self._places[item.item_id].append(place)

    def carry_over(self, item: Item, deliveries: list[Delivery]) -> None:
        """Take the line's last deliveries into this version, which does not name it."""
        if not deliveries and item.required_by is not None:
            self.set_need(item, item.required_by, item.buffer_days)
        for delivery in deliveries:
            self._places[item.item_id].append(len(self._deliveries))
            self._deliveries.append({**delivery, "item": self._call(item)})

    def set_need(self, item: Item, required_by: date | None, buffer_days: int) -> None:
        """The line is needed first on this day: earlier deliveries move to it, else the first one does. Without a day
        it is not needed on any."""
        if required_by is None:
            self.drop(item.item_id)
            return
        ordered = sorted(self.deliveries_of(item.item_id), key=lambda one: str(one["required_by"]))
        if not ordered:
            self._places[item.item_id].append(len(self._deliveries))
            ordered = [{"item": self._call(item)}]
            self._deliveries.append(ordered[0])
        day = required_by.isoformat()
        for number, delivery in enumerate(ordered):
            if number == 0 or str(delivery["required_by"]) < day:
                delivery |= {"required_by": day, "buffer_days": buffer_days}

    def move_needs(self, item: Item, days: Collection[date], required_by: date) -> None:
        """What the line is needed for on these days is needed on another; each need keeps its buffer, and no other
        moves."""
        moved = {day.isoformat() for day in days}
        for delivery in self.deliveries_of(item.item_id):
            if str(delivery["required_by"])[:10] in moved:
                delivery["required_by"] = required_by.isoformat()

    def rename(self, item: Item) -> None:
        """The line's deliveries go by its name."""
        for delivery in self.deliveries_of(item.item_id):
            delivery["item"] = self._call(item)

    def _call(self, item: Item) -> str:
        """What a delivery calls the line: its name, unless that is the id of another line."""
        return item.name if self._names.find(item.name) == item.item_id else item.item_id

    def drop(self, item_id: str) -> None:
        """Nothing of the line is needed any more."""
        for place in self._places.pop(item_id, []):
            self._deliveries[place] = None


def needs_to_move(item: Item, required_by: date) -> list[DatedNeed]:
    """Which of several needs of a line another required day is about: those that are late; where none is, the first.
    Empty where the line has one need: needs without quantities are one, on the first of their days."""
    if len(item.needs) < 2 or any(need.quantity is None for need in item.needs):
        return []
    late = {need.required_by for need in item.late_needs}
    return [need for need in item.needs if need.required_by in late and need.required_by < required_by] or item.needs[
        :1
    ]


def _need_of(delivery: Delivery) -> DatedNeed:
    return DatedNeed.model_validate({name: value for name, value in delivery.items() if name != "item"})
