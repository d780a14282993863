"""The log changes under a standing order: revise the order, keep it, or cancel it."""

from collections.abc import Mapping
from decimal import Decimal

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.changing_lines import Applied, Asked
from domain.money import line_total
from domain.outside import shown_name
from domain.plain_json import FactValue, JsonObject, PlainObject
from domain.procurement import Item, LineFile, LineValue, Logistics, Quality, money
from domain.questions.kinds import (
    LineKind,
    Subject,
    line_of,
    never_without_matter,
    no_case,
    nothing_again,
)
from domain.questions.line_facts import group_facts, plain
from domain.revising_orders import standing_lines
from domain.situation import Situation


class ChangeOrderSubject(Subject):
    """What is wanted of a line that is ordered."""

    order: str | None = None
    """The order that the question is about; None where goods came without one."""
    wanted: dict[str, str | None] = {}
    """Fields of the line by the values that wait, as text; None: it is to be empty."""
    removal: bool = False
    """Whether the line is to be taken out of the log."""


def subject_of(file: LineFile, outcome: Applied | Asked, earlier: ChangeOrderSubject | None) -> ChangeOrderSubject:
    """What a change order is about, together with what already waits on the same order: the newest word counts, also
    where it is the value that the line has."""
    order = None if file.order is None else file.order.number
    before = earlier if earlier is not None and earlier.order == order else ChangeOrderSubject()
    if isinstance(outcome, Asked) and outcome.is_removal:
        return ChangeOrderSubject(order=order, wanted={}, removal=True)
    wanted = {key: value for key, value in before.wanted.items() if key not in outcome.given}
    added = outcome.wanted if isinstance(outcome, Asked) else {}
    is_removal = before.removal and not outcome.given  # values for its order: the line is wanted again
    return ChangeOrderSubject(order=order, wanted={**wanted, **added}, removal=is_removal)


def still_wanted(item: Item, subject: ChangeOrderSubject) -> dict[str, str | None]:
    """The values of a change order that the line does not have yet."""
    return {key: value for key, value in subject.wanted.items() if not _is_value(getattr(item, key), value)}


def _is_value(current: LineValue, wanted: str | None) -> bool:
    if current is None or wanted is None:
        return current is None and wanted is None
    return current == Decimal(wanted) if isinstance(current, Decimal) else str(current) == wanted


def offer_change_order(s: Situation, subject: ChangeOrderSubject) -> list[Option]:
    """Revise the order, keep it, order the difference, or hold; for a removal: cancel, or keep."""
    return _offer_removal(s) if subject.removal else _offer_values(s, subject)


def _offer_removal(s: Situation) -> list[Option]:
    item = s.file.item
    is_coming = item.is_ordered and item.logistics != Logistics.ON_SITE
    cancel = [action("cancel_purchase_order", item=item.item_id, reason="no longer needed")] if is_coming else []
    remove = s.option(
        "Cancel the order and take the line out" if cancel else "Take the line out",
        [*cancel, action("remove_item", item=item.item_id, note="no longer needed")],
        assumptions=["the vendor accepts the cancellation without charge"]
        if cancel
        else ["what is here is not needed"],
    )
    keep = _keep(s, "Keep the order and the line")
    has_arrived = item.logistics != Logistics.NOT_SHIPPED or item.quality == Quality.FAILED
    first = [keep, remove] if has_arrived else [remove, keep]
    return [*first, s.hold("it is to be taken out of the log: what becomes of its order is open")]


def _offer_values(s: Situation, subject: ChangeOrderSubject) -> list[Option]:
    item, wanted = s.file.item, still_wanted(s.file.item, subject)
    can_revise = wanted.keys() <= {"quantity", "unit_price", "group_total"} and None not in wanted.values()
    can_revise = can_revise and _revised_quantity(s.file, wanted) > 0
    first = _revise(s, subject, wanted) if can_revise else _order_again(s, wanted)
    more = Decimal(wanted["quantity"] or 0) - (item.quantity or 0) if wanted.keys() == {"quantity"} else Decimal(0)
    is_apart = can_revise and more > 0 and item.group is None
    separately = [_order_difference(s, more, wanted)] if is_apart else []
    hold = s.hold(f"its change order is open: {_changes(item, wanted)}")
    return [first, _keep(s, "Keep the order and the old value"), *separately, hold]


def _revise(s: Situation, subject: ChangeOrderSubject, wanted: dict[str, str | None]) -> Option:
    item, line = s.file.item, s.file.order_line
    quantity = Decimal(wanted.get("quantity") or item.quantity or 1)
    ordered_at = None if line is None else line.unit_price
    price = Decimal(wanted["unit_price"] or 0) if "unit_price" in wanted else item.unit_price or ordered_at
    cost = line_total(price, quantity, item.currency)
    if line is not None and line.group is not None:
        cost = Decimal(wanted.get("group_total") or line.group_total or 0)
    revised: JsonObject = {"item": item.item_id, **wanted}
    if "quantity" in wanted:
        revised["quantity"] = f"{_revised_quantity(s.file, wanted):f}"
    if line is not None and item.required_by is not None and line.required_by != item.required_by:
        revised["required_by"] = item.required_by.isoformat()
    return s.option(
        "Revise the order",
        [action("revise_purchase_order", order=subject.order, lines=[revised], reason="changed in the log")],
        arrival=item.expected,
        cost=money(cost, item.currency) or "unknown",
        assumptions=["the vendor accepts the revision"],
    )


