"""Finding the days that a text speaks of, and whether it speaks of each as one that no longer holds."""

import re
from dataclasses import dataclass

from domain.days_in_words import COMING, FIXED, LAST, MONTHS, NEXT, NUMBERS, UNITS, WEEKDAYS, plain


@dataclass(frozen=True)
class Mention:
    """A day in a text: its words, where they begin in the plain text, and whether it is one that was given up."""

    words: str
    place: int
    given_up: bool


def _one_of(words: "dict[str, int] | frozenset[str]", shortest: int = 1) -> str:
    longest_first = sorted((word for word in words if len(word) >= shortest), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})"


_MONTH = _one_of(MONTHS, 3)
_WEEKDAY = rf"(?:{_one_of(WEEKDAYS, 3)})\b\.?"
_BEFORE = rf"(?:{_WEEKDAY},?\s+(?:the\s+|den\s+|dem\s+|der\s+)?)?"
_NUMBER = r"\d{1,2}(?:st|nd|rd|th|er|\.)?"
_YEAR = r"(?:,?\s+(?:de\s+|del\s+)?(?:19|20|21)\d\d)?"
_NUMERIC = r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2})(?!\d)|\d{1,2}\.\d{1,2}\.(?!\d))"
_RELATIVE = _one_of(NEXT | COMING | LAST)
_FULL_WEEKDAY = _one_of({word: 0 for word in WEEKDAYS if len(word) > 4})
_PHRASE = re.compile(
    "|".join(
        [
            rf"{_BEFORE}{_NUMERIC}",
            rf"\b{_BEFORE}{_NUMBER}\s+(?:of\s+|de\s+|d')?{_MONTH}\b\.?{_YEAR}",
            rf"\b{_BEFORE}{_MONTH}\.?\s+(?:the\s+)?{_NUMBER}\b{_YEAR}",
            rf"\b(?:{_RELATIVE}\s+)?{_FULL_WEEKDAY}\b(?:\s+(?:of\s+)?{_one_of(NEXT)}\s+(?:week|woche|semaine|semana|settimana)|"
            rf"\s+{_one_of(NEXT)})?",
            rf"\b(?:in|en|dans|within|tra)\s+(?:\d{{1,3}}|{_one_of(NUMBERS)})\s+{_one_of(UNITS)}\b",
            rf"\b(?:day after tomorrow|{_one_of(FIXED, 4)})\b",
        ]
    )
)
_GIVEN_UP = re.compile(
    r"(?:instead of|rather than|originally(?: \w+){0,3}|previously(?: \w+){0,3}|was(?: \w+){0,3}|were|no longer|not|"
    r"from|old|earlier than|missed|statt(?: \w+)?|anstatt(?: \w+)?|ursprunglich(?: \w+){0,3}|nicht(?: \w+){0,2}|vom|"
    r"au lieu du?|initialement(?: \w+){0,3}|prevu(?: \w+)?|en lugar del?|en vez del?|previsto(?: \w+)?|invece del?|"
    r"in plaats van)\s*(?:on |am |the |le |el |il |der |den |dem |zum |fur )*[(\"']?$"
)


MAX_BEFORE = 200
"""Characters before a day in which it may be said that it no longer holds."""


def days_mentioned(text: str) -> list[Mention]:
    """Every phrase of a text that names a day, in order."""
    flat = " ".join(plain(text).split())
    return [
        Mention(
            found.group().strip(" .,"),
            found.start(),
            bool(_GIVEN_UP.search(flat[max(0, found.start() - MAX_BEFORE) : found.start()])),
        )
        for found in _PHRASE.finditer(flat)
    ]
