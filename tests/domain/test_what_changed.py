"""What changed on a question is told fact by fact, the new value before the old."""

from typing import Any

import pytest

from domain.what_changed import TOLD, changes_between, facts_told, in_words

BEFORE: dict[str, Any] = {
    "dates": {"eta": "2026-02-17", "required_by": "2026-02-15", "days_late": 2, "days_left": 9, "as_of": "2026-02-06"},
    "order": {"vendor": "Kent", "quantity": "4", "value": "400.00 USD", "status": "issued"},
    "inspection": {"quantity_rejected": None, "defects": ["dent"]},
    "policy": "ask_from_days_late: 0",
}


def after(**groups: dict[str, Any]) -> dict[str, Any]:
    return {**BEFORE, **{name: {**BEFORE[name], **fields} for name, fields in groups.items()}}


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (after(), ""),
        (after(dates={"days_left": 3, "as_of": "2026-02-12"}, order={"status": "acknowledged"}), ""),
        (
            after(dates={"eta": "2026-02-21", "days_late": 6}),
            "was 2 days late, now 6: ETA 2026-02-21 instead of 2026-02-17",
        ),
        (
            after(dates={"eta": "2026-02-15", "days_late": 0}),
            "was 2 days late, now not late: ETA 2026-02-15 instead of 2026-02-17",
        ),
        (after(dates={"eta": None, "days_late": None}), "ETA none instead of 2026-02-17"),
        (after(order={"vendor": "Mill", "quantity": "5"}), "vendor Mill instead of Kent; quantity 5 instead of 4"),
        (after(inspection={"defects": ["dent", "rust"]}), "defects dent and rust instead of dent"),
    ],
)
def test_what_is_different_is_told_and_what_the_calendar_does_is_not(now: dict[str, Any], told: str) -> None:
    assert in_words(changes_between(facts_told(BEFORE), facts_told(now))) == told


def test_what_was_not_told_is_still_told_with_the_next_change() -> None:
    untold = {**after(dates={"eta": "2026-02-21", "days_late": 6}), TOLD: facts_told(BEFORE)}
    later = after(dates={"eta": "2026-02-23", "days_late": 8})
    assert in_words(changes_between(facts_told(untold), facts_told(later))) == (
        "was 2 days late, now 8: ETA 2026-02-23 instead of 2026-02-17"
    )


def test_words_from_outside_stay_on_one_line_without_links() -> None:
    told = in_words(changes_between(facts_told(BEFORE), facts_told(after(order={"vendor": "x\nhttps://evil.example"}))))
    assert "\n" not in told
    assert "https://" not in told
