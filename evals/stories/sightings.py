"""What a story's manager and vendors see of the agent: questions, messages and flags, each with its moment."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from domain.plain_json import JsonObject
from evals.on_file import (
    APPROVALS,
    FLAGS,
    MESSAGES,
    ApprovalImage,
    FlagImage,
    Image,
    ImageKind,
    SaidImage,
)
from evals.stories.format import Reply, Story
from evals.stories.lines import LineBook

Cause = Literal["event", "time", "answer"]
Verdict = Literal["wanted", "tolerated", "needless"]
VENDOR, RECEIVING = "vendor", "receiving"


class ReadRows(Protocol):
    """The rows of a table of the building, as they were last seen."""

    def __call__(self, kind: ImageKind[Image], /) -> list[Image]: ...


@dataclass
class AskedQuestion:
    """A question to a person, and what became of it."""

    id: str
    kind: str
    item: str | None
    at: datetime
    step: int
    """The step in which it was raised, from 0; -1 before the first."""
    cause: Cause
    summary: str
    recommends: str | None
    asked_of: str | None
    version: int
    status: str
    words: str
    """What it shows at a glance today: its summary and its options, with the days that each is late."""
    subject: str | None
    """The kind that a delegation would be for."""
    renewed_at: list[datetime] = field(default_factory=list)
    reply: Reply | None = None
    answers: int = 0
    verdict: Verdict = "wanted"
    steps_that_want_it: list[int] = field(default_factory=list)
    """From 1."""

    @property
    def lines(self) -> frozenset[str]:
        return frozenset() if self.item is None else frozenset({self.item})

    @property
    def is_pending(self) -> bool:
        return self.status == "pending"


@dataclass(frozen=True)
class Heard:
    """A message, or a flag that was raised."""

    at: datetime
    step: int
    lines: frozenset[str]
    party: str
    text: str
    form: Literal["message", "digest", "notice", "flag"]
    """A digest is about several lines, a notice is a question's own."""
    news_on: frozenset[str] = frozenset()
    """The lines of a digest about which something has changed since they were last told of."""


@dataclass
class Sightings:
    """Everything seen so far."""

    vendors: frozenset[str]
    """Ids and names of the vendors, in small letters."""
    book: LineBook
    questions: dict[str, AskedQuestion] = field(default_factory=dict)
    told: list[Heard] = field(default_factory=list)
    """To people, flags included."""
    told_vendors: list[Heard] = field(default_factory=list)
    _messages: set[str] = field(default_factory=set)
    _flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _told_facts: dict[str, str] = field(default_factory=dict)
    """What was on file about a line when people were last told of it."""

    @classmethod
    def of_story(cls, story: Story, book: LineBook) -> "Sightings":
        words = {word.lower() for vendor in story.spec.vendors for word in (vendor.vendor_id, vendor.name)}
        return cls(frozenset(words), book)

    @property
    def pending(self) -> list[AskedQuestion]:
        """The open questions, in the order in which they were raised."""
        return [question for question in self.questions.values() if question.is_pending]

    def look(self, rows: ReadRows, at: datetime, step: int, cause: Cause) -> None:
        """Keep what was asked and told since the last look."""
        for row in rows(APPROVALS):
            self._see_question(row, at, step, cause)
        for said in rows(MESSAGES):
            if said["message_id"] not in self._messages and said["direction"] == "out":
                self._messages.add(said["message_id"])
                self._see_message(said, rows, at, step)
        for flag in rows(FLAGS):
            self._see_flag(flag, rows, at, step)

    def _see_question(self, row: ApprovalImage, at: datetime, step: int, cause: Cause) -> None:
        known = self.questions.get(row["approval_id"])
        if known is None:
            self.questions[row["approval_id"]] = _read_question(row, at, step, cause)
            return
        if row["version"] > known.version and row["status"] == "pending":
            known.renewed_at.append(at)
        known.version, known.status = row["version"], row["status"]
        known.words, known.subject = _read_words(row), _read_subject(row)

    def _see_message(self, row: SaidImage, rows: ReadRows, at: datetime, step: int) -> None:
        party, text, item = str(row["party"]), row["text"] or "", row.get("item_id")
        lines = frozenset({item}) if item else self.book.find_mentioned(text)
        if party.lower() in self.vendors or party == VENDOR:
            self.told_vendors.append(Heard(at, step, lines, party, text, "message"))
            return
        if party == RECEIVING:
            return
        if "Answer approval" in text or any(question_id in text for question_id in self.questions):
            self.told.append(Heard(at, step, lines, party, text, "notice"))
        elif len(lines) > 1:
            news = frozenset(line for line in lines if self._told_facts.get(line) != describe_facts(rows, line))
            self.told.append(Heard(at, step, lines, party, text, "digest", news))
        else:
            self.told.append(Heard(at, step, lines, party, text, "message"))
        self._remember(rows, lines)

    def _see_flag(self, row: FlagImage, rows: ReadRows, at: datetime, step: int) -> None:
        mark = (str(row["status"]), str(row["band"]), str(row["detail"]))
        if self._flags.get(row["flag_id"]) != mark and row["status"] == "open":
            lines = frozenset({str(row["item_id"])})
            self.told.append(Heard(at, step, lines, "flag", str(row["detail"]), "flag"))
        self._flags[row["flag_id"]] = mark

    def _remember(self, rows: ReadRows, lines: frozenset[str]) -> None:
        for line in lines:
            self._told_facts[line] = describe_facts(rows, line)


FACTS: dict[ImageKind[JsonObject], tuple[str, ...] | None] = {
    ImageKind("items"): None,
    ImageKind("shipments"): None,
    ImageKind("receipts"): None,
    ImageKind("inspections"): None,
    ImageKind("purchase_order_lines"): None,
    ImageKind("approvals"): ("approval_id", "status", "version"),
    ImageKind("flags"): ("flag_id", "status", "band", "detail"),
    ImageKind("milestones"): ("kind", "met_on"),
}
"""The tables that say something about a line, and the fields that do; None: all but the agent's own bookkeeping."""
BOOKKEEPING = {"told_band", "caused_seq"}


def describe_facts(rows: ReadRows, line: str) -> str:
    """All that is on file about a line, for comparing: equal as long as nothing about it has changed."""
    facts: list[str] = []
    for table, fields in FACTS.items():
        for row in rows(table):
            if line in (row.get("item_id"), row.get("item")):
                names = sorted(row.keys() - BOOKKEEPING) if fields is None else fields
                facts.append(f"{table}: " + ", ".join(f"{name}={row.get(name)}" for name in names))
    return "\n".join(facts)


def _read_question(row: ApprovalImage, at: datetime, step: int, cause: Cause) -> AskedQuestion:
    options, best = row["options"], row["refused"]
    return AskedQuestion(
        id=row["approval_id"],
        kind=row["kind"],
        item=row["item_id"],
        at=at,
        step=step,
        cause=cause,
        summary=row["summary"],
        recommends=options[best]["title"] if best < len(options) else None,
        asked_of=row["asked_of"],
        version=row["version"],
        status=row["status"],
        words=_read_words(row),
        subject=_read_subject(row),
    )


def _read_words(row: ApprovalImage) -> str:
    titles = [option["title"] for option in row["options"]]
    late = [f"{days} days late" for option in row["options"] if (days := option.get("days_late"))]
    return " | ".join([row["summary"], *titles, *late])


def _read_subject(row: ApprovalImage) -> str | None:
    actions = (action for option in row["options"] for action in option["actions"])
    kinds = (str(action["arguments"].get("kind") or "") for action in actions)
    return next((kind for kind in kinds if kind), None)
