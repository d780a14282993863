"""Keeping the messages short: what no longer fits is taken into the rolling summary, each message once.

What the agent did, which documents came and which numbers were named is read from the tables; only what people and
vendors said is worded, by a model where one may be asked, else in extracts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from domain.actions.registry import ONLY_SAYS
from domain.approvals import Responder
from domain.events import Entry
from domain.identifiers import listed, named_in
from domain.plain_json import JsonObject
from domain.procurement import Message
from domain.summaries import Digest, Identifier, Summary, merged
from domain.tokens import count_tokens
from storage import summaries
from tools.context import ActionContext, Toolbox
from tools.effects import run_effect
from tools.message_origins import message_origins
from tools.models import Abstained, ModelRequest, ask_model
from tools.prompts import OUTSIDE_RULE, Layer, Part, assemble, compose, without_ids
from tools.provenance import HOUSE, MIXED, OUTSIDE, TEAM, Origin, about

SUMMARISER = Responder(type="automated_rule", id="summariser", name="Summariser")

KEPT = 0.5
"""Share of the budget that a compaction leaves as it is: so the next one is some way off."""
OVERFLOW = 2
"""How often the budget may be filled before an event that needs no model is made to wait for a compaction."""
LOOK_EVERY = 20
"""Steps carried out between two looks at how much there is; a text from somebody is a reason to look at once."""
TEXTS = ("Message_Received", "Human_Input")
MOST_EXTRACT = 200
"""Characters of an extract."""


@dataclass(frozen=True)
class Unsummarised:
    """The messages of one entry that no summary holds yet."""

    seq: int
    messages: int
    """How many."""
    tokens: int


@dataclass(frozen=True)
class Window:
    """The messages that no summary holds yet, by entry."""

    summary: Summary | None
    entries: list[Unsummarised]

    @property
    def tokens(self) -> int:
        return sum(entry.tokens for entry in self.entries)

    @property
    def after(self) -> int:
        return -1 if self.summary is None else self.summary.upto_seq

    def span(self, budget: int) -> list[Unsummarised]:
        """The oldest entries that are to be dropped: whole entries, and no more than the budget at once."""
        span: list[Unsummarised] = []
        room, taken = self.tokens - int(budget * KEPT), 0
        for entry in self.entries:
            if room <= 0 or (span and taken + entry.tokens > budget):
                break
            span.append(entry)
            room, taken = room - entry.tokens, taken + entry.tokens
        return span


async def is_due(toolbox: Toolbox, entry: Entry) -> bool:
    """Whether the messages have passed their budget. An event that needs no model lets them pass it by more, where
    a model words the summary: it is not asked for such an event's sake."""
    window = await _window(toolbox, entry)
    budget = _room(toolbox, window)
    return window.tokens > (budget if _at_its_moment(toolbox, entry) else budget * OVERFLOW)


def _at_its_moment(toolbox: Toolbox, entry: Entry) -> bool:
    """Where no model words the summary, any moment is good; else after a text, which needs a model anyway."""
    return toolbox.models is None or entry.event_type in TEXTS


def _room(toolbox: Toolbox, window: Window) -> int:
    return toolbox.budgets.messages(window.summary.tokens if window.summary else 0)


async def _window(toolbox: Toolbox, entry: Entry) -> Window:
    async with toolbox.lock:
        summary = await summaries.latest(toolbox.conn, entry.building_id)
        after = -1 if summary is None else summary.upto_seq
        sizes = await summaries.sizes(toolbox.conn, entry.building_id, after, entry.seq)
    return Window(summary, [Unsummarised(**row) for row in sizes])


async def compact(toolbox: Toolbox, entry: Entry) -> int | None:
    """Take the oldest messages into the summary's next version; None where nothing is to be dropped.

    A run that was cut off goes on where it was: the version names the effect, and the span follows from the version
    before.
    """
    window = await _window(toolbox, entry)
    if window.summary is not None and window.summary.caused_seq == entry.seq:
        return window.summary.version  # beside it there is less room than there was: another look would drop more
    span = window.span(_room(toolbox, window))
    if not span:
        return None
    after, upto = window.after, span[-1].seq
    material = await _material(toolbox, entry.building_id, after, upto)
    intent, by = await _worded(toolbox, entry, material.messages)
    digest = Digest(
        intent=[*_answers(material.answers), *intent],
        actions=[_done(step) for step in material.done if step.action not in ONLY_SAYS],
        artifacts=[_document(document) for document in material.documents],
    )
    version = 1 + (window.summary.version if window.summary else 0)

    async def act(context: ActionContext) -> JsonObject:
        standing = await summaries.latest(context.transaction.conn, entry.building_id)
        next_ = merged(standing, digest, upto_seq=upto, messages=len(material.messages), by=by, caused_seq=entry.seq)
        named = material.identifiers(entry.building_id)
        known = await summaries.identifiers(context.transaction.conn, entry.building_id)
        context.save(_measured(next_, [*known, *named], toolbox.budgets.summary), *named)
        return {"version": next_.version, "messages": next_.messages}

    await run_effect(
        toolbox,
        entry,
        "summarise",
        item=None,
        ordinal=version,
        kind="fact",
        arguments={"after": after, "upto": upto},
        responder=SUMMARISER,
        act=act,
    )
    return version


