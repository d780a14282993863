"""What actions commit a building to: the money, and on which line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.actions import ReviseOrderArguments, item_of, items_named
from domain.actions.registry import BINDING, COMMITTING, REVISING, SPENDING
from domain.buildings import Approver, Building
from domain.money import line_total
from domain.plain_json import PlainAction, restated_event
from domain.policy import Authority, Policy
from domain.procurement import LineFile, Submittal, money
from domain.text import ON_FILE

Actions = Sequence[PlainAction]


@dataclass(frozen=True)
class Line:
    """A line that an answer touches."""

    file: LineFile
    committed: Decimal | None = Decimal(0)
    """What the same program, or the building's rules together, committed on it since a person last answered, in the
    building's currency; None: an amount among it is not known."""
    waits: bool = False
    """Whether it is on hold, or another question about it is open: then nobody but a person acts on it."""


@dataclass(frozen=True)
class Amount:
    """Money in the building's currency; None: it is not known, so no limit covers it."""

    value: Decimal | None
    why_unknown: str = "no price is known"

    def __add__(self, other: "Amount") -> "Amount":
        for each in (self, other):
            if each.value is None:
                return each
        assert self.value is not None
        assert other.value is not None
        return Amount(self.value + other.value)

    def is_within(self, limit: Decimal | None) -> bool:
        """Whether a limit covers it; None as the limit covers everything."""
        return limit is None or (self.value is not None and self.value <= limit)


NOTHING = Amount(Decimal(0))


def spending_of(actions: Actions, file: LineFile, building: Building) -> Amount | None:
    """What the orders among the actions on one line cost together; None where none of them orders anything."""
    own = [action for action in actions if item_of(action) == file.item.item_id]
    orders = [action for action in own if action["name"] in SPENDING]
    if not any(_places_an_order(action, own, file) for action in orders):
        return None
    return sum((_price(action, file, building) for action in orders), NOTHING)


def _places_an_order(action: PlainAction, own: Iterable[PlainAction], file: LineFile) -> bool:
    """An order of what is on order already comes to nothing, unless that order is cancelled first."""
    is_cancelled = any(other["name"] == "cancel_purchase_order" for other in own)
    return action["name"] != "issue_purchase_order" or not file.item.is_ordered or is_cancelled


def _price(action: PlainAction, file: LineFile, building: Building) -> Amount:
    item, quantity = file.item, ordered_quantity(action)
    if item.currency != building.currency:
        return Amount(None, f"the line is priced in {item.currency}, and the limits are in {building.currency}")
    if quantity is None or item.unit_price is None or item.group is not None:
        return Amount(item.total)
    return Amount(line_total(item.unit_price, quantity, item.currency))


def ordered_quantity(action: PlainAction) -> Decimal | None:
    """The quantity that an order names; None: the line's own."""
    named = action["arguments"].get("quantity")
    return None if named is None else Decimal(str(named))


def stake_of(actions: Actions, files: Mapping[str, LineFile], building: Building) -> Amount | None:
    """What an answer commits over all of its lines: orders at their price, goods or terms that are accepted at the
    value of their order, a delegation at its limit. None where it commits nothing."""
    actions = order_groups_once(actions, files)
    stakes = [stake for action in actions if (stake := _delegated(action, building)) is not None]
    for item_id in dict.fromkeys(filter(None, map(item_of, actions))):
        stake = commitment_on(actions, files[item_id], building) if item_id in files else None
        stakes += [] if stake is None else [stake]
    return sum(stakes, NOTHING) if stakes else None


def order_groups_once(actions: Actions, files: Mapping[str, LineFile]) -> Actions:
    """The actions without orders of further lines of a group that one before them orders: ordering any line of a lump
    sum commits its whole price, once."""
    counted: list[PlainAction] = []
    ordered: set[str] = set()
    is_cancelling = any(action["name"] == "cancel_purchase_order" for action in actions)
    for action in actions:
        file = files.get(item_of(action) or "")
        group = None if file is None or action["name"] != "issue_purchase_order" else file.item.group
        if file is None or group is None or file.item.is_ordered or is_cancelling:
            counted.append(action)
        elif group not in ordered:
            counted.append(action)
            ordered.add(group)
    return counted


def commitment_on(actions: Actions, file: LineFile, building: Building) -> Amount | None:
    """What the actions commit on one line: its orders, and the value of its order where goods or terms are accepted as
    they are. None where they commit nothing."""
    spent = spending_of(actions, file, building)
    for action in actions:
        if action["name"] in REVISING and item_of(action) == file.item.item_id:
            spent = (spent or NOTHING) + _revised_total(action, file, building)
    if not any(action["name"] in BINDING and item_of(action) == file.item.item_id for action in actions):
        return spent
    return (spent or NOTHING) + _order_value(file, building)


