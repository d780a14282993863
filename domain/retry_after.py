"""The header Retry-After (RFC 9110, 10.2.3): seconds, or a date in any of the three forms of HTTP."""

import re
from datetime import UTC, datetime

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FORMS = (
    re.compile(rf"{_DAY}, (?P<day>\d\d) (?P<month>[A-Z][a-z]{{2}}) (?P<year>\d{{4}}) {_TIME} GMT", re.ASCII),
    re.compile(rf"{_LONG_DAY}, (?P<day>\d\d)-(?P<month>[A-Z][a-z]{{2}})-(?P<year>\d\d) {_TIME} GMT", re.ASCII),
    re.compile(rf"{_DAY} (?P<month>[A-Z][a-z]{{2}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})", re.ASCII),
)
_SECONDS = re.compile(r"[0-9]+")


def seconds_to_wait(header: str | None, now: datetime, at_most: int) -> int | None:
    """Seconds to wait from `now`, between 0 and `at_most`; None where nothing that can be read is said."""
    said = (header or "").strip(" \t")
    if _SECONDS.fullmatch(said):
        digits = said.lstrip("0")
        return at_most if len(digits) > 9 else min(int(digits or 0), at_most)
    until = _moment(said, now)
    if until is None:
        return None
    return max(0, min(int((until - now).total_seconds()), at_most))


def _moment(said: str, now: datetime) -> datetime | None:
    found = next((match for form in _FORMS if (match := form.fullmatch(said))), None)
    if found is None or found["month"] not in _MONTHS:
        return None
    year, month = int(found["year"]), _MONTHS.index(found["month"]) + 1
    if len(found["year"]) == 2:  # RFC 9110, 5.6.7: more than 50 years ahead is the century before
        year += now.year // 100 * 100
        year -= 100 if year > now.year + 50 else 0
    day, hour, minute = int(found["day"]), int(found["hour"]), int(found["minute"])
    try:
        return datetime(year, month, day, hour, minute, min(int(found["second"]), 59), tzinfo=UTC)
    except ValueError:
        return None