def summary_layers(summary: Summary, named: Sequence[Identifier], budget: int) -> list[Layer]:
    """The sections as layers: intent, actions, artifacts, identifiers."""
    share = budget // 16
    counted = ", ".join(f"{name} {count}" for name, count in summary.dropped.items())
    actions = [*([f"Before that, left out: {counted}"] if counted else []), *summary.actions]
    papers = [Part("\n".join(summary.artifacts), "documents", OUTSIDE)] if summary.artifacts else []
    numbers = [Part("\n".join(listed(named, share * 6 - 60)), "numbers named earlier", MIXED)] if named else []
    done = [Part(line, origin=about("others")) for line in actions]  # with orders and amounts of any vendor
    return [
        Layer("Summary: what people want", share * 3, _said(summary.intent)),
        Layer("Summary: done so far", share * 5, done, keep="last"),
        Layer("Summary: documents", share * 2, papers),
        Layer("Summary: orders, questions, reports, shipments", share * 6, numbers),
    ]


OF_TEAM, FROM_OUTSIDE = "[team] ", "[outside] "
"""How a line of a summary begins, by whose words it shortens. A line is one line: no text can begin another."""


def _said(intent: Sequence[str]) -> list[Part]:
    """The lines of what was wanted, by whose words they are: of older summaries nobody knows."""
    known = {OF_TEAM: TEAM, FROM_OUTSIDE: OUTSIDE}
    by_origin: dict[Origin, list[str]] = {}
    for line in intent:
        mark = next((mark for mark in known if line.startswith(mark)), "")
        by_origin.setdefault(known.get(mark, MIXED), []).append(line.removeprefix(mark))
    named = {TEAM: "earlier notes of the team, shortened", OUTSIDE: "earlier letters from outside, shortened"}
    return [
        Part("\n".join(lines), named.get(origin, "earlier messages, shortened"), origin)
        for origin, lines in by_origin.items()
    ]


def _measured(summary: Summary, named: list[Identifier], budget: int) -> Summary:
    newest = list({(one.kind, one.value): one for one in named}.values())
    tokens = count_tokens(assemble(summary_layers(summary, newest, budget), budget))
    return summary.model_copy(update={"tokens": tokens})


@dataclass(frozen=True)
class DoneStep:
    """A step of the agent, as the ledger has it."""

    seq: int
    action: str
    item: str | None
    result: JsonObject


@dataclass(frozen=True)
class Document:
    """A document that came with an event."""

    seq: int
    name: str | None
    url: str
    item: str | None


@dataclass(frozen=True)
class PersonsAnswer:
    """How a person answered a question."""

    seq: int
    kind: str
    type: str
    item_id: str | None
    who: str
    why: str


@dataclass(frozen=True)
class Material:
    """What a span of messages was about."""

    messages: list[Message]
    done: list[DoneStep]
    documents: list[Document]
    answers: list[PersonsAnswer]
    named: list[Identifier]

    def identifiers(self, building_id: str) -> list[Identifier]:
        """Those of the tables, and those that a text names and no table has."""
        in_texts = [
            one for said in self.messages for one in named_in(said.text, building_id, said.caused_seq, said.item_id)
        ]
        return list({(one.kind, one.value): one for one in [*in_texts, *self.named]}.values())


async def _material(toolbox: Toolbox, building_id: str, after: int, upto: int) -> Material:
    """The span's, and what came late of the spans before it: a dead entry that was tried again is in no other."""
    conn = toolbox.conn
    span = (conn, building_id, after, upto)
    async with toolbox.lock:
        came = await summaries.late(conn, building_id, after)
        named = [one for seq in came.seqs for one in await summaries.named(conn, building_id, seq - 1, seq)]
        done = [*await summaries.late_done(conn, building_id, came), *await summaries.done(*span)]
        return Material(
            messages=[*await summaries.late_messages(conn, building_id, came), *await summaries.messages(*span)],
            done=[DoneStep(**row) for row in done],
            documents=[Document(**row) for row in await summaries.documents(*span)],
            answers=[PersonsAnswer(**row) for row in await summaries.answers(*span)],
            named=[*named, *await summaries.named(*span)],
        )


