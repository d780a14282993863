"""What is worth remembering of a building's life beyond its log: situations that people settled, and facts that
were learned on the way. Pure functions: what to remember, and what becomes of it when something newer is known."""

import hashlib
import re
from datetime import date
from typing import Literal

from pydantic import BaseModel

from domain.counts import write_count
from domain.plain_json import JsonObject, KnownJson, PlainAction
from domain.procurement import LineFile, Logistics
from domain.schedule import days_late
from domain.settlement import Applied
from domain.text import folded

MOST_SOURCES = 20
MOST_TEXT = 1_000
"""Characters of a recollection's text: what is searched and shown."""

FactKind = Literal["lead_time", "quality", "decides", "note"]


class About(BaseModel):
    """The line that a recollection is about, as far as it is about one."""

    item_id: str | None = None
    item: str | None = None
    category: str | None = None
    vendor_id: str | None = None
    vendor: str | None = None


class Episode(About):
    """A situation that was settled: what was asked on which facts, what was decided, by whom, and what came of it."""

    key: str
    kind: str
    question: str
    decision: str
    actions: list[PlainAction]
    who: str
    why: str
    day: str
    """Business day of the decision, ISO."""
    seq: int
    round: int | None = None
    outcome: str | None = None
    """What the next inspection of the same order said; None while that is open."""
    outcome_seq: int | None = None

    @property
    def decided(self) -> str:
        """Question and decision in one sentence each, without what came of it."""
        steps = ", ".join(action["name"] for action in self.actions) or "nothing further"
        said = f" ({self.why})" if self.why else ""
        return f"{self.day}: {self.question} {self.who} decided {self.decision}: {steps}{said}."[:MOST_TEXT]

    @property
    def text(self) -> str:
        """What is searched and shown."""
        return self.decided + (f" It {self.outcome}" if self.outcome else "")

    def stored(self) -> JsonObject:
        return {**self.model_dump(mode="json"), "text": self.text, "decided": self.decided}


class Fact(About):
    """Something learned, with where it was learned. The newest is what holds; it names the one it replaced."""

    kind: FactKind
    about: str
    """What it is a fact about, within its kind: two facts of the same are duplicates or contradict each other."""
    value: KnownJson
    """What is compared: equal values are one fact, others contradict."""
    text: str
    day: str
    seq: int
    """The entry from which it holds."""
    sources: list[int]
    """The entries that said it."""
    replaces: str | None = None
    """Key of the older fact that it contradicts."""
    superseded_seq: int | None = None
    """The entry from which it no longer holds."""

    def stored(self) -> JsonObject:
        return self.model_dump(mode="json")

    @property
    def key(self) -> str:
        """Its name in the store: the subject's while it holds, else with the entry that it held from."""
        return self.subject if self.superseded_seq is None else f"{self.subject}@{self.seq}"

    @property
    def subject(self) -> str:
        return f"{self.kind}:{self.about}"


def combined(standing: Fact | None, learned: Fact) -> list[Fact]:
    """What is stored when a fact is learned: the one that holds first, then an older one that it replaced.

    The same again adds its source. What is older than the standing fact (an event that was tried again late) changes
    nothing. Learning the same from the same entry twice comes to the same.
    """
    if standing is None or standing.seq > learned.seq:
        return [learned] if standing is None else []
    if standing.value == learned.value:
        sources = sorted({*standing.sources, *learned.sources})[-MOST_SOURCES:]
        return [standing.model_copy(update={"sources": sources, "text": learned.text, "day": learned.day})]
    if standing.seq == learned.seq:
        return [learned.model_copy(update={"replaces": standing.replaces})]
    old = standing.model_copy(update={"superseded_seq": learned.seq})
    return [learned.model_copy(update={"replaces": old.key}), old]


def about(file: LineFile | None) -> dict[str, str | None]:
    """The line's fields of a recollection."""
    if file is None:
        return {}
    item, vendor = file.item, file.vendor
    return {
        "item_id": item.item_id,
        "item": item.name,
        "category": item.category,
        "vendor_id": item.vendor_id,
        "vendor": vendor.name if vendor else item.vendor_id,
    }