def _revised_total(action: PlainAction, file: LineFile, building: Building) -> Amount:
    """The total of an order once it is revised. Not known where other lines change too: their prices are not here."""
    given = ReviseOrderArguments.model_validate(action["arguments"], context=ON_FILE)
    number, (revised, *others) = file.number_of(given.order), given.lines
    order = next((order for order in file.orders if order.number == number), None)
    line = next((line for line in file.order_lines if line.number == number), None)
    if order is None and not others:  # no order of the line, so the revision will be refused
        return Amount(file.item.total)
    if order is None or line is None or others:
        return Amount(None, "what the other lines of the order cost is not known here")
    if order.currency != building.currency:
        return Amount(None, f"the order is not in {building.currency}, and the limits are")
    after = revised.apply_to(line)
    if line.group is not None:
        return Amount(after.group_total)
    now = line_total(line.unit_price, line.quantity, order.currency)
    total = line_total(after.unit_price, after.quantity, order.currency)
    if order.total is None or now is None:
        return Amount(total if len([one for one in file.order_lines if one.number == number]) == 1 else None)
    return Amount(None if total is None else order.total - now + total)


def _order_value(file: LineFile, building: Building) -> Amount:
    """The value of what may have been delivered: the largest order of the line that was not cancelled. Goods of an
    earlier order may still be on their way when a part of it is ordered again."""
    orders = [order for order in file.orders if order.status != "cancelled"]
    if any(currency != building.currency for currency in [o.currency for o in orders] or [file.item.currency]):
        return Amount(None, f"the order is not in {building.currency}, and the limits are")
    if not orders:
        return Amount(file.item.total)
    totals = [order.total for order in orders]
    known = [total for total in totals if total is not None]
    return Amount(max(known) if len(known) == len(totals) else None)


def _delegated(action: PlainAction, building: Building) -> Amount | None:
    """What a delegation allows to be committed at once: its own limit, else the policy's."""
    arguments = action["arguments"]
    named = arguments.get("actions")
    if action["name"] != "grant_delegation" or not isinstance(named, list) or not any(n in COMMITTING for n in named):
        return None
    limit = arguments.get("amount_limit")
    allowed = building.policy.po_limit if limit is None else Decimal(str(limit))
    return Amount(allowed, "the delegation has no amount_limit, and no po_limit is set")


def items_of(actions: Actions, restated: Mapping[str, str]) -> list[str]:
    """The ids of all lines that actions name, each once; also of the lines within an event that is restated.

    `restated`: the ids of the lines that restated events name, by that name.
    """
    found: list[str | None] = []
    for action in actions:
        found += items_named(action) or [restated.get(restated_name(action) or "")]
    return list(dict.fromkeys(item_id for item_id in found if item_id is not None))


def restated_name(action: PlainAction) -> str | None:
    """What an event that is restated calls its line; None where nothing is restated, or it names no line."""
    named = (restated_event(action) or {}).get("item")
    return None if named is None else str(named)


def missing_for_order(file: LineFile, building: Building) -> list[str]:
    """What a posted line lacks before it may be ordered (api.md, `order_incomplete`)."""
    item = file.item
    if not item.posted:
        return []
    return [
        *(["vendor"] if item.vendor_id is None else []),
        *(["unit price"] if item.total is None and building.policy.po_limit is not None else []),
    ]


def is_approved_for_order(file: LineFile) -> bool:
    return file.item.submittal == Submittal.APPROVED


def is_vendor_approved(file: LineFile) -> bool:
    """Whether the line's vendor may be ordered from. A posted line without a vendor has none that is approved."""
    return not file.item.posted if file.vendor is None else file.vendor.approved


def order_authority(
    policy: Policy, total: Decimal | None, currency: str, building_currency: str, vendor_approved: bool
) -> Authority:
    """Whether a purchase order may be released without a person: within budget and to an approved vendor.

    `total` is in `currency`; None (no price known) passes, since a missing price on a posted line is asked
    about before (`order_incomplete`), and a line made from a delivery has none.
    """
    if not vendor_approved:
        return Authority(False, "an order to a vendor that is not approved needs a person")
    if currency != building_currency:
        ours = "the building's money" if policy.po_limit is None else "po_limit"
        return Authority(False, f"{ours} is in {building_currency}, the order in {currency}: a person compares them")
    if policy.po_limit is None or total is None:
        return Authority(True, "po_limit: none is set" if policy.po_limit is None else "no price to compare")
    if total > policy.po_limit:
        return Authority(False, f"po_limit: {policy.po_limit} {building_currency} is the most the agent orders alone")
    return Authority(True, f"po_limit: {policy.po_limit} {building_currency} covers it")


def covering_approver(building: Building, stake: Amount) -> Approver | None:
    """The first of the approver chain whose limit covers the amount; None where none does."""
    return next((approver for approver in building.approvers if stake.is_within(approver.limit)), None)


NEEDS_AN_ADMIN = "no limit in the approver chain covers it: it needs a person's key with the role admin"


def amount_in_words(amount: Amount, building: Building) -> str:
    """An amount for people to read."""
    return amount.why_unknown if amount.value is None else str(money(amount.value, building.currency))
