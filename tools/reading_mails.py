"""Reading a mail from outside: a model reads, domain/reading.py checks, and what is doubtful goes to a person."""

from dataclasses import dataclass, replace

from domain.actions import action
from domain.events import Entry, MessageReceived
from domain.mail import lines_named, says
from domain.plain_json import JsonObject
from domain.plan import RaisedQuestion
from domain.procurement import LineFile
from domain.reading import Mail, MailReading, Reading, judged
from storage import procurement
from tools.apart import work_apart
from tools.context import Toolbox
from tools.decisions import Verdict
from tools.instructions import READ_MAIL
from tools.lookup import closest
from tools.models import Abstained, Answered
from tools.prompts import FACTS_TOKENS, Layer, Part
from tools.provenance import HOUSE, OUTSIDE, TEAM
from tools.recording import Finding, building_of, line_files
from tools.tiers import answers, responder_of

MOST_LINES = 12
"""Lines of the log that a reader is shown: those that the mail names, then those whose names come near."""


@dataclass(frozen=True)
class Read:
    """The best reading of all tiers, who read it, and why the others did not."""

    reading: Reading
    answer: Answered[MailReading] | None
    abstained: list[str]


async def read_mail(toolbox: Toolbox, entry: Entry, event: MessageReceived) -> Read:
    """Ask the readers, cheap to strong, until one reads it without doubts; else the reading with the fewest."""
    mail = await _mail(toolbox, entry, event.text, event.sender or entry.source)
    return await _read(toolbox, entry, replace(mail, address=event.sender))


async def read_told(toolbox: Toolbox, entry: Entry, text: str, by: str) -> Read:
    """What a person says that an unclear message meant: read as a mail is, on that person's word."""
    return await _read(toolbox, entry, replace(await _mail(toolbox, entry, text, by), vouched=True))


async def _read(toolbox: Toolbox, entry: Entry, mail: Mail) -> Read:
    lines = await work_apart(_lines, mail)
    files = {file.item.item_id: file for file in await line_files(toolbox, entry.building_id, list(lines))}
    layers = await work_apart(_layers, mail, lines, files)
    best, abstained = Read(Reading(doubts=["no model could read it"]), None, []), list[str]()
    # Nothing of the answer leaves the house: it names lines and days, and words that the mail itself has.
    async for answer in answers(toolbox, entry, "reader", READ_MAIL, layers, MailReading, audience=HOUSE):
        if isinstance(answer, Abstained):
            abstained.append(f"{answer.reason}: {answer.detail}".strip(": ")[:200])
            continue
        reading = await work_apart(judged, mail, answer.value, files, entry.seq)
        if best.answer is None or len(reading.doubts) < len(best.reading.doubts):
            best = Read(reading, answer, abstained)
        if not reading.doubts:
            break
    return Read(best.reading, best.answer, abstained)


async def _mail(toolbox: Toolbox, entry: Entry, text: str, sender: str) -> Mail:
    building = await building_of(toolbox, entry.building_id)
    async with toolbox.lock:
        names = await procurement.item_names(toolbox.conn, entry.building_id)
        open_ = await procurement.open_questions(toolbox.conn, entry.building_id)
    return Mail(
        text=text,
        sender=sender,
        written_on=entry.today(building.zone),
        occurred_at=entry.at(building.zone).isoformat(),
        names=names,
        policy=building.policy,
        asked_about=frozenset(one.item_id for one in open_ if one.item_id is not None),
    )


def _lines(mail: Mail) -> dict[str, str]:
    """The lines that are shown, by id."""
    names = dict(mail.names)
    named = lines_named(mail.text, mail.names)
    near = [item_id for item_id, _ in closest(mail.text[:300], list(mail.names), MOST_LINES)]
    return {item_id: names[item_id] for item_id in list(dict.fromkeys([*named, *near]))[:MOST_LINES]}


def _layers(mail: Mail, lines: dict[str, str], files: dict[str, LineFile]) -> list[Layer]:
    written = f"Written on {mail.written_on:%A} {mail.written_on}"
    known = [_known(name, files.get(item_id), mail.text) for item_id, name in lines.items()]
    return [
        Layer("Lines", FACTS_TOKENS, known),
        Layer(written, None, [Part(mail.text, mail.sender, TEAM if mail.vouched else OUTSIDE)]),
    ]


def _known(name: str, file: LineFile | None, text: str) -> str:
    """A line by its name, with the number of its order where the mail names that instead."""
    numbers = [order.number for order in file.orders if says(text, order.number)] if file else []
    return f"- {name} (order {', '.join(numbers)})" if numbers else f"- {name}"


def with_reading(finding: Finding, read: Read) -> Finding:
    """Without doubts: verdicts to take the events in. Otherwise the question, with the reading filled in."""
    events = [action("restate_event", event=event) for event in read.reading.events]
    if read.answer is not None and events and not read.reading.doubts:
        verdict = Verdict(
            kind="event_unclear",
            item_id=None,
            why=_summary(read.reading.events),
            responder=responder_of(read.answer),
            actions=events,
            confidence=read.reading.confidence,
            tokens=read.answer.tokens,
        )
        return finding.model_copy(update={"unread": False, "ask": [], "verdicts": [verdict]})
    filled_in: JsonObject = {
        "events": [*read.reading.events],
        "doubts": [*(doubt[:300] for doubt in [*read.reading.doubts, *read.abstained][:20])],
        "model": read.answer.model if read.answer else None,
        "confidence": read.reading.confidence if read.answer else None,
    }
    return finding.model_copy(update={"unread": False, "ask": [_asked(ask, filled_in) for ask in finding.ask]})


def _asked(ask: RaisedQuestion, reading: JsonObject) -> RaisedQuestion:
    return ask.model_copy(update={"subject": {**ask.subject, "reading": reading}})


def _summary(events: list[JsonObject]) -> str:
    said = "; ".join(f"{event['event_type']} of {event['item']}" for event in events)
    return f"the message reports {said}"