def _done(step: DoneStep) -> tuple[str, str]:
    name, item = step.action, step.item or "the building"
    told = [str(value) for value in step.result.values() if isinstance(value, str)][:2]
    held_back = "only told, not done: " if "would_do" in step.result else ""
    return name, f"{step.seq} {held_back}{name} {item}{': ' + ', '.join(told) if told else ''}"


def _document(document: Document) -> str:
    about = f" ({document.item})" if document.item else ""
    return f"{document.name or 'document'}{about}: {document.url}"


def _answers(answers: list[PersonsAnswer]) -> list[str]:
    return [
        f"{OF_TEAM}{one.seq} {one.who} on {one.kind} of {one.item_id or 'the building'}: {one.type}"
        f"{': ' + one.why[:MOST_EXTRACT] if one.why else ''}"
        for one in answers
    ]


MOST_LINES = 10


class Wishes(BaseModel):
    """What a model makes of a span of messages."""

    # Told to the server, which may hold the model to it; more lines than these are cut, and no reason to take none.
    lines: list[str] = Field(
        description=f"At most {MOST_LINES} short lines, the oldest first: who wants, promises, refuses or reports "
        "what, with dates and amounts as they were written.",
        json_schema_extra={"maxItems": MOST_LINES},
    )


SYSTEM = (
    "You shorten the correspondence of a construction project's procurement desk, so that a colleague who reads only "
    f"your lines knows what people and vendors want, promised and reported. Add nothing of your own. {OUTSIDE_RULE}"
)


async def _worded(toolbox: Toolbox, entry: Entry, said: list[Message]) -> tuple[list[str], str]:
    """What came in, in a model's words or in extracts; and whose words these are. What the team and what others said
    is told apart: each is shortened by a call of its own, so that neither can speak for the other."""
    came_in = [one for one in said if one.direction == "in"]
    origins = await message_origins(toolbox, entry.building_id, came_in)
    groups = {
        OF_TEAM: [one for one in came_in if origins.of(one) == TEAM],
        FROM_OUTSIDE: [one for one in came_in if origins.of(one) != TEAM],
    }
    worded: list[str] = []
    by = "template"
    for ordinal, (mark, group) in enumerate(groups.items()):
        if not group:
            continue
        lines, who = await _shortened(toolbox, entry, group, ordinal, TEAM if mark == OF_TEAM else OUTSIDE)
        worded += [mark + line for line in lines]
        by = who if who != "template" else by
    return worded, by


async def _shortened(
    toolbox: Toolbox, entry: Entry, said: list[Message], ordinal: int, origin: Origin
) -> tuple[list[str], str]:
    """Messages of one origin in a model's words, or in extracts where none answers."""
    if toolbox.models is None or not _at_its_moment(toolbox, entry):
        return _extracts(said), "template"
    layers = [Layer("Messages", None, [_as_said(one, origin) for one in said])]
    prompt = compose(without_ids(layers, entry.building_id), HOUSE, toolbox.budgets.total)
    request = ModelRequest("summariser", 0, SYSTEM, prompt, Wishes)
    answer = await ask_model(toolbox, entry, request, ordinal)
    if isinstance(answer, Abstained):
        return _extracts(said), "template"
    first, last = said[0].caused_seq, said[-1].caused_seq
    return [f"{first} to {last}: {line}" for line in answer.value.lines[:MOST_LINES]], answer.model


def _as_said(message: Message, origin: Origin) -> Part:
    return Part(message.text, f"{message.caused_seq} {message.party}", origin)


def _extracts(said: list[Message]) -> list[str]:
    """The beginnings of what came in, without what every letter begins with."""
    return [f"{one.caused_seq} {one.party}: {extract(one.text)}" for one in said]


_QUOTED = re.compile(r"^[^\S\n]*+>.*$", re.MULTILINE)
_GREETING = re.compile(
    r"^\W*(dear|hi|hello|good (morning|afternoon|day)|sehr geehrte|hallo)\b[^,\n:!.]{0,60}[,\n:!.]", re.I
)


def extract(text: str) -> str:
    """What a text begins with, without greeting and quoted lines; at most 200 characters, ended at a sentence."""
    plain = " ".join(_GREETING.sub("", _QUOTED.sub("", text).strip(), count=1).split()) or " ".join(text.split())
    if len(plain) <= MOST_EXTRACT:
        return plain
    cut = plain[:MOST_EXTRACT]
    end = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    return cut[: end + 1] if end > MOST_EXTRACT // 3 else f"{cut} ..."
