"""Whatever is posted, changed, removed, ordered and revised, and in which order: each line stays itself."""

import os
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actions import RevisedLine
from domain.changing_lines import ON_THE_ORDER, Applied, Asked, Log, Refused, WantedLine
from domain.line_names import LineNames
from domain.needs_plan import NeedsPlan
from domain.procurement import Commercial, Item, LineFile, OrderLine, PurchaseOrder
from domain.revising_orders import item_after_revision, revise_lines
from domain.text import folded, slug

MANY = settings(max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "150")), deadline=None)

NAMES = ("Doors", "doors", "Doors, A", "Doors A", "doors-a", "Doors 2", "DOORS!", "D\u00f6rs", "Dors", "!!!")
NAMES += (
    "\u95e8",
    "\u7a97",
    "\u0628\u0627\u0628",
    "\u0628\u064e\u0627\u0628",
    "\U0001f6aa",
    "\uff24oors",
    "Doo\u200brs",
)
"""Names that are alike in punctuation, case, width, marks and script."""
IDS = ["doors", "doors-a", "doors-2", "DOORS", "d1", "dors"]
DAY = date(2026, 3, 1)
VENDORS = ("v", "w")
POSTED = {"quantity": Decimal(10), "unit_price": Decimal(100), "required_by": DAY}

days = st.integers(0, 60).map(lambda after: DAY + timedelta(days=after))
values = st.fixed_dictionaries(
    {},
    optional={
        "quantity": st.sampled_from([Decimal(3), Decimal(10), Decimal("12.5"), None]),
        "unit_price": st.sampled_from([Decimal(50), Decimal(100), None]),
        "unit": st.sampled_from(["pcs", "t"]),
        "vendor_id": st.sampled_from(VENDORS),
        "required_by": st.one_of(st.none(), days),
        "buffer_days": st.integers(0, 5),
    },
)
changes = st.builds(
    WantedLine,
    item_id=st.one_of(st.none(), st.sampled_from(IDS)),
    name=st.one_of(st.none(), st.sampled_from(NAMES)),
    values=values,
    is_removed=st.sampled_from([False, False, False, True]),
)
deliveries = st.fixed_dictionaries(
    {"item": st.sampled_from([*NAMES, *IDS]), "required_by": days.map(str)},
    optional={"buffer_days": st.integers(0, 5), "quantity": st.sampled_from(["4", "6"])},
)
revisions = st.lists(deliveries, max_size=5).map(lambda listed: {"deliveries": listed})
places = st.integers(0, 20)
known_lines = st.fixed_dictionaries(
    {"place": places, "by": st.sampled_from(["id", "name"]), "values": values},
    optional={"is_removed": st.booleans(), "name": st.sampled_from(NAMES)},
)
"""A change of a line that is there."""
steps = st.one_of(
    st.tuples(st.just("change"), changes),
    st.tuples(st.just("change known"), known_lines),
    st.tuples(st.just("change known"), known_lines),
    st.tuples(st.just("schedule"), revisions),
    st.tuples(st.just("order"), places),
    st.tuples(st.just("revise"), places),
    st.tuples(st.just("cancel and remove"), places),
)


