"""Nobody is asked a question whose answer is to be sent a message: not recommended, and not offered."""

from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest

from domain.approvals import ApprovalKind
from domain.buildings import MANAGER, Approver, Building, Contact
from domain.options import for_party
from domain.parties import merely_tells
from domain.procurement import Commercial, Item, LineFile, Milestone, OrderLine, PurchaseOrder, Quality, VendorRow
from domain.questions import build_question
from domain.questions.registry import KINDS as DECLARED
from domain.situation import Situation

TODAY = date(2026, 2, 10)
KINDS: tuple[ApprovalKind, ...] = get_args(ApprovalKind)
EVENT = {"event_type": "ETA_Changed", "item": "Stel Beams", "eta": "2026-02-20"}
SUBJECTS: dict[str, dict[str, Any]] = {
    "order_beyond_authority": {"policy_line": "po_limit"},
    "order_incomplete": {"missing": ["unit price"]},
    "acknowledgement_exception": {"order": "PO-1", "exceptions": [{"kind": "price", "detail": "5 % dearer"}]},
    "facts_contradict": {"detail": "x", "unordered_delivery": False},
    "milestone_overdue": {"milestone": "ship", "round": 1, "due_on": "2026-02-01", "detail": "x"},
    "change_order": {"order": "PO-1", "wanted": {"quantity": "12"}, "removal": False},
    "decision_overruled": {"actions": [], "rule_id": "r1", "decided": "x", "detail": "x"},
    "item_unknown": {"named": "Stel Beams", "event": EVENT, "closest": [], "source": "erp", "event_id": "e1"},
    "event_unclear": {"text": "Hello", "sender": "a@kent.example", "source": "mail", "event_id": "e1"},
    "event_failed": {"event_id": "e1", "event_type": "ETA_Changed", "error": "x", "event": EVENT},
    "delegation_request": {
        "delegation": {"kind": "inspection_failed", "actions": ["reorder_item"]},
        "rule_id": "r1",
        "detail": "x",
    },
    "goods_taken_on": {"entry": 3, "count": 1, "lines": [{"item": "doors", "name": "Doors"}]},
}


def line(kind: ApprovalKind) -> LineFile | None:
    """The file of a line on which this kind of question stands; None where it is about no line."""
    if kind in ("item_unknown", "event_unclear", "event_failed", "delegation_request", "goods_taken_on"):
        return None
    ordered = kind not in ("order_beyond_authority", "order_incomplete")
    item = Item(
        item_id="steel-beams",
        name="Steel Beams",
        currency="USD",
        vendor_id="mill",
        quantity=Decimal(1),
        unit_price=None if kind == "order_incomplete" else Decimal(100),
        submittal="approved",  # type: ignore[arg-type]
        commercial=Commercial.ORDERED if ordered else Commercial.UNORDERED,
        quality=Quality.FAILED if kind == "inspection_failed" else Quality.NOT_INSPECTED,
        schedule_band="conflict" if kind == "schedule_conflict" else None,
        required_by=date(2026, 2, 15),
        eta=date(2026, 2, 17),
        held_until=TODAY if kind == "hold_expired" else None,
        round=1 if ordered else 0,
    )
    order = PurchaseOrder(number="PO-1", currency="USD", total=Decimal(100))
    placed = OrderLine(number="PO-1", line=1, item_id=item.item_id, round=1)
    late = Milestone(item_id=item.item_id, round=1, kind="ship", due_on=date(2026, 2, 1), chases=1)
    vendor = VendorRow(vendor_id="mill", name="Mill Road Steel", contact="orders@mill.example")
    rest: dict[str, Any] = {"orders": [order], "order_lines": [placed], "milestones": [late]} if ordered else {}
    return LineFile(item=item, vendor=vendor, **rest)


def building(**people: Any) -> Building:
    policy = {"po_limit": "10"}
    return Building.model_validate(
        {"building_id": "office", "name": "Office", "thread_id": "t", "policy": policy, **people}
    )


ADDRESS = "pat@office.example"
TEAMS = ("project_manager", "engineering", "receiving", "vendor", "director")
PEOPLE: dict[str, dict[str, Any]] = {
    "nobody is named": {},
    "a manager by address": {"contacts": {"project_manager": ADDRESS}},
    "one person for everything": {"contacts": dict.fromkeys(TEAMS, Contact(name="Pat", email=ADDRESS))},
    "a chain of one": {"approvers": [Approver(role="project_manager", name="Pat", contact=ADDRESS)]},
    "a director who is the manager": {
        "contacts": {"project_manager": ADDRESS, "engineering_team": {"name": "Pat"}},
        "approvers": [Approver(role="director", name="Pat", contact=ADDRESS)],
    },
    "a chain of two": {
        "contacts": {"engineering": "eng@office.example"},
        "approvers": [
            Approver(role="project_manager", name="Pat", limit=Decimal(50)),
            Approver(role="director", name="Dana"),
        ],
    },
}


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize("kind", KINDS)
def test_no_way_out_merely_writes_to_the_one_who_is_asked(kind: ApprovalKind, people: str) -> None:
    office, file = building(**PEOPLE[people]), line(kind)
    question = build_question(kind, file, office, TODAY, {**SUBJECTS.get(kind, {})})
    assert question is not None
    amount = None if question.amount is None else Decimal(question.amount)
    asked = office.approver_for(amount, is_unknown=question.amount_unknown) or MANAGER
    assert question.options
    for option in question.options:
        assert not merely_tells(option.actions, asked, office, file and file.vendor), (asked, option.title)


@pytest.mark.parametrize("party", TEAMS)
@pytest.mark.parametrize("kind", KINDS)
def test_whichever_party_is_asked_something_is_left_that_is_no_letter_to_itself(kind: ApprovalKind, party: str) -> None:
    office, file = building(), line(kind)
    offered = DECLARED[kind].options(Situation(file, office, TODAY), DECLARED[kind].read(SUBJECTS.get(kind, {})))
    left = for_party(offered, party, office, file and file.vendor)
    assert left
    written_to = [
        action["arguments"].get("to") or action["arguments"].get("team")
        for option in left
        for action in option.actions
        if len(option.actions) == 1 and action["name"] in ("notify_team", "request_information")
    ]
    assert party not in written_to


@pytest.mark.parametrize("name", ["project_manager", "Project Manager", "Pat", "pat@office.example", "PAT"])
def test_a_party_is_known_by_role_name_and_address(name: str) -> None:
    office = building(
        contacts={"project_manager": Contact(name="Pat", email=ADDRESS)},
        approvers=[Approver(role="director", name="Dana")],
    )
    tell = [{"name": "notify_team", "arguments": {"team": name, "message": "x"}}]
    assert merely_tells(tell, "project_manager", office)
    assert not merely_tells(tell, "director", office)


def test_the_manager_is_offered_to_somebody_else_who_is_asked() -> None:
    office = building(**PEOPLE["a chain of two"])
    question = build_question("order_incomplete", line("order_incomplete"), office, TODAY, {"missing": ["unit price"]})
    assert question is not None
    assert question.options[0].title == "Ask the project manager for the unit price"
