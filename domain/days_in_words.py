"""Days as people write them, worked out against the day on which they wrote: never guessed.

What a text says may mean one day, two ("next Friday", 03/04), or nothing that can be told ("around Easter"). A model
may point at the words; which day they mean is told here.
"""

import re
import unicodedata
from calendar import monthrange
from datetime import date, timedelta
from typing import Literal

from domain.text import FIRST_YEAR, LAST_YEAR

Direction = Literal["ahead", "back"]
"""Whether the day is expected (an arrival) or has been (a departure)."""

_MONTHS = (
    "january januar janvier enero gennaio januari stycznia styczen jan",
    "february februar fevrier febrero febbraio februari lutego luty feb fev",
    "march marz maerz mars marzo maart marca marzec mar mrz",
    "april avril abril aprile kwietnia kwiecien apr avr",
    "may mai mayo maggio mei maja maj",
    "june juni juin junio giugno czerwca czerwiec jun",
    "july juli juillet julio luglio lipca lipiec jul",
    "august aout agosto augustus sierpnia sierpien aug",
    "september septembre septiembre settembre wrzesnia wrzesien sep sept",
    "october oktober octobre octubre ottobre pazdziernika pazdziernik oct okt",
    "november novembre noviembre listopada listopad nov",
    "december dezember decembre diciembre dicembre grudnia grudzien dec dez",
)
_WEEKDAYS = (
    "monday montag lundi lunes lunedi maandag poniedzialek mon mo",
    "tuesday dienstag mardi martes martedi dinsdag wtorek tue tues",
    "wednesday mittwoch mercredi miercoles mercoledi woensdag sroda srode wed",
    "thursday donnerstag jeudi jueves giovedi donderdag czwartek thu thur thurs",
    "friday freitag vendredi viernes venerdi vrijdag piatek fri",
    "saturday samstag sonnabend samedi sabado sabato zaterdag sobota sobote sat",
    "sunday sonntag dimanche domingo domenica zondag niedziela niedziele sun",
)
_NUMBERS = (
    "zero null",
    "one a an ein eine einem einer un une una uno een",
    "two zwei deux dos due twee",
    "three drei trois tres tre drie",
    "four vier quatre cuatro quattro",
    "five funf fuenf cinq cinco cinque vijf",
    "six sechs seis sei zes",
    "seven sieben sept siete sette zeven",
    "eight acht huit ocho otto",
    "nine neun neuf nueve nove negen",
    "ten zehn dix diez dieci tien",
)
_UNITS = {
    "day days tag tage tagen jour jours dia dias giorno giorni dag dagen": 1,
    "week weeks woche wochen semaine semaines semana semanas settimana settimane weken": 7,
}
_FIXED = {
    "today heute aujourd'hui hoy oggi vandaag dzis dzisiaj": 0,
    "tomorrow morgen demain manana domani jutro": 1,
    "overmorrow ubermorgen uebermorgen apres-demain pasado_manana dopodomani overmorgen pojutrze": 2,
    "yesterday gestern hier ayer ieri gisteren wczoraj": -1,
}
_NEXT = (
    "next nachsten nachster nachste naechsten naechster naechste prochain prochaine proximo proxima prossimo volgende"
)
_COMING = "this coming upcoming diesen dieser diesem kommenden kommender ce cette este esta questo deze komende"
_LAST = "last letzten letzter letztem vergangenen dernier derniere pasado passato scorso vorige"
_FILLING = (
    "on am the den der dem le la el il de del du di of by bis to zum um at von from le l' op do w we z dnia il al "
    "arrives arriving arrival expected due eta datum date uhr"
)


def _table(groups: tuple[str, ...], start: int) -> dict[str, int]:
    return {word: number for number, group in enumerate(groups, start) for word in group.split()}


