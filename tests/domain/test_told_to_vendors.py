"""What a vendor is told by a question's own options, or by a rule: facts of its own order, and nothing else that is on
file, whoever wrote it."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.buildings import Building
from domain.policy import Policy
from domain.procurement import (
    Commercial,
    Inspection,
    Item,
    LineFile,
    Logistics,
    Milestone,
    OrderLine,
    PurchaseOrder,
    Quality,
    Submittal,
    VendorRow,
)
from domain.questions import Background, build_question
from domain.templates import fitting, template_of

SECRET = "SECRET-{}"
LIMIT = "987654.32"
TO_VENDORS = {
    "request_information": ("question",),
    "cancel_purchase_order": ("reason",),
    "expedite_order": ("method",),
}
"""Actions that write to the vendor, and the words that they send (tools/orders.py, tools/messages.py)."""


def secret(name: str) -> str:
    return SECRET.format(name)


SUBJECTS: dict[str, list[dict[str, Any]]] = {
    "inspection_failed": [{}],
    "schedule_conflict": [{"policy_line": secret("limit")}],
    "order_beyond_authority": [{"policy_line": secret("limit")}, {"change_order": True, "revision": 2}],
    "order_incomplete": [{"missing": ["vendor"]}],
    "acknowledgement_exception": [
        {
            "order": "PO-office-0001",
            "exceptions": [{"kind": "price", "detail": secret("exception")}],
            "promised": "2026-06-01",
        }
    ],
    "facts_contradict": [
        {"detail": secret("report"), "known": {"orders": [secret("order of another vendor")]}},
        {"detail": secret("report"), "unordered_delivery": True},
    ],
    "milestone_overdue": [
        {"detail": "The departure of Doors (PO-office-0001): due on 2026-03-01", "round": 1, "milestone": "ship"}
    ],
    "hold_expired": [{}],
    "change_order": [
        {"order": "PO-office-0001", "wanted": {"quantity": "12"}, "removal": False},
        {"order": "PO-office-0001", "wanted": {}, "removal": True},
    ],
    "decision_overruled": [
        {
            "detail": secret("overruling"),
            "rule_id": "r1",
            "decided": 3,
            "actions": [{"name": "reorder_item", "arguments": {"item": "doors", "reason": secret("reason")}}],
        },
        {"detail": secret("overruling"), "rule_id": "r1", "decided": 3, "actions": []},
    ],
}


def file_of(kind: str, subject: dict[str, Any]) -> LineFile:
    """A line in the state in which this is asked, with secrets in every field that its vendor has no business with."""
    ordered = kind not in ("order_beyond_authority", "order_incomplete") or subject.get("change_order")
    ordered = ordered and not subject.get("unordered_delivery")
    item = Item(
        item_id="doors",
        name="Doors",
        category=secret("category"),
        vendor_id="kent",
        currency="EUR",
        unit_price=Decimal("111.11"),
        quantity=Decimal(4),
        lead_time_days=30,
        posted=True,
        submittal=Submittal.APPROVED,
        submittal_revision=2,
        commercial=Commercial.ORDERED if ordered else Commercial.UNORDERED,
        logistics=Logistics.NOT_SHIPPED,
        quality=Quality.FAILED if kind == "inspection_failed" else Quality.NOT_INSPECTED,
        required_by=date(2026, 6, 1),
        promised_date=date(2026, 6, 20),
        schedule_band="conflict" if kind == "schedule_conflict" else None,
        round=1 if ordered else 0,
        held_until=date(2026, 3, 2) if kind == "hold_expired" else None,
        hold_note=secret("hold note"),
        document_url=f"https://{secret('document')}",
    )
    if kind == "order_incomplete":
        item = item.model_copy(update={"vendor_id": None})
    return LineFile(
        item=item,
        vendor=VendorRow(vendor_id="kent", name="Kent", contact="sales@kent.example", approved=False),
        orders=[PurchaseOrder(number="PO-office-0001", currency="EUR", vendor_id="kent")] if ordered else [],
        order_lines=[OrderLine(number="PO-office-0001", line=1, item_id="doors", round=1)] if ordered else [],
        inspections=[
            Inspection(
                inspection_id="i1",
                item_id="doors",
                round=1,
                status="failed",
                inspected_on=date(2026, 3, 1),
                defects=[secret("defect")],
                document_name=secret("document"),
                ncr_number=secret("ncr"),
            )
        ],
        milestones=[Milestone(item_id="doors", round=1, kind="ship", due_on=date(2026, 3, 1))],
    )


def building() -> Building:
    return Building(
        building_id="office",
        thread_id="00000000-0000-0000-0000-000000000000",
        name=secret("building"),
        currency="EUR",
        timezone="Europe/Berlin",
        policy=Policy(po_limit=Decimal(LIMIT)),
    )


def background() -> Background:
    told = [{"from": secret("colleague"), "text": secret("note"), "summary": secret("case"), "why": secret("why")}]
    return Background(
        facts=told, notes=told, past_cases=told, rules=[{"text": secret("rule"), "title": secret("rule")}]
    )


CASES = [(kind, subject) for kind, subjects in SUBJECTS.items() for subject in subjects]


def words_to_vendors(actions: list[dict[str, Any]]) -> list[str]:
    return [
        str(one["arguments"][word])
        for one in actions
        for word in TO_VENDORS.get(one["name"], ())
        if one["arguments"].get(word) and one["arguments"].get("to", "vendor") == "vendor"
    ]


@pytest.mark.parametrize(("kind", "subject"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_no_option_tells_a_vendor_anything_but_facts_of_its_own_order(kind: str, subject: dict[str, Any]) -> None:
    asked = build_question(kind, file_of(kind, subject), building(), date(2026, 3, 3), subject, background())
    assert asked is not None, "the case asks nothing"
    assert asked.options
    for option in asked.options:
        for words in words_to_vendors(option.actions):
            assert "SECRET" not in words, option.title
            assert LIMIT not in words
            assert "111.11" not in words, "a price that was not agreed yet"
            assert "office" not in words.replace("PO-office-0001", "")


@pytest.mark.parametrize(("kind", "subject"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_rule_sends_the_words_of_an_option_and_none_of_its_own(kind: str, subject: dict[str, Any]) -> None:
    asked = build_question(kind, file_of(kind, subject), building(), date(2026, 3, 3), subject, background())
    assert asked is not None
    known = {words for option in asked.options for words in words_to_vendors(option.actions)}
    for option in asked.options:
        template = template_of(option.actions, asked.item_id) or []
        assert fitting(template, asked.options, asked.item_id, "") is not None
        for one in template:
            one["arguments"] |= {word: secret("taught elsewhere") for word in TO_VENDORS.get(one["name"], ())}
        made = fitting(template, asked.options, asked.item_id, "")
        if made is not None:
            assert set(words_to_vendors(made.actions)) <= known
            assert "taught elsewhere" not in json.dumps(made.actions)


def test_a_rule_does_not_send_an_options_words_to_somebody_else() -> None:
    kind, subject = "schedule_conflict", SUBJECTS["schedule_conflict"][0]
    asked = build_question(kind, file_of(kind, subject), building(), date(2026, 3, 3), subject, background())
    assert asked is not None
    to_another = [{"name": "request_information", "arguments": {"item": "{item}", "to": "sales@rival.example"}}]
    assert fitting(to_another, asked.options, asked.item_id, "") is None
