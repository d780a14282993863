"""What a model read in a mail, held against the mail itself and against what is known. Every doubt is put in words.

A reading without doubts may be taken in; one with doubts is put to a person, filled in as the first option.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from domain.addresses import bare_address
from domain.days_found import days_mentioned
from domain.days_in_words import Direction, days_meant, plain
from domain.events import (
    EVENT,
    EtaChanged,
    Event,
    PurchaseOrderAcknowledged,
    ShipmentArrivedSite,
    ShipmentDepartedFactory,
    body_of,
)
from domain.lines.taking_in import Report as SaidBy
from domain.mail import lines_named, newest_part, says, sentences, speaks_to_the_agent
from domain.mail_vocabulary import unaccounted_words
from domain.orders import record_acknowledgement
from domain.outstanding import is_resolved
from domain.plain_json import JsonObject
from domain.policy import Policy
from domain.procurement import Item, LineFile, Shipment
from domain.reading_words import (
    LineWords,
    has_words_for,
    is_elsewhere,
    is_hedged,
    is_partial,
    speaks_of_more_than,
    takes_back,
    takes_exception,
)
from domain.recording import Recorded
from domain.shipments import record_arrival, record_departure, record_eta
from domain.text import Words

ReportType = Literal[
    "Purchase_Order_Acknowledged",
    "Shipment_Departed_Factory",
    "ETA_Changed",
    "Shipment_Arrived_Site",
    "Inspection_Passed",
    "Inspection_Failed",
    "Submittal_Approved",
    "Submittal_Rejected",
]


class Report(BaseModel):
    """One thing that a mail reports."""

    quote: str = Field(description="The sentence of the mail that says so, copied.")
    event_type: ReportType
    item: str = Field(description="The line's name, copied from the list of lines.")
    day_words: Words = Field(description="The mail's own words for the day, copied, such as: next Friday.")
    day: Words = Field(description="That day as YYYY-MM-DD: the arrival, promise or inspection.")
    departed_words: Words = Field(description="Of a departure: the mail's words for the day it left.")
    departed: Words = Field(description="That day as YYYY-MM-DD.")
    exceptions: list[str] = Field(description="Of an acknowledgement: where it departs from the order.")
    confidence: float = Field(description="0 to 1.")


class MailReading(BaseModel):
    """Everything that a mail reports; nothing where it reports nothing."""

    reports: list[Report]


@dataclass(frozen=True)
class Mail:
    """A mail as it came, and what it is read against."""

    text: str
    sender: str
    written_on: date
    """In the building's zone."""
    occurred_at: str
    """The moment it was written, ISO 8601."""
    names: Sequence[tuple[str, str]]
    """(item_id, name) of the building's lines."""
    policy: Policy
    vouched: bool = False
    """A person of the building says so, and not whoever wrote to it."""
    address: str | None = None
    """The sender as it was given; None where no sender was."""
    asked_about: frozenset[str] = frozenset()
    """The ids of the lines that a question is open about."""

    @cached_property
    def newest(self) -> str:
        return newest_part(self.text)

    @cached_property
    def sentences(self) -> list[str]:
        """Of its newest part."""
        return sentences(self.newest)

    @cached_property
    def line_words(self) -> LineWords:
        return LineWords(name for _, name in self.names)

    @cached_property
    def named_lines(self) -> frozenset[str]:
        """The ids of the lines that its newest part names in full."""
        return frozenset(lines_named(self.newest, self.names))

    @cached_property
    def ids_by_words(self) -> dict[str, list[str]]:
        """The ids of the lines by their names and ids in plain words."""
        found: dict[str, list[str]] = {}
        for item_id, name in self.names:
            for words in {plain(item_id), plain(name)}:
                found.setdefault(words, []).append(item_id)
        return found


@dataclass
class Reading:
    """Events as they would be taken in, and what speaks against doing so without a person."""

    events: list[JsonObject] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    confidence: float = 1.0


