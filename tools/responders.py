"""Whoever may answer a question before a person is asked: learned rules, then models from cheap to strong.

One interface: a responder looks at a question and returns a decision, or abstains. The person is the last of the
chain, asked where all abstain or none has the authority.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.advice import can_be_done
from domain.approvals import Approval, Decision, Question, Responder
from domain.buildings import Building
from domain.counts import write_times
from domain.events import Entry
from domain.plain_json import JsonObject
from domain.procurement import LineFile
from domain.questions import matter_on_file
from domain.questions.registry import ASKED_ONCE, PUT_TO_MODELS
from domain.rules import Case, Rule, case_of, full_id, matching
from domain.templates import fitting
from storage import rules
from tools.adviser import Adviser
from tools.asking import answered_before, built_on
from tools.context import Toolbox
from tools.recording import standing


@dataclass(frozen=True)
class Known:
    """A rule that holds for the case, and whether it is the building's own."""

    rule: Rule
    id: str
    own: bool


@dataclass(frozen=True)
class Asked:
    """A question that is about to be put, with all that a responder may look at."""

    question: Question
    building: Building
    file: LineFile | None
    case: Case
    known: Sequence[Known]
    """The rules that hold, the most specific first, the building's own before others'."""
    ordinal: int
    """Its place among the questions of the run."""
    held: bool = False
    """Whether the line waits for a person in another matter: then nothing is done to it meanwhile."""


class Answering(Protocol):
    """One link of the chain."""

    async def answer(self, asked: Asked) -> Decision | None:
        """A decision, with who takes it and why; None: it abstains."""
        ...


class LearnedRules:
    """The most specific rule that says something in this situation."""

    async def answer(self, asked: Asked) -> Decision | None:
        for known in asked.known:
            decision = _said_by(known, asked)
            if decision is not None:
                return decision
        return None


def _said_by(known: Known, asked: Asked) -> Decision | None:
    rule, question = known.rule, asked.question
    option = fitting(rule.actions, question.options, question.item_id, rule.title)
    if option is None or not can_be_done(option.actions, question):
        return None
    record = f"confirmed {write_times(rule.confirmed)}, overruled {write_times(rule.overruled)}"
    return Decision(
        type="edit",
        responder=rule_responder(rule, known),
        actions=option.actions,
        why=f"{rule.text} (rule {known.id}, {record})",
        title=option.title,
        rule_id=rule.rule_id if known.own else known.id,
        template=rule.actions,
    )


async def _shared(toolbox: Toolbox, building: Building, kind: str) -> list[tuple[str, Rule]]:
    """What other buildings let this one use. A past that is run again is told what it was told then: not what others
    learned since, nor what people changed of it since."""
    conn, building_id, now = toolbox.conn, building.building_id, toolbox.clock.now()
    if building.mode == "replay":
        return await rules.shared_rules_at(conn, building_id, kind, now)
    return [one for one in await rules.shared_rules(conn, building_id, kind) if one[1].learned_at <= now]


def rule_responder(rule: Rule, known: Known) -> Responder:
    name = rule.rule_id if known.own else known.id
    return Responder(type="automated_rule", id=f"rule:{name}", name=f"Learned rule {name}")


def chain_of(toolbox: Toolbox, entry: Entry) -> list[Answering]:
    """The responders of a building, in the order in which they are asked; a person comes after them."""
    return [LearnedRules(), *([Adviser(toolbox, entry)] if toolbox.models is not None else [])]


def _is_before_a_person(question: Question, open_: Sequence[Approval], file: LineFile | None) -> bool:
    return any(
        (one.kind, matter_on_file(one, file), one.status) == (question.kind, question.matter, "pending")
        for one in open_
    )


async def anybody(toolbox: Toolbox, building_id: str, kinds: Sequence[str]) -> bool:
    """Whether there is anybody but a person who may answer: so that nothing is looked up for nothing."""
    if toolbox.models is not None and any(kind in PUT_TO_MODELS for kind in kinds):
        return True
    async with toolbox.lock:
        return await rules.may_answer(toolbox.conn, building_id, kinds)


async def pose(
    toolbox: Toolbox, entry: Entry, kind: str, item_id: str | None, subject: JsonObject, ordinal: int
) -> Asked | None:
    """The question as it would be put; None where it would not: the facts do not ask it, a person has it before them,
    or it was answered on the same facts."""
    building, open_, files = await standing(toolbox, entry.building_id, [] if item_id is None else [item_id])
    file = files[0] if files else None
    async with toolbox.lock:
        conn = toolbox.conn
        question = await built_on(conn, building, entry, kind, file, subject)
        if question is None or _is_before_a_person(question, open_, file):
            return None
        if kind in ASKED_ONCE and await answered_before(conn, building, question, entry):
            return None
        case = case_of(kind, file, subject)
        own = matching(await rules.own_rules(conn, entry.building_id, kind), case)
        shared = await _shared(toolbox, building, kind)
    known = [Known(rule, full_id(entry.building_id, rule.rule_id), own=True) for rule in own]
    others = {id(rule): building_id for building_id, rule in shared}
    known += [
        Known(rule, full_id(others[id(rule)], rule.rule_id), own=False)
        for rule in matching([rule for _, rule in shared], case)
    ]
    held = any(one.holds_item for one in open_) or (file is not None and file.item.is_held)
    return Asked(question, building, file, case, known, ordinal, held)