def settled_case(settled: Applied, question: str, key: str, file: LineFile | None, today: date, seq: int) -> Episode:
    """The situation that an applied answer settled (`tools.settling.settle`)."""
    return Episode(
        **about(file),
        key=key,
        kind=settled.kind,
        question=question,
        decision=settled.type,
        actions=settled.actions,
        who=settled.responder.name,
        why=settled.why,
        day=today.isoformat(),
        seq=seq,
        round=file.item.round if file else None,
    )


def with_outcome(case: Episode, file: LineFile, event_type: str, today: date, seq: int) -> Episode:
    """The case with what the inspection said."""
    if event_type == "Inspection_Failed":
        came = f"failed inspection again on {today}."
    else:
        late = days_late(today, file.item.required_by)
        after = f", {write_count(late, 'calendar day')} after it was required" if late else ""
        came = f"passed inspection on {today}{after}."
    return case.model_copy(update={"outcome": came, "outcome_seq": seq})


def who_decides(settled: Applied, today: date, seq: int) -> Fact:
    """Who answers questions of this kind."""
    name, kind = settled.responder.name, settled.kind
    return Fact(
        kind="decides",
        about=kind,
        value={"who": name},
        text=f"{name} decides questions of the kind {kind}.",
        day=today.isoformat(),
        seq=seq,
        sources=[seq],
    )


def lead_time(file: LineFile, seq: int) -> Fact | None:
    """How long the vendor really took for the current order; None unless it was ordered from one and is all here."""
    item, order = file.item, file.order
    receipts = [r for s in file.shipments_in(item.round) if (r := file.receipt_of(s.shipment_id))]
    if item.logistics != Logistics.ON_SITE or order is None or order.issued_on is None or not receipts:
        return None
    if item.vendor_id is None:
        return None
    arrived = max(receipt.received_on for receipt in receipts)
    took = (arrived - order.issued_on).days
    promised = None if item.promised_date is None else (item.promised_date - order.issued_on).days
    against = "" if promised is None else f", promised {promised}"
    days = write_count(took, "calendar day")
    quoted = "" if item.lead_time_days is None else f", quoted {item.lead_time_days}"
    line = about(file)
    return Fact(
        **line,
        kind="lead_time",
        about=f"{item.vendor_id}:{item.item_id}",
        value={"days": took, "promised": promised, "quoted": item.lead_time_days},
        text=f"{line['vendor']} took {days} to deliver {item.shown}{against}{quoted} ({order.number}).",
        day=arrived.isoformat(),
        seq=seq,
        sources=[seq],
    )


def quality(file: LineFile, passed: bool, today: date, seq: int) -> Fact | None:
    """What the last inspection of a vendor's line said; None for a line without a vendor."""
    item, line = file.item, about(file)
    if item.vendor_id is None:
        return None
    reports = sorted(file.inspections_in(item.round), key=lambda report: report.caused_seq)
    defects = reports[-1].defects if reports else []
    said = "passed" if passed else ": ".join(["failed", *([", ".join(defects)] if defects else [])])
    return Fact(
        **line,
        kind="quality",
        about=f"{item.vendor_id}:{item.item_id}",
        value={"passed": passed},
        text=f"The last inspection of {item.shown} by {line['vendor']} ({today}) {said}."[:MOST_TEXT],
        day=today.isoformat(),
        seq=seq,
        sources=[seq],
    )


_PUNCTUATION = re.compile(r"[^\w\s]")


def team_note(text: str, party: str, file: LineFile | None, today: date, seq: int) -> Fact:
    """What the team noted; the same words again are the same note."""
    plain = folded(_PUNCTUATION.sub("", text))
    digest = hashlib.sha256(plain.encode()).hexdigest()[:16]
    return Fact(
        **about(file),
        kind="note",
        about=f"{file.item.item_id if file else 'building'}:{digest}",
        value={"said": digest},
        text=f"{party}: {' '.join(text.split())}"[:MOST_TEXT],
        day=today.isoformat(),
        seq=seq,
        sources=[seq],
    )