def judged(mail: Mail, read: MailReading, files: dict[str, LineFile], seq: int) -> Reading:
    """The events that were read, each checked; `files` are those of the lines that the mail or the model names."""
    made = Reading(doubts=_doubts_about(mail))
    if len(read.reports) > MAX_REPORTS:
        made.doubts.append(f"{len(read.reports)} reports were read in it, more than one mail makes")
    for report in read.reports[:MAX_REPORTS]:
        report, doubts = _in_its_own_words(report, mail)
        made.doubts += doubts
        item_id, doubts = _line_meant(report.item, mail, files)
        made.doubts += doubts
        event, doubts = _event_of(report, mail, item_id) if item_id is not None else (None, [])
        made.doubts += doubts
        if event is None or item_id is None:
            continue
        made.events.append(body_of(event))
        file = files.get(item_id)
        made.doubts += _contradictions(event, file, mail, seq)
        made.doubts += [] if mail.vouched else beyond_a_model(file, _recorded_of(event, file, mail, seq), mail)
        made.confidence = min(made.confidence, max(0.0, min(1.0, report.confidence)))
    made.doubts += _left_out(mail, read, made.events)
    made.doubts += [] if mail.vouched else _unaccounted(mail, made.events, files)
    if made.confidence < mail.policy.reading_confidence:
        made.doubts.append(f"the model is {made.confidence:.0%} sure, policy asks {mail.policy.reading_confidence:.0%}")
    made.doubts = list(dict.fromkeys(made.doubts))
    if _doubts_about(mail):
        made.events = []  # what such a mail wants is not put before a person as the thing to do
    return made


MAX_REPORTS = 30
"""Reports of one mail that are checked; one with more is put to a person."""


def _doubts_about(mail: Mail) -> list[str]:
    """What makes a mail one for a person, whatever was read in it."""
    return ["it gives orders to whoever reads it, as a report does not"] if speaks_to_the_agent(mail.text) else []


def _line_meant(named: str, mail: Mail, files: dict[str, LineFile]) -> tuple[str | None, list[str]]:
    """The line, by the log's own rule: its name or id, in full, in the mail; or the number of its order. Otherwise it
    is doubtful, and only filled in."""
    wanted = mail.ids_by_words.get(plain(named), [])
    if len(wanted) != 1:
        return None, [f"no line is named {named[:60]!r}"]
    if wanted[0] in mail.named_lines:
        return wanted[0], []
    file = files.get(wanted[0])
    numbers = [order.number for order in file.orders] if file else []
    is_meant = any(says(mail.newest, number) for number in numbers)
    return wanted[0], [] if is_meant else [f"its newest part does not name {named[:60]!r} in full"]


def _event_of(report: Report, mail: Mail, item_id: str) -> tuple[Event | None, list[str]]:
    """The typed event, with the doubts that the mail's own words leave."""
    doubts = _doubts_of_words(report, mail)
    day, day_doubts = _day(report.day_words, report.day, mail, "back" if report.event_type in _HAPPENED else "ahead")
    fields: Fields = {"event_type": report.event_type, "item": item_id, "occurred_at": mail.occurred_at}
    doubts += day_doubts
    if report.event_type == "Shipment_Departed_Factory":
        departed, more = _day(report.departed_words, report.departed, mail, "back")
        doubts += more
        fields |= {"eta": day, "date_departed": departed, "location_address": NOT_STATED}
        if departed is not None and departed > mail.written_on:
            doubts.append(f"it speaks of a departure on {departed}, after it was written")
    else:
        fields |= _FIELDS[report.event_type](report, day, mail)
    try:
        return EVENT.validate_python({key: value for key, value in fields.items() if value is not None}), doubts
    except ValidationError:
        return None, [*doubts, f"{report.event_type} needs a day that it does not give"]


NOT_STATED = "not stated"
_HAPPENED = ("Shipment_Arrived_Site", "Inspection_Passed", "Inspection_Failed")


Fields = dict[str, str | date | datetime | list[str] | None]
"""What an event is made of, before it is checked."""


def _document(mail: Mail) -> Fields:
    return {"document_url": NOT_STATED, "document_name": f"message of {mail.sender}"[:200]}


