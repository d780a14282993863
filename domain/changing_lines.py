"""The one way to change the log: a wanted line beside what is on file is applied, asked about, or refused.

Creation, `Items_Changed`, a revised schedule and the actions on the schedule all go through `Log`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain.field_markers import line_fields
from domain.line_names import LineNames
from domain.line_states import LineState
from domain.lines.needs import counts_otherwise, with_needs
from domain.lump_sums import OF_THE_GROUP, joining_problem, others_of_group
from domain.needs_plan import NeedsPlan
from domain.outside import shown_name
from domain.plain_json import PlainObject
from domain.procurement import DatedNeed, Item, LineFile, LineValue, Logistics
from domain.revising_orders import ordered_in_all
from domain.schedule import as_date
from domain.text import DistinctIds, folded, slug

ON_THE_ORDER = tuple(name for name, field in line_fields(Item).items() if field.origin == "ordered")
"""Fields of a line that its order repeats: once it is ordered, another value is a change order."""
_NEED = ("required_by", "buffer_days")


@dataclass(frozen=True)
class WantedLine:
    """How somebody wants a line to be. Fields that are absent from `values` stay."""

    item_id: str | None = None
    name: str | None = None
    values: Mapping[str, LineValue] = field(default_factory=dict)
    """Fields of `Item` beside its id and its name."""
    is_removed: bool = False
    is_posted: bool = True
    state: LineState | None = None
    """What is known of it, where it is taken on with a running project."""


@dataclass(frozen=True)
class Applied:
    """The line as it now is; `before` is None for a new one."""

    item: Item
    before: Item | None
    note: str | None = None
    given: frozenset[str] = frozenset()
    """The fields of an ordered line that were named, with the value that it has."""
    also: tuple[Item, ...] = ()
    """The other lines of its group, where they change with it."""


@dataclass(frozen=True)
class Asked:
    """A change order: what the order does not repeat is applied, the rest waits for an answer."""

    item: Item
    before: Item
    wanted: dict[str, str | None]
    """The values that wait, as text; empty where the line is to be removed."""
    is_removal: bool = False
    given: frozenset[str] = frozenset()
    """The fields of the order that were named."""


@dataclass(frozen=True)
class Refused:
    """Nothing is changed."""

    reason: str


Outcome = Applied | Asked | Refused


class Log:
    """The lines of a building with its schedule, while they are changed. Pure: what is to be saved is read from it."""

    def __init__(
        self, items: Iterable[Item], body: PlainObject, *, currency: str, vendors: Collection[str], seq: int
    ) -> None:
        self.items = {item.item_id: item for item in items}
        self._names = LineNames((item.item_id, item.name) for item in self.items.values() if not item.removed)
        self._ids = DistinctIds(self.items)
        self._currency = currency
        self._vendors = vendors
        self._seq = seq
        self.plan = NeedsPlan(body, self._names)

    def replace_schedule(self, body: PlainObject) -> None:
        """Another version of the schedule. Lines that it does not name keep their last need: it is carried over."""
        before, self.plan = self.plan, NeedsPlan(body, self._names)
        for item in self.items.values():
            if not item.removed and not self.plan.deliveries_of(item.item_id) and item.required_by is not None:
                self.plan.carry_over(item, before.deliveries_of(item.item_id))

    def find(self, wanted: WantedLine) -> Item | None:
        """The standing line that is wanted otherwise; None where a new one is wanted."""
        named = wanted.item_id or wanted.name
        found = None if named is None else self._names.find(named)
        if found is not None and wanted.item_id is None and self._is_like_made_id(self.items[found], str(wanted.name)):
            found = None
        removed = self.items.get(wanted.item_id or "")
        if found is None and removed is not None and removed.removed and wanted.name is not None:
            found = self._names.find(wanted.name)  # the line that came back under an id of its own
        return None if found is None else self.items[found]

    def _is_like_made_id(self, line: Item, name: str) -> bool:
        """Whether a name is not the line's, and only like the id that was made of the line's own."""
        if folded(line.name) == folded(name):
            return False
        return name != line.item_id or line.item_id.startswith(slug(line.name))

    def create(self, wanted: WantedLine) -> Applied | Refused:
        """A line of its own, as a building is posted with it: never another one's change."""
        problem = self._problem_of_vendor(wanted) or self._problem_of_group(wanted, None)
        return self._add(wanted) if problem is None else Refused(problem)

    def change(self, wanted: WantedLine, file: LineFile | None = None) -> Outcome:
        """Change the log as wanted, as far as that needs nobody's word. `file`: that of a line that is ordered, or of
        which something has shipped."""
        known = self.find(wanted)
        problem = self._problem(wanted, known)
        if problem is not None:
            return Refused(problem)
        if known is None:
            return self._add(wanted)
        if wanted.is_removed:
            return self._remove(known)
        return self._change(known, wanted, file)

    def _problem(self, wanted: WantedLine, known: Item | None) -> str | None:
        """Why a change cannot be made; None when it can."""
        named = wanted.item_id or wanted.name
        if named is None:
            return "a line without item_id and name"
        if known is None and wanted.is_removed:
            return f"{shown_name(named)} is to be removed, but there is no such line"
        if known is None and wanted.name is None:
            return f"{shown_name(named)} is new and has no name"
        problem = self._problem_of_vendor(wanted) or self._problem_of_id(wanted, known)
        problem = problem or self._problem_of_group(wanted, known)
        if problem is not None or wanted.name is None or wanted.is_removed:
            return problem
        return self._clash(wanted.name, wanted.item_id if known is None else None, known)

    def _problem_of_id(self, wanted: WantedLine, known: Item | None) -> str | None:
        """Why an id and a name cannot be of one line: the id is only like that of a line with another name."""
        if known is None or wanted.item_id is None or wanted.name is None:
            return None
        if self._is_id_of(known, wanted.item_id) or folded(known.name) == folded(wanted.name):
            return None
        return (
            f"{shown_name(wanted.name)} has the id {wanted.item_id}, which would be taken for {known.shown} "
            f"({known.item_id}): give it another id, or name that line by its own to rename it"
        )

    def _problem_of_vendor(self, wanted: WantedLine) -> str | None:
        vendor = wanted.values.get("vendor_id")
        if vendor is None or vendor in self._vendors:
            return None
        return f"{shown_name(wanted.item_id or wanted.name or '')} names the vendor {vendor}, who is not known"

    def _problem_of_group(self, wanted: WantedLine, known: Item | None) -> str | None:
        """Why a line cannot be in the group that is wanted, or have the price that is wanted of it."""
        values, before = wanted.values, None if known is None else known.group
        group = values.get("group", before)
        if not isinstance(group, str) or wanted.is_removed:
            return None
        name = str(wanted.name or (known.name if known else ""))
        if values.get("unit_price") is not None:
            return f"{shown_name(name)} has its price in the lump sum {group!r}: change that, or clear lump_sum"
        others = others_of_group(group, self.items.values(), known)
        if group != before:
            if known is not None and is_bound(known):
                return f"{known.shown} is ordered or delivered already: it joins the lump sum {group!r} no more"
            own = {} if known is None else {"vendor_id": known.vendor_id, "currency": known.currency}
            given = {name: value for name, value in values.items() if value is not None}
            return joining_problem(name, group, {"currency": self._currency, **own, **given}, others)
        ordered = next((other for other in others if other.is_ordered), None)
        assert known is not None
        changes = any(field in values and values[field] != getattr(known, field) for field in OF_THE_GROUP)
        if ordered is not None and changes and not known.is_ordered:
            return f"the lump sum {group!r} is ordered: its price and vendor are changed on {ordered.shown}"
        return None

    def _follow_group(self, item: Item) -> tuple[Item, ...]:
        """The other lines of the line's group that take over its price, vendor and currency. What is ordered stays as
        it was ordered."""
        others = others_of_group(item.group, self.items.values(), item)
        shared = {field: getattr(item, field) for field in OF_THE_GROUP}
        changed = [
            other.model_copy(update={**shared, "caused_seq": self._seq})
            for other in others
            if not other.is_ordered and any(getattr(other, field) != value for field, value in shared.items())
        ]
        return tuple(self._keep(other) for other in changed)

    def _with_group(self, values: dict[str, LineValue], known: Item | None) -> dict[str, LineValue]:
        """The values with what being in a group decides: no price of its own, and the group's vendor."""
        group = values.get("group")
        if not isinstance(group, str):
            return values
        others = others_of_group(group, self.items.values(), known)
        own = None if known is None else known.vendor_id
        vendor = values.get("vendor_id") or own or next((other.vendor_id for other in others), None)
        return {**values, "unit_price": None, "vendor_id": vendor}

    def _is_id_of(self, known: Item, given: str) -> bool:
        """Whether this is the id of the line, also of one that came back under an id of its own."""
        former = self.items.get(given)
        return given.casefold() == known.item_id.casefold() or (former is not None and former.removed)

    def _clash(self, name: str, given: str | None, known: Item | None) -> str | None:
        own = None if known is None else known.item_id
        other = self._names.find_clash(given, name, own)
        if other is None and name != own and (given or own) != name and self._names.find(name) == name:
            other = name  # what is reported of this name would be taken for the line that has it as its id
        if other is None:
            return None
        meant = f"{shown_name(name)} ({own or given or 'a new line'})"
        taken_for = f"{self.items[other].shown} ({other})"
        return f"{meant} would be taken for {taken_for}, by name or by id: every line needs its own"

    def _add(self, wanted: WantedLine) -> Applied:
        name = str(wanted.name)
        if wanted.item_id is None:
            item_id = self._ids.take(slug(name), lambda made: self._names.is_no_name(made, name))
        else:
            item_id = self._ids.take(wanted.item_id)
        values = {key: value for key, value in wanted.values.items() if key not in _NEED}
        values = self._with_group(values, None)
        currency = values.pop("currency", None) or self._currency
        own = {"item_id": item_id, "name": name, "currency": currency, "posted": wanted.is_posted}
        item = Item.model_validate({**own, "caused_seq": self._seq, **values})
        self._names.add(item_id, name)
        is_other = wanted.item_id is not None and item_id != wanted.item_id
        note = f"{item.shown} has the id {item_id}: {wanted.item_id} is another line's" if is_other else None
        item = self._with_need(item, wanted)
        return Applied(item, None, note, also=self._follow_group(item))

    def _remove(self, known: Item) -> Outcome:
        if is_bound(known):
            return Asked(known, known, {}, is_removal=True)
        return self.remove(known)

    def remove(self, known: Item) -> Applied:
        """Take a line out, whatever is ordered of it: somebody has decided that."""
        self._names.drop(known.item_id, known.name)
        self.plan.drop(known.item_id)
        removed = {"removed": True, "held_until": None, "needs": list[DatedNeed](), "caused_seq": self._seq}
        return Applied(self._keep(with_needs(known.model_copy(update=removed))), known)

    def _change(self, known: Item, wanted: WantedLine, file: LineFile | None) -> Outcome:
        values = {key: value for key, value in wanted.values.items() if key not in _NEED}
        if known.group != values.get("group", known.group):
            values = self._with_group(values, known)
        waiting = _change_order(known, values, file)
        update = {key: value for key, value in values.items() if key not in waiting}
        if wanted.is_posted:
            update["posted"] = True
        is_renamed = wanted.item_id is not None and wanted.name is not None  # a name alone says which line is meant
        if is_renamed and folded(str(wanted.name)) != folded(known.name):
            update["name"] = wanted.name
        item = known.model_copy(update={**update, "caused_seq": self._seq})
        if item.name != known.name:
            self._names.drop(known.item_id, known.name)
            self._names.add(item.item_id, item.name)
            self.plan.rename(item)
        item = self._with_need(item, wanted)
        given = frozenset(ON_THE_ORDER) & values.keys()
        if waiting:
            return Asked(item, known, {key: _as_text(value) for key, value in waiting.items()}, given=given)
        also = () if item.is_ordered else self._follow_group(item)
        return Applied(item, known, given=given, also=also)

    def _with_need(self, item: Item, wanted: WantedLine) -> Item:
        """The line with the day that is wanted, which the schedule then has as well."""
        if any(key in wanted.values for key in _NEED):
            given, buffer = (wanted.values.get(key, getattr(item, key)) for key in _NEED)
            day = None if given is None else as_date(given)
            buffer_days = buffer if isinstance(buffer, int) else 0
            self.plan.set_need(item, day, buffer_days)
            item = item.model_copy(update={"required_by": day, "buffer_days": buffer_days})
        return self._keep(self.plan.applied_to(item))

    def move_needs(self, known: Item, days: Collection[date], required_by: date) -> Item:
        """The line with its needs of these days on another day, and its other needs as they were."""
        self.plan.move_needs(known, days, required_by)
        return self._keep(self.plan.applied_to(known))

    def scheduled(self, known: Item) -> Item:
        """The line with its needs as the schedule now has them."""
        return self._keep(self.plan.applied_to(known))

    def add_scheduled(self) -> list[Item]:
        """A line for each delivery that has none, in the order of the schedule."""
        added: dict[str, Item] = {}
        for place, name in self.plan.unknown:
            found = self._names.find(name)
            item = self._add(WantedLine(name=name, is_posted=False)).item if found is None else self.items[found]
            self.plan.file(item, place)
            added[item.item_id] = self.scheduled(item)
        self.plan.unknown = []
        return list(added.values())

    def _keep(self, item: Item) -> Item:
        self.items[item.item_id] = item
        return item