MONTHS, WEEKDAYS, NUMBERS = _table(_MONTHS, 1), _table(_WEEKDAYS, 0), _table(_NUMBERS, 0)
UNITS = {word: days for group, days in _UNITS.items() for word in group.split()}
FIXED = {word: days for group, days in _FIXED.items() for word in group.split()}
NEXT, COMING, LAST = (frozenset(words.split()) for words in (_NEXT, _COMING, _LAST))
FILLING = frozenset(_FILLING.split())
IN = frozenset(["in", "en", "dans", "within", "tra", "over", "za"])
AGO = frozenset(["ago", "vor", "hace", "fa", "geleden"])

_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])")
_NUMERIC = re.compile(r"(?<![\d./])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\d])")
_SHORT_GERMAN = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(?!\d)")
_PASADO_MANANA, _OVERMORROW = re.compile(r"\bpasado manana\b"), re.compile(r"\bday after tomorrow\b")
_ELIDED = re.compile(r"\b(?:d'ici|d')\s*")
_WORD = re.compile(r"[\w'-]+")
_YEAR = re.compile(r"(?:19|20|21)\d\d")
_DAY_NUMBER = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|\.|o|ª|º)?")


def days_meant(words: str, written_on: date, direction: Direction = "ahead") -> frozenset[date]:
    """Every day that the words may mean, written on `written_on`; empty where they do not say one.

    Words beyond a day (`end of`, `week of`, `or`, `around`) make it no day: the whole phrase must be understood.
    """
    text = plain(words)
    for pattern, read in ((_ISO, _iso), (_NUMERIC, _numeric), (_SHORT_GERMAN, _short)):
        found = pattern.search(text)
        if found:
            rest = _words(text[: found.start()] + " " + text[found.end() :])
            return _agreeing(read(found, written_on, direction), rest)
    return _in_words(_words(text), written_on, direction)


def plain(words: str) -> str:
    """Lower case without accents: what people leave out on their keyboards."""
    decomposed = unicodedata.normalize("NFKD", words.replace("ł", "l").replace("’", "'").casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).strip()


def _words(text: str) -> list[str]:
    text = _PASADO_MANANA.sub("pasado_manana", text)
    text = _OVERMORROW.sub("overmorrow", text)
    text = _ELIDED.sub("", text)
    return [word for word in _WORD.findall(text.replace(".", " ")) if word not in FILLING]


def _agreeing(days: frozenset[date], rest: list[str]) -> frozenset[date]:
    """Beside a date there may stand its weekday, and nothing else; it must be the date's own."""
    if any(word not in WEEKDAYS for word in rest):
        return frozenset()
    return frozenset(day for day in days if all(day.weekday() == WEEKDAYS[word] for word in rest))


def _iso(found: re.Match[str], _: date, __: Direction) -> frozenset[date]:
    return _made(int(found[1]), int(found[2]), int(found[3]))


def _numeric(found: re.Match[str], _: date, __: Direction) -> frozenset[date]:
    """12.03.2026 is European; 03/04/2026 may be either, unless one of the numbers is no month."""
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    year += 2000 if year < 100 else 0
    european = _made(year, second, first)
    return european if found[2] == "." else european | _made(year, first, second)


def _short(found: re.Match[str], written_on: date, direction: Direction) -> frozenset[date]:
    return _without_year(int(found[2]), int(found[1]), written_on, direction)


def _made(year: int, month: int, day: int) -> frozenset[date]:
    if not (1 <= month <= 12 and FIRST_YEAR <= year <= LAST_YEAR and 1 <= day <= monthrange(year, month)[1]):
        return frozenset()
    return frozenset([date(year, month, day)])


def _without_year(month: int, day: int, written_on: date, direction: Direction) -> frozenset[date]:
    """The one that lies nearest; where that is not where it should lie, the other may be meant as well."""
    years = (written_on.year - 1, written_on.year, written_on.year + 1)
    candidates = frozenset[date]().union(*(_made(year, month, day) for year in years))
    if not candidates:
        return candidates
    nearest = min(candidates, key=lambda made: abs((made - written_on).days))
    off = (written_on - nearest).days if direction == "ahead" else (nearest - written_on).days
    if off <= MOST_OFF:
        return frozenset([nearest])
    beyond = [made for made in candidates if (made > written_on) == (direction == "ahead")]
    return frozenset([nearest, *beyond])