def _revised_quantity(file: LineFile, wanted: Mapping[str, str | None]) -> Decimal:
    """What is left for the order in question: the change of the line's quantity is its own, other orders stay. Not
    above 0 where the others alone are more than is wanted."""
    item, line = file.item, file.order_line
    quantity = Decimal(wanted.get("quantity") or item.quantity or 1)
    if "quantity" not in wanted or line is None or line.quantity is None or line.quantity == item.quantity:
        return quantity
    return line.quantity + quantity - (item.quantity or 0)


def _order_again(s: Situation, wanted: dict[str, str | None]) -> Option:
    """The order cannot be revised to that: it is cancelled, and the line takes the values over."""
    item = s.file.item
    cleared = [name for name, value in wanted.items() if value is None]
    values: JsonObject = {name: value for name, value in wanted.items() if value is not None}
    of_group = {"group", "group_total"}
    if of_group & values.keys():
        price = None if item.group_total is None else f"{item.group_total:f}"
        lump_sum: JsonObject = {"group": values.get("group", item.group), "price": values.get("group_total", price)}
        values = {name: value for name, value in values.items() if name not in of_group} | {"lump_sum": lump_sum}
    cleared = [*dict.fromkeys("lump_sum" if name in of_group else name for name in cleared)]
    change: JsonObject = {"item_id": item.item_id, **values}
    if cleared:
        change["clear"] = [*cleared]
    # Vendor and currency are those of the whole lump sum: all that is ordered of it is cancelled with it.
    others = s.file.group_lines if {"vendor_id", "currency"} & wanted.keys() and "group" not in wanted else []
    ordered = [item.item_id, *(other.item_id for other in others if other.is_ordered)]
    return s.option(
        "Cancel the order and change the line",
        [
            *(
                action("cancel_purchase_order", item=item_id, reason="superseded by a change of the log")
                for item_id in ordered
            ),
            action("restate_event", event={"event_type": "Items_Changed", "items": [change]}),
        ],
        arrival=None,
        assumptions=[
            "the vendor accepts the cancellation without charge",
            "with another vendor it is ordered again; else once its submittal is approved again",
        ],
    )


def _order_difference(s: Situation, more: Decimal, wanted: dict[str, str | None]) -> Option:
    item = s.file.item
    change = {"item_id": item.item_id, "quantity": wanted["quantity"]}
    return s.option(
        "Order the difference separately",
        [
            action("reorder_item", item=item.item_id, quantity=f"{more:f}", reason="more is needed than was ordered"),
            action("restate_event", event={"event_type": "Items_Changed", "items": [change]}),
        ],
        cost=money(line_total(item.unit_price, more, item.currency), item.currency) or "unknown",
        assumptions=["the first order stays as it is"],
    )


def _keep(s: Situation, title: str) -> Option:
    return s.option(
        title,
        [action("dismiss_event", note="the order and the line stay as they are")],
        arrival=s.file.item.expected,
        cost="none",
        assumptions=["the log was changed by mistake, or the difference is settled outside Longlead"],
    )


def _summary(s: Situation, subject: ChangeOrderSubject) -> str:
    item, order = s.file.item, subject.order
    if subject.removal:
        ordered = f"it is ordered ({order})" if item.is_ordered else "something of it has shipped"
        return f"{item.shown} is to be taken out of the log, and {ordered}. What becomes of it?"
    return f"{item.shown} is ordered ({order}), and {_changes(item, still_wanted(item, subject))}: a change order?"


def _changes(item: Item, wanted: Mapping[str, str | None]) -> str:
    return " and ".join(
        f"its {key.replace('_', ' ')} {_shown(getattr(item, key))} is to be "
        f"{'empty' if value is None else shown_name(value)}"
        for key, value in wanted.items()
    )


def _shown(value: LineValue) -> str:
    if value is None:
        return "(now empty)"
    return plain(value) or "" if isinstance(value, Decimal) else shown_name(str(value))


def _stands(file: LineFile, _building: Building, subject: ChangeOrderSubject) -> bool:
    """A removal stands until somebody has decided; a value while the order stands and the line does not have it."""
    if subject.removal:
        return True
    is_standing = subject.order in {line.number for line in standing_lines(file)}
    return is_standing and file.item.is_ordered and bool(still_wanted(file.item, subject))


def _facts(file: LineFile, _building: Building, subject: ChangeOrderSubject) -> list[FactValue]:
    wanted = sorted(subject.wanted.items())
    ordered = [(line.number, line.quantity, line.unit_price) for line in file.order_lines]
    return [subject.order, wanted, subject.removal, ordered, *group_facts(file.item)]


def _matter(_file: LineFile, subject: ChangeOrderSubject) -> str:
    return subject.order or ""


def _evidence(s: Situation, subject: ChangeOrderSubject) -> JsonObject:
    wanted = still_wanted(s.file.item, subject)
    return {"wanted": {**wanted}} if wanted else {}


def _title(subject: ChangeOrderSubject, _evidence: PlainObject) -> str:
    return "removal of an ordered line" if subject.removal else f"change of {subject.order}"


KIND = LineKind(
    name="change_order",
    subject=ChangeOrderSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=never_without_matter,
    told_again=nothing_again,
    matter=_matter,
    options=offer_change_order,
    evidence=_evidence,
    policy_line=line_of("a change of what is ordered is a change order and needs a person"),
    is_always_a_persons=True,
    needs_a_person=False,
    any_key_may_answer=False,
    escalates=True,
    decides_on="nothing",
    holds_line=False,
    is_asked_once=True,
    is_about_an_event=True,
    is_told_from_outside=True,
    is_put_to_models=False,
    rests_on_vendors=False,
    when=None,
    names_its_case=False,
    case=no_case,
    title=_title,
)