def touches_order(known: Item, wanted: WantedLine) -> bool:
    """Whether a change may be one of what is ordered: only then is the line's file needed."""
    if not is_bound(known):
        return False
    values = wanted.values
    return wanted.is_removed or any(key in values and values[key] != getattr(known, key) for key in ON_THE_ORDER)


def is_bound(item: Item) -> bool:
    """Whether a vendor is bound to deliver the line, or something of it has come: it does not go without a word."""
    return item.is_ordered or item.logistics != Logistics.NOT_SHIPPED


def is_recounted(before: Item, after: Item) -> bool:
    """Whether the facts of a changed line are gone through again: it has some, and more than its days has changed."""
    return (before.account is not None or is_bound(before)) and counts_otherwise(before, after)


def _change_order(known: Item, values: Mapping[str, LineValue], file: LineFile | None) -> dict[str, LineValue]:
    """The values that differ from what is ordered. What the order leaves open may be filled in, and what is not known
    any more be cleared: the order stands as it was issued."""
    if not known.is_ordered or file is None:
        return {}
    other = {
        key: value
        for key, value in values.items()
        if key in ON_THE_ORDER
        and (ordered := _as_ordered(known, key, file)) is not None
        and value != ordered
        and (value is not None or key in ("quantity", "group", "group_total"))
    }
    if "quantity" in other and other["quantity"] == ordered_in_all(file):
        del other["quantity"]
    return other


def _as_ordered(known: Item, key: str, file: LineFile) -> LineValue:
    """The value that the line has, else the one that its order says: what was cleared is still ordered so."""
    value: LineValue = getattr(known, key)
    if value is None:
        value = getattr(file.order if key in ("vendor_id", "currency") else file.order_line, key, None)
    return value


def _as_text(value: LineValue) -> str | None:
    return None if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
