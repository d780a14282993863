"""Retry-After in every form that HTTP has, and in none."""

from datetime import UTC, datetime

import pytest

from domain.retry_after import seconds_to_wait

NOW = datetime(1994, 11, 6, 8, 39, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 600),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 600),
        ("Sun Nov  6 08:49:37 1994", 600),
        ("Sun, 06 Nov 1994 08:29:37 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 CET", None),
        ("Sun, 06 Nov 0000 08:49:37 GMT", None),
        ("0", 0),
        (" 120 ", 120),
        ("9" * 5000, 3600),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("", None),
        (None, None),
        ("soon", None),
        ("nan", None),
    ],
)
def test_it_says_how_long_to_wait_within_bounds(header: str | None, seconds: int | None) -> None:
    assert seconds_to_wait(header, NOW, 3600) == seconds
