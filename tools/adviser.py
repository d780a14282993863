"""A model's advice on a question, before a person is asked: one of the ways out, or actions of the union. It may only
propose: what it may decide alone is said elsewhere (domain/authority.py), and is next to nothing."""

import json
from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, JsonValue

from domain.approvals import Decision, Option, Question
from domain.events import Entry
from domain.plain_json import JsonObject, object_in, objects_in
from domain.questions.registry import PUT_TO_MODELS, TOLD_FROM_OUTSIDE
from domain.replies import WishName, typed
from tools.context import Toolbox
from tools.instructions import ADVISE
from tools.memory import memory_layers, of_case
from tools.message_origins import of_note
from tools.models import Answered
from tools.prompts import Budgets, Layer, Part
from tools.provenance import OURS, OUTSIDE, to_vendor
from tools.tiers import answers, responder_of

if TYPE_CHECKING:
    from tools.responders import Asked


class ProposedAction(BaseModel):
    """Something to be done about the line."""

    name: WishName
    day: str | None = Field(description="YYYY-MM-DD, where the action needs a day.")
    detail: str | None = Field(description="What to tell or ask; the method; the reason.")


class Choice(BaseModel):
    """Which way out is chosen."""

    option: int = Field(description="Number of the way out, from 1; 0: none of them.")
    actions: list[ProposedAction]
    why: str
    confidence: float = Field(description="0 to 1.")


class Adviser:
    """The model tiers as one link of the chain of responders, cheap to strong; each may abstain."""

    def __init__(self, toolbox: Toolbox, entry: Entry) -> None:
        self._toolbox, self._entry = toolbox, entry

    async def answer(self, asked: "Asked") -> Decision | None:
        """The proposal of the first tier that has one; None: all abstain."""
        if asked.question.kind not in PUT_TO_MODELS:
            return None
        vendor_id = None if asked.file is None else asked.file.item.vendor_id
        return await advise(self._toolbox, self._entry, asked.question, asked.ordinal, vendor_id)


async def advise(
    toolbox: Toolbox, entry: Entry, question: Question, ordinal: int, vendor_id: str | None
) -> Decision | None:
    """Ask the advisers about a question. The first who is sure enough is taken, else the surest. What is chosen may
    end as a letter to the line's vendor."""
    best: Decision | None = None
    known = await memory_layers(toolbox, entry, question.item_id, sought=question.summary, but=question.kind)
    layers = [*known, *_layers(question, toolbox.budgets)]
    audience = to_vendor(vendor_id)
    async for answer in answers(toolbox, entry, "adviser", ADVISE, layers, Choice, audience=audience, ordinal=ordinal):
        proposal = _proposal(answer, question) if isinstance(answer, Answered) else None
        if proposal is None:
            continue
        if best is None or (proposal.confidence or 0) > (best.confidence or 0):
            best = proposal
        if (proposal.confidence or 0) >= SURE:
            break
    return best


SURE = 0.8
"""A tier that is this sure is not doubted: no stronger one is asked."""


def _proposal(answer: Answered[Choice], question: Question) -> Decision | None:
    """What the answer proposes, where it can be done at all."""
    choice = answer.value
    if 1 <= choice.option <= len(question.options):
        option = question.options[choice.option - 1]
        title, actions = option.title, option.actions
    else:
        made = [typed(one.name, question.item_id, _day(one.day), (one.detail or "")[:1000]) for one in choice.actions]
        actions = [action for action in made if action is not None]
        title = ", ".join(action["name"].replace("_", " ") for action in actions)[:200]
        if not actions or len(actions) < len(made) or choice.option != 0:
            return None
    return Decision(
        type="edit",
        responder=responder_of(answer),
        actions=actions,
        why=" ".join(choice.why.split())[:500],
        confidence=max(0.0, min(1.0, choice.confidence)),
        tokens=answer.tokens,
        title=title,
    )


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None


MOST_TOLD = 300
"""Characters of each fact, note or case that are told."""


def _layers(question: Question, budgets: Budgets) -> list[Layer]:
    """Situation, item, dates and order; rules and similar cases; the ways out with their days late."""
    evidence = question.evidence
    facts = [f"{question.kind}: {question.summary}"]
    known = {**evidence, "order": _without(object_in(evidence, "order"), "number")}
    known["inspection"] = _without(object_in(evidence, "inspection"), "document_name", "document_url", "ncr_number")
    facts += [f"{name}: {_short(known[name])}" for name in _FACTS if known.get(name)]
    origin = OUTSIDE if _is_told_from_outside(question) else OURS
    recalled: list[Part | str] = [
        Part(str(rule["text"])[:MOST_TOLD], "a rule learned here", of_case(question.kind))
        for rule in objects_in(evidence, "rules")
    ]
    recalled += [
        Part(_case(case), "a past decision", of_case(question.kind)) for case in objects_in(evidence, "past_cases")
    ]
    for note in objects_in(evidence, "notes"):
        party = str(note.get("from"))
        recalled.append(Part(str(note.get("text"))[:MOST_TOLD], party, of_note(party)))
    situation = Part("\n".join(facts), "the procurement log", origin)
    return [
        Layer("Situation", budgets.facts * 3 // 4, [situation], is_needed=True),
        Layer("Rules, similar cases and notes", budgets.recalled // 2, recalled),
        Layer("Ways out", budgets.identity, [_way(n, option) for n, option in enumerate(question.options, 1)]),
    ]


def _is_told_from_outside(question: Question) -> bool:
    """Whether the question's own facts hold words that somebody outside chose."""
    defects = object_in(question.evidence, "inspection").get("defects")
    told = question.evidence.get("exceptions") or question.evidence.get("known") or defects
    return question.kind in TOLD_FROM_OUTSIDE or bool(told)


def _without(facts: JsonObject, *names: str) -> JsonObject:
    return {name: value for name, value in facts.items() if name not in names}


_FACTS = ("policy", "item", "dates", "order", "inspection", "replacement", "exceptions", "known")


def _short(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[: MOST_TOLD * 2]


def _case(case: JsonObject) -> str:
    names = ", ".join(str(action["name"]) for action in objects_in(case, "actions"))
    return f"{case.get('summary', '')}: {case.get('decision', '')} {names}. {case.get('why', '')}"[:MOST_TOLD]


def _way(number: int, option: Option) -> str:
    late = "lateness unknown" if option.days_late is None else f"{option.days_late} days late"
    there = f"there on {option.arrival}, {late}" if option.arrival else "arrival unknown"
    return f"{number} {option.title} ({there}, cost {option.cost})"
