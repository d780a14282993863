"""A line is approved and lacks what an order needs."""

from datetime import timedelta

from pydantic import BaseModel

from domain.actions import action
from domain.approvals import Option
from domain.buildings import MANAGER, Building
from domain.commitments import missing_for_order
from domain.outside import shown_name
from domain.plain_json import FactValue, JsonObject, PlainObject
from domain.procurement import LineFile, money
from domain.questions.kinds import LineKind, Subject, line_of, never_without_matter, one_per_line
from domain.questions.line_facts import is_unordered, order_facts
from domain.situation import Situation, order_and_track, remove_line


class OfferedVendor(BaseModel):
    """A vendor who may be chosen."""

    vendor_id: str
    name: str


class OrderIncompleteSubject(Subject):
    """What is missing."""

    missing: list[str] | None = None
    vendors: list[OfferedVendor] = []
    """Those of the building that may be chosen."""
    revision: int | None = None


def offer_completion(s: Situation, subject: OrderIncompleteSubject) -> list[Option]:
    """Ask for what is missing, wait for it, order without it, hold, or do without the line."""
    item, names = s.file.item, subject.missing if subject.missing is not None else ["data"]
    missing = " and ".join(names)
    follows = "the line is completed with complete_item or an Items_Changed event; the order then follows by itself"
    offers = [_offer(s, vendor, names) for vendor in subject.vendors if "vendor" in names]
    ask = s.option(
        f"Ask the project manager for the {missing}",
        [
            action(
                "request_information",
                item=item.item_id,
                to=MANAGER,
                question=f"{item.shown} is approved but cannot be ordered: {missing} missing. Send Items_Changed.",
            )
        ],
        cost="none",
        assumptions=[follows],
    )
    quote = s.ask_vendor(f"Please quote your {missing} for {item.shown}.", f"Ask the vendor for the {missing}")
    wait = s.option(
        f"Wait for the {missing}",
        [action("dismiss_event", note=f"waits for the {missing}")],
        cost="none",
        assumptions=[follows, "nobody is asked again before"],
    )
    anyway = s.option(
        "Order without it",
        order_and_track(item.item_id),
        arrival=None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days),
        cost=money(item.total, item.currency) or "unknown",
        assumptions=[f"{missing} is settled with the vendor outside Longlead"],
    )
    quotes = [quote] if "vendor" not in names and item.vendor_id is not None else []
    return [ask, *quotes, wait, *offers, anyway, s.hold(f"{missing} missing"), remove_line(s)]


def _offer(s: Situation, vendor: OfferedVendor, missing: list[str]) -> Option:
    """Take one of the building's vendors: the order follows, where nothing else is missing and it is within bounds."""
    item, name = s.file.item, shown_name(vendor.name)
    needs_price = "unit price" in missing
    price = "" if item.unit_price is None else " at the price on file"
    return s.option(
        f"Take {name} as the vendor" if needs_price else f"Order from {name}{price}",
        [action("complete_item", item=item.item_id, vendor_id=vendor.vendor_id)],
        arrival=None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days),
        cost=money(item.total, item.currency) or "unknown",
        assumptions=[
            "its unit price is asked for next"
            if needs_price
            else "the order follows, or is asked about where it needs somebody's authority"
        ],
    )


def _summary(s: Situation, subject: OrderIncompleteSubject) -> str:
    return f"{s.file.item.shown} is approved but cannot be ordered: {' and '.join(subject.missing or [])} missing."


def _stands(file: LineFile, building: Building, _subject: OrderIncompleteSubject) -> bool:
    return is_unordered(file) and bool(missing_for_order(file, building))


def _facts(file: LineFile, building: Building, subject: OrderIncompleteSubject) -> list[FactValue]:
    """The vendors that are offered count: once another may be chosen, it is another question."""
    offered = [vendor.vendor_id for vendor in subject.vendors]
    return [*order_facts(file, building, subject.revision), *([offered] if offered else [])]


def _told_again(file: LineFile, building: Building, _subject: OrderIncompleteSubject) -> JsonObject:
    return {"missing": [*missing_for_order(file, building)]}


def _evidence(_s: Situation, subject: OrderIncompleteSubject) -> JsonObject:
    return {"missing": [*subject.missing]} if subject.missing else {}


def _case(subject: OrderIncompleteSubject) -> str | None:
    return " and ".join(subject.missing or []) or None


def _title(subject: OrderIncompleteSubject, _evidence: PlainObject) -> str:
    return f"{' and '.join(subject.missing or ['data'])} missing for its order"


KIND = LineKind(
    name="order_incomplete",
    subject=OrderIncompleteSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=never_without_matter,
    told_again=_told_again,
    matter=one_per_line,
    options=offer_completion,
    evidence=_evidence,
    policy_line=line_of("a posted line needs its vendor, and its price while po_limit is set"),
    is_always_a_persons=False,
    needs_a_person=False,
    any_key_may_answer=False,
    escalates=True,
    decides_on="nothing",
    holds_line=True,
    is_asked_once=True,
    is_about_an_event=True,
    is_told_from_outside=False,
    is_put_to_models=True,
    rests_on_vendors=True,
    when="When an order is incomplete",
    names_its_case=False,
    case=_case,
    title=_title,
)