MOST_OFF = 14
"""Days by which a day without a year may lie on the wrong side of its mail: written late, or about last week."""


def _in_words(words: list[str], written_on: date, direction: Direction) -> frozenset[date]:
    if days := _named_day(words, written_on, direction):
        return days
    for read in (_fixed, _counted, _weekday_of_next_week):
        if days := read(words, written_on):
            return days
    return _weekday(words, written_on, direction)


def _named_day(words: list[str], written_on: date, direction: Direction) -> frozenset[date]:
    """12 March, March 12th 2026, Friday 13 March."""
    months = [MONTHS[word] for word in words if word in MONTHS and word not in WEEKDAYS]
    numbers = [word for word in words if word not in MONTHS and _DAY_NUMBER.fullmatch(word)]
    years = [int(word) for word in words if _YEAR.fullmatch(word)]
    rest = [w for w in words if w not in MONTHS and w not in numbers and not _YEAR.fullmatch(w)]
    if len(months) != 1 or len(numbers) != 1 or len(years) > 1:
        return frozenset()
    found = _DAY_NUMBER.fullmatch(numbers[0])
    day = int(found[1]) if found else 0
    days = _made(years[0], months[0], day) if years else _without_year(months[0], day, written_on, direction)
    return _agreeing(days, rest)


def _fixed(words: list[str], written_on: date) -> frozenset[date]:
    if len(words) != 1 or words[0] not in FIXED:
        return frozenset()
    return frozenset([written_on + timedelta(days=FIXED[words[0]])])


def _counted(words: list[str], written_on: date) -> frozenset[date]:
    """In two weeks, in 10 days, three days ago."""
    sign = -1 if AGO & set(words) else 1
    kept = [word for word in words if word not in AGO and word not in IN]
    if len(kept) != 2 or kept[1] not in UNITS or (sign > 0 and not IN & set(words)):
        return frozenset()
    count = int(kept[0]) if kept[0].isdigit() else NUMBERS.get(kept[0])
    if count is None or count > 500:
        return frozenset()
    return frozenset([written_on + timedelta(days=sign * count * UNITS[kept[1]])])


def _weekday_of_next_week(words: list[str], written_on: date) -> frozenset[date]:
    """Friday next week: of the calendar week after this one."""
    named = [WEEKDAYS[word] for word in words if word in WEEKDAYS]
    rest = {word for word in words if word not in WEEKDAYS}
    weeks = {word for word in rest if UNITS.get(word) == 7}
    if len(named) != 1 or len(weeks) != 1 or not (rest - weeks) or not (rest - weeks) <= NEXT:
        return frozenset()
    return frozenset([_monday(written_on) + timedelta(days=7 + named[0])])


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _weekday(words: list[str], written_on: date, direction: Direction) -> frozenset[date]:
    """Friday, this Friday, next Friday, last Friday. Next may mean the coming one or that of next week."""
    named = [WEEKDAYS[word] for word in words if word in WEEKDAYS]
    rest = {word for word in words if word not in WEEKDAYS}
    if len(named) != 1 or not rest <= NEXT | COMING | LAST or len(rest) > 1:
        return frozenset()
    coming = written_on + timedelta(days=(named[0] - written_on.weekday() - 1) % 7 + 1)
    gone = coming - timedelta(days=7)
    if rest & LAST or (direction == "back" and not rest):
        before = gone if gone < written_on else gone - timedelta(days=7)
        return frozenset([before] if gone < written_on else [before, gone] if not rest else [before])
    if rest & NEXT:
        return frozenset([coming, _monday(written_on) + timedelta(days=7 + named[0])])
    return frozenset([coming] if gone < written_on else [gone, coming])