_FIELDS: dict[str, Callable[[Report, date | None, Mail], Fields]] = {
    "Purchase_Order_Acknowledged": lambda report, day, _: {
        "promised_date": day,
        "exceptions": [text[:500] for text in report.exceptions if text.strip()][:20],
    },
    "ETA_Changed": lambda report, day, _: {"eta": day, "reason": report.quote[:500].strip() or None},
    "Shipment_Arrived_Site": lambda _r, day, _m: {"date_arrived": day, "location_address": NOT_STATED},
    "Inspection_Passed": lambda _, day, mail: {"inspection_date": day, **_document(mail)},
    "Inspection_Failed": lambda report, day, mail: {
        "inspection_date": day,
        "defects": report.quote[:500].strip() or None,
        **_document(mail),
    },
    "Submittal_Approved": lambda _r, _d, mail: _document(mail),
    "Submittal_Rejected": lambda report, _d, _m: {"reason": report.quote[:500].strip() or NOT_STATED},
}


def _day(words: str | None, read: str | None, mail: Mail, direction: Direction) -> tuple[date | None, list[str]]:
    """The day that was read, and what is doubtful about it: it must follow from the mail's own words."""
    try:
        day = None if read is None else date.fromisoformat(read[:10])
    except ValueError:
        day = None
    if not words or not says(mail.text, words):
        # A day that the mail does not name is not filled in either: whoever approves would record an invention.
        return None, ["the day was not found in its words"]
    meant = days_meant(words, mail.written_on, direction)
    if len(meant) != 1:
        what = " or ".join(sorted(map(str, meant))) if meant else "no certain day"
        return day or min(meant, default=None), [f"{words.strip()!r} means {what}"]
    (certain,) = meant
    doubts = [] if day == certain else [f"{words.strip()!r} is {certain}, and the model read {read}"]
    if abs((certain - mail.written_on).days) > MOST_DAYS:
        doubts.append(f"{certain} is far from the day it was written")
    return certain, doubts


MOST_DAYS = 550
"""A mail that speaks of a day further away than this is not taken in alone."""


def _doubts_of_words(report: Report, mail: Mail) -> list[str]:
    """Whether the mail's newest part has such words, says it as a fact, and says it of the whole order."""
    if not says(mail.newest, report.quote):
        return ["the sentence that was read is not in its newest part"]
    doubts = []
    if report.event_type not in mail.policy.model_reports:
        doubts.append(f"{report.event_type} needs a person's word")
    if not has_words_for(report.event_type, report.quote):
        doubts.append(f"its words do not speak of {report.event_type}")
    days = [words for words in (report.day_words, report.departed_words) if words]
    spoken = [report.quote, *(part for part in mail.sentences if _belongs(part, report.quote, days))]
    if any(is_hedged(part) for part in spoken):
        doubts.append("it is not said as a fact")
    if any(is_elsewhere(part) for part in spoken):
        doubts.append("it speaks of another place")
    if any(speaks_of_more_than(part, mail.line_words) for part in spoken):
        doubts.append("it speaks of something else than the line itself")
    if is_partial(mail.newest):
        doubts.append("it speaks of a part of the order")
    if takes_back(mail.newest):
        doubts.append("it takes an earlier message back")
    if report.event_type == "Purchase_Order_Acknowledged" and (report.exceptions or takes_exception(mail.newest)):
        doubts.append("it may depart from the order")
    return doubts


def _belongs(part: str, quote: str, days: list[str]) -> bool:
    """Whether a sentence is of the quote, or names the day."""
    return says(quote, part) or says(part, quote) or any(says(part, words) for words in days)


def _contradictions(event: Event, file: LineFile | None, mail: Mail, seq: int) -> list[str]:
    """What is known against it: the very check that recording it would make."""
    if file is None:
        return []
    return [str(subject["detail"]) for _, subject in _recorded(event, file, mail, seq).ask if "detail" in subject]


def _recorded_of(event: Event, file: LineFile | None, mail: Mail, seq: int) -> Recorded:
    return Recorded("") if file is None else _recorded(event, file, mail, seq)