@dataclass
class Site:
    """A log with the orders that stand on it."""

    log: Log = field(default_factory=lambda: Log([], {}, currency="USD", vendors=VENDORS, seq=1))
    files: dict[str, LineFile] = field(default_factory=dict)
    former: dict[str, Item] = field(default_factory=dict)

    @property
    def standing(self) -> list[Item]:
        return [item for item in self.log.items.values() if not item.removed]

    def pick(self, place: int, *, is_ordered: bool) -> Item | None:
        found = [item for item in self.standing if (item.item_id in self.files) == is_ordered]
        return found[place % len(found)] if found else None

    def take(self, step: str, given: Any) -> None:
        self.former = dict(self.log.items)
        if step == "change":
            self.change(given)
        elif step == "change known" and self.standing:
            self.change_known(**given)
        elif step == "schedule":
            self.log.replace_schedule(given)
            for item in self.standing:
                self.log.scheduled(item)
            self.log.add_scheduled()
        elif step == "order" and (item := self.pick(given, is_ordered=False)):
            self.order(item)
        elif step == "revise" and (item := self.pick(given, is_ordered=True)):
            self.revise(item)
        elif step == "cancel and remove" and (item := self.pick(given, is_ordered=True)):
            del self.files[item.item_id]
            self.log.remove(item)

    def change_known(
        self, place: int, by: str, values: dict[str, Any], is_removed: bool = False, name: str | None = None
    ) -> None:
        item = self.standing[place % len(self.standing)]
        item_id = item.item_id if by == "id" else None
        self.change(WantedLine(item_id, name if by == "id" else item.name, values, is_removed))

    def change(self, wanted: WantedLine) -> None:
        known = self.log.find(wanted)
        outcome = self.log.change(wanted, None if known is None else self.files.get(known.item_id))
        touched = set() if isinstance(outcome, Refused) else {outcome.item.item_id}
        if isinstance(outcome, Applied) and outcome.before is None:
            assert outcome.item.item_id not in self.former, "a new line has the id of another one"
        if isinstance(outcome, Applied) and outcome.before is not None and outcome.item.name != outcome.before.name:
            called = self.former.get(wanted.item_id or "")
            assert called is None or called.removed or called.item_id == outcome.item.item_id
            assert called is not None or (wanted.item_id or "").casefold() == outcome.item.item_id.casefold()
        if isinstance(outcome, Asked):
            assert outcome.item.item_id in self.files, "only what is ordered is a change order"
        for item_id, before in self.former.items():
            assert item_id in touched or self.log.items[item_id] == before, f"{before.name} was changed with it"

    def order(self, item: Item) -> None:
        number = f"PO-{len(self.files) + 1}"
        line = OrderLine(
            number=number, line=1, item_id=item.item_id, round=1, quantity=item.quantity, unit_price=item.unit_price
        )
        ordered = item.model_copy(update={"commercial": Commercial.ORDERED, "round": 1})
        self.log.items[item.item_id] = ordered
        order = PurchaseOrder(number=number, currency=item.currency)
        self.files[item.item_id] = LineFile(item=ordered, orders=[order], order_lines=[line])

    def revise(self, item: Item) -> None:
        file = self.files[item.item_id]
        now = file.model_copy(update={"item": item})
        wanted = RevisedLine(item=item.item_id, quantity=Decimal(7), unit_price=Decimal(80))
        order, lines = revise_lines(file.order_lines, file.orders[0], [wanted], 2)
        revised = item_after_revision(now, file.order_lines[0], lines[0], 2)
        assert order.revision == file.orders[0].revision + 1
        assert order.total == Decimal(560)
        self.log.items[item.item_id] = revised
        self.files[item.item_id] = LineFile(item=revised, orders=[order], order_lines=lines)


def check_identity(site: Site) -> None:
    """Ids stay, in any case, and no two lines that stand have one name."""
    assert site.former.keys() <= site.log.items.keys(), "a line vanished"
    ids = [item_id.casefold() for item_id in site.log.items]
    assert len(ids) == len(set(ids)), ids
    names = [folded(item.name) for item in site.standing]
    assert len(names) == len(set(names)), names
    assert all(item_id == item.item_id for item_id, item in site.log.items.items())


def check_orders(site: Site) -> None:
    """What is ordered is still on the log as it was ordered, or as its order was revised. What the order left open may
    be filled in."""
    for item_id, file in site.files.items():
        item = site.log.items[item_id]
        assert not item.removed, f"{item.name} is ordered and was taken out"
        for name in ON_THE_ORDER:
            ordered = getattr(file.item, name)
            was = getattr(site.former.get(item_id, item), name)
            if ordered is not None and was == ordered:
                assert getattr(item, name) in (ordered, None), (item.name, name)
        line = file.order_lines[0]
        assert item.quantity == line.quantity or line.quantity is None
        assert item.unit_price in (line.unit_price, None) or line.unit_price is None


def check_schedule(site: Site) -> None:
    """The schedule as it is shown, read again, names the same lines on the same days, and no others."""
    names = LineNames((item.item_id, item.name) for item in site.standing)
    shown = NeedsPlan(site.log.plan.body, names)
    assert shown.unknown == []
    for item in site.standing:
        needs = shown.needs_of(item.item_id)
        assert item.needs == needs, item.name
        assert item.required_by == (needs[0].required_by if needs else None), item.name
        assert item.buffer_days == needs[0].buffer_days if needs else True, item.name
    assert len(shown.body["deliveries"]) == sum(len(item.needs) for item in site.standing)


@MANY
@given(st.lists(steps, min_size=1, max_size=12))
def test_lines_stay_themselves_whatever_happens_to_the_log(history: list[tuple[str, Any]]) -> None:
    site = Site()
    for name in ("Doors", "Doors, A", "\u95e8"):
        site.take("change", WantedLine(name=name, values=POSTED))
    site.take("order", 0)
    for step, given_ in history:
        site.take(step, given_)
        check_identity(site)
        check_orders(site)
        check_schedule(site)


@MANY
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8))
def test_names_that_fold_to_the_same_are_one_line_and_all_others_are_their_own(names: list[str]) -> None:
    log = Log([], {}, currency="USD", vendors=(), seq=1)
    refused = [name for name in names if isinstance(log.change(WantedLine(name=name)), Refused)]
    assert {folded(item.name) for item in log.items.values()} | {folded(name) for name in refused} == {
        folded(name) for name in names
    }
    for name in refused:
        assert name in log.items, "only a name that is another line's id is refused"
        assert log.items[name].item_id.startswith(slug(log.items[name].name))
