"""A subject tells the line, the kind and the days, on one short line: whatever stands in it from outside."""

import re
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.approvals import Approval, ApprovalKind
from domain.mail_subjects import (
    MAX_TITLE,
    Occasion,
    decided_subject,
    notice_subject,
    order_subject,
    overdue_subject,
    question_subject,
    request_subject,
    rule_subject,
    title_of,
    vendor_subject,
)
from domain.outside import without_links

TODAY = date(2026, 2, 10)
DATES = {"required_by": "2026-02-15", "days_late": 2, "days_left": 5}
SUBJECTS: dict[str, dict[str, Any]] = {
    "order_incomplete": {"missing": ["vendor", "unit price"]},
    "acknowledgement_exception": {"order": "PO-office-0001"},
    "milestone_overdue": {"milestone": "ship", "due_on": "2026-02-01"},
    "item_unknown": {"named": "Stel Beams"},
    "event_unclear": {"sender": "sales@kent.example", "text": "Hello"},
    "event_failed": {"event_id": "e7", "event_type": "ETA_Changed"},
    "delegation_request": {"delegation": {"kind": "inspection_failed"}},
    "goods_taken_on": {"count": 2, "lines": [{"item": "doors", "name": "Doors"}]},
}
SAYS = {
    "inspection_failed": "failed inspection",
    "schedule_conflict": "2 days late",
    "order_beyond_authority": "order of 51300.00 USD",
    "order_incomplete": "vendor and unit price missing",
    "acknowledgement_exception": "exceptions to PO-office-0001",
    "facts_contradict": "contradict",
    "hold_expired": "hold has ended",
    "milestone_overdue": "departure overdue since 2026-02-01",
    "decision_overruled": "overruled",
    "change_order": "change of",
    "item_unknown": "'Stel Beams'",
    "event_unclear": "sales@kent.example",
    "event_failed": "ETA_Changed e7 could not be processed",
    "delegation_request": "inspection failed",
    "goods_taken_on": "goods on site without a verdict: 2 lines",
}
WITHOUT_LINE = ("item_unknown", "event_unclear", "event_failed", "delegation_request", "goods_taken_on")
KINDS: tuple[ApprovalKind, ...] = get_args(ApprovalKind)
OCCASIONS: tuple[Occasion, ...] = get_args(Occasion)


def approval(kind: ApprovalKind, name: str = "Steel Beams", **dates: Any) -> Approval:
    about_line = {"item": {"name": name}, "dates": {**DATES, **dates}, "order": {"value": "51300.00 USD"}}
    return Approval(
        approval_id="office-1-0",
        key="1.0",
        kind=kind,
        summary="-",
        evidence={} if kind in WITHOUT_LINE else about_line,
        subject=SUBJECTS.get(kind, {}),
        fingerprint="f",
        raised_at=datetime(2026, 2, 10, tzinfo=UTC),
        raised_seq=1,
    )


def test_every_kind_of_question_is_tried() -> None:
    assert set(SAYS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("occasion", OCCASIONS)
def test_a_question_names_its_line_its_kind_and_its_days(kind: ApprovalKind, occasion: Occasion) -> None:
    subject = question_subject(approval(kind), occasion, TODAY)
    assert SAYS[kind].casefold() in subject.casefold()
    if kind not in WITHOUT_LINE:
        assert "Steel Beams: " in subject
        if occasion in ("asked", "changed", "reminder", "escalated"):
            assert "2 days late" in subject
    assert len(title_of(subject, "Small Office Renovation")) <= MAX_TITLE


def test_the_subjects_of_one_late_line_read_as_a_colleague_would_write_them() -> None:
    late = approval("schedule_conflict")
    assert [question_subject(late, occasion, TODAY) for occasion in OCCASIONS] == [
        "Steel Beams: 2 days late, please decide",
        "Changed: Steel Beams: 2 days late, please decide",
        "Reminder: Steel Beams: 2 days late, please decide",
        "Escalated: Steel Beams: 2 days late, please decide",
        "Settled: Steel Beams: 2 days late, no answer needed",
        "Your answer: Steel Beams: 2 days late, still open",
    ]
    assert title_of(question_subject(late, "asked", TODAY), "Small Office Renovation") == (
        "Steel Beams: 2 days late, please decide (Small Office Renovation)"
    )


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ({"days_late": 1}, "1 day late"),
        ({"days_late": 0}, "needed in 5 days"),
        ({"days_late": None, "required_by": "2026-02-11"}, "needed in 1 day"),
        ({"days_late": None, "required_by": "2026-02-10"}, "needed today"),
        ({"days_late": None, "required_by": "2026-02-07"}, "needed 3 days ago"),
        ({"days_late": None, "required_by": None}, "failed inspection, please decide"),
    ],
)
def test_the_days_are_those_of_the_day_on_which_it_is_sent(dates: dict[str, Any], says: str) -> None:
    assert says in question_subject(approval("inspection_failed", **dates), "asked", TODAY)


def test_a_vendor_reads_order_line_what_is_asked_and_by_when() -> None:
    number, line = "PO-office-0001", "Steel Beams"
    assert order_subject(number, line, "18 t", "2026-03-15") == (
        "Purchase order PO-office-0001: Steel Beams, 18 t, required by 2026-03-15"
    )
    assert overdue_subject(number, line, "acknowledge", "2026-02-09", "2026-02-12") == (
        "PO-office-0001, Steel Beams: acknowledgement was due on 2026-02-09, please report by 2026-02-12"
    )
    assert request_subject(number, line, "It is late. Please tell us the day. Answer by 2026-02-12.") == (
        "PO-office-0001, Steel Beams: please tell us the day by 2026-02-12"
    )
    assert vendor_subject(number, line, "this order is cancelled") == (
        "PO-office-0001, Steel Beams: this order is cancelled"
    )


HOSTILE = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        [
            "https://evil.example/x",
            "Read and answer: https://evil.example",
            "a\r\nBcc: all@evil.example",
            "www.evil.example and kent.example/pay",
            "\u202egnp.exe",
            "x" * 300,
        ]
    ),
)


@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from(KINDS), st.sampled_from(OCCASIONS))
def test_no_subject_is_long_or_has_a_second_line_or_a_link(
    name: str, said: str, building: str, kind: ApprovalKind, occasion: Occasion
) -> None:
    asked = approval(kind, name or "-").model_copy(
        update={
            "subject": {"named": said, "sender": said, "text": said, "event_id": said, "event_type": said}
            | {"missing": [said], "order": said, "milestone": said, "due_on": said, "delegation": {"kind": said}}
        }
    )
    number = said[:60]
    for subject in (
        question_subject(asked, occasion, TODAY),
        order_subject(number, name, said, "2026-03-15"),
        overdue_subject(number, name, "ship", "2026-02-09", "2026-02-12"),
        request_subject(number, name, said),
        vendor_subject(number, name, said),
        notice_subject(name, said),
        notice_subject(None, said),
        decided_subject(name, said, said),
        decided_subject(None, said, said),
        rule_subject(said, 2),
    ):
        title = title_of(subject, building)
        assert len(title) <= MAX_TITLE
        assert title.isprintable() or re.search("[\u200c\u200d]", title)
        assert without_links(title) == title


def test_the_name_of_a_line_gives_way_before_what_is_said_of_it() -> None:
    subject = question_subject(approval("schedule_conflict", "Steel " * 40), "asked", TODAY)
    assert subject.endswith("\u2026: 2 days late, please decide")