def beyond_a_model(file: LineFile | None, recorded: Recorded, mail: Mail) -> list[str]:
    """Why a model's reading of this line may not be taken in alone, whatever its words: who wrote it, and what it
    would settle."""
    if file is None or file.vendor is None or not any(map(bare_address, file.vendor.addresses)):
        return ["no vendor of this line is on file with a mail address"]
    doubts = []
    if not file.vendor.is_address_of(mail.address):
        doubts.append(f"its sender is not {file.vendor.name} as we know them")
    if file.item.item_id in mail.asked_about:
        doubts.append(f"a question about {file.item.name} is open, and this might settle it")
    doubts += [f"it is better news of {file.item.name} than what is on file"] if betters(file, recorded) else []
    return doubts


def betters(file: LineFile, recorded: Recorded) -> bool:
    """Whether recording would bring a date forward, or clear a conflict or a flag."""
    for row in recorded.rows:
        if isinstance(row, Item):
            before = file.item
            earlier = [
                (row.eta, before.eta),
                (row.promised_date, before.promised_date),
                (row.expected, before.expected),
            ]
            if any(map(_is_earlier, earlier)) or _BANDS[row.schedule_band] < _BANDS[before.schedule_band]:
                return True
            if is_resolved(before, row):
                return True
        elif isinstance(row, Shipment):
            known = next((one for one in file.shipments if one.shipment_id == row.shipment_id), None)
            if known is not None and _is_earlier((row.eta, known.eta)):
                return True
    return False


_BANDS: dict[str | None, int] = {None: 0, "clear": 0, "tight": 1, "conflict": 2}


def _is_earlier(days: tuple[date | None, date | None]) -> bool:
    now, before = days
    return now is not None and before is not None and now < before


def _unaccounted(mail: Mail, events: list[JsonObject], files: dict[str, LineFile]) -> list[str]:
    """The words of the newest part that are none of a plain report's."""
    names = dict(mail.names)
    known = {*(mail.address or "").partition("@")[0].replace(".", " ").split()}
    for event in events:
        item_id = str(event["item"])
        known |= {item_id, names[item_id]}
        file = files.get(item_id)
        if file is not None:
            known |= {order.number for order in file.orders} | ({file.vendor.name} if file.vendor else set())
    words = unaccounted_words(mail.newest, known) if events else []
    return [f"it also says {', '.join(map(repr, words[:5]))}"] if words else []


def _in_its_own_words(report: Report, mail: Mail) -> tuple[Report, list[str]]:
    """The report with no words that are not the mail's own: a model's words are not filled in as a vendor's."""
    own = [text for text in report.exceptions if says(mail.text, text)]
    doubts = ["an exception was read that it does not say"] if len(own) < len(report.exceptions) else []
    quote = report.quote if says(mail.text, report.quote) else ""
    return report.model_copy(update={"exceptions": own, "quote": quote}), doubts


NOON = time(12)
"""When a mail of a day is taken to have been written: only its day is known."""


def _recorded(event: Event, file: LineFile, mail: Mail, seq: int) -> Recorded:
    written = datetime.combine(mail.written_on, NOON, tzinfo=UTC)
    report = SaidBy(written, written, "mail", str(seq), seq, {})
    if isinstance(event, PurchaseOrderAcknowledged):
        return record_acknowledgement(file, event, report)
    if isinstance(event, ShipmentDepartedFactory):
        return record_departure(file, event, report)
    if isinstance(event, EtaChanged):
        return record_eta(file, event, report)
    if isinstance(event, ShipmentArrivedSite):
        return record_arrival(file, event, report)
    return Recorded("")


def _left_out(mail: Mail, read: MailReading, events: list[JsonObject]) -> list[str]:
    """What the mail speaks of and nothing was read of: another line, another day, or everything."""
    if not events:
        return ["nothing that the log could take was read in it"]
    reported = {event["item"] for event in events}
    names = dict(mail.names)
    doubts = [
        f"it also names {names[item_id]}" for item_id in lines_named(mail.text, mail.names) if item_id not in reported
    ]
    if len(reported) < len(events):
        doubts.append("more than one thing was read of the same line")
    words = [plain(one) for report in read.reports for one in (report.day_words, report.departed_words) if one]
    for mention in days_mentioned(mail.newest):
        used = any(mention.words in one or one in mention.words for one in words)
        if used and mention.given_up:
            doubts.append(f"{mention.words!r} is named as a day that no longer holds")
        if not used and not mention.given_up:
            doubts.append(f"it also speaks of {mention.words!r}")
    return doubts
