"""Carry out what was decided, step by step: each step is one transaction under one key, so a repeat does nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from domain.events import Entry
from domain.plain_json import JsonObject
from domain.plan import Act, Ask, Done, Review, Step, Tell
from domain.settlement import KeptOpen
from nodes.entry import done_in, entry_in, finding_in, found, plan_in, settlement_in
from nodes.state import BuildingState
from tools.approvals import ask, review
from tools.context import Toolbox
from tools.effects import carry_out_together
from tools.recording import Finding
from tools.rules import tell_decided

MOST_PASSES = 3
"""A run looks at its lines at most so often; each further look needs a hold that ended in this very run."""


async def carry_out(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, plan, done = entry_in(state), plan_in(state), done_in(state)
    freed: list[str] = []
    places = _Places.after(done)
    for steps in _by_decision(plan):
        for step, one in zip(steps, await _carry_out_together(toolbox, entry, steps, places), strict=True):
            done.append(one)
            freed += _freed_by(step, one)
    freed += _answered(state, plan)
    passes = state.get("passes", 0) + 1
    again = list(dict.fromkeys(freed)) if passes < MOST_PASSES else []
    update: BuildingState = {"plan": [], "done": [one.model_dump(mode="json") for one in done], "passes": passes}
    if again:
        update |= found(Finding(note=finding_in(state).note, items=again))
    return {**update, "again": again}


@dataclass
class _Places:
    """How many steps of each name and line, and how many questions, this run has come to."""

    named: Counter[tuple[str, str | None]]
    asked: int

    @classmethod
    def after(cls, done: Sequence[Done]) -> Self:
        return cls(Counter((one.name, one.item) for one in done), sum(one.do == "ask" for one in done))

    def next_ordinal(self, step: Step) -> int:
        """The place of a step among those of this run with the same name and line."""
        self.named[step.name, step.item_id] += 1
        return self.named[step.name, step.item_id] - 1

    def next_question(self) -> int:
        self.asked += 1
        return self.asked - 1


def _by_decision(plan: Sequence[Step]) -> list[list[Step]]:
    """The steps in order; the actions of one decision together."""
    groups: list[list[Step]] = []
    for step in plan:
        before = groups[-1][0] if groups else None
        if isinstance(step, Act) and isinstance(before, Act) and step.decision and before.decision == step.decision:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


async def _carry_out_together(toolbox: Toolbox, entry: Entry, steps: Sequence[Step], places: _Places) -> list[Done]:
    """Carry out the steps of one decision in one transaction; what came of each."""
    ordinals = [places.next_ordinal(step) for step in steps]
    acts = [step for step in steps if isinstance(step, Act)]
    if acts:
        results = await carry_out_together(toolbox, entry, [act.action for act in acts], ordinals, acts[0].responder)
    else:
        results = [
            await _carry_out(toolbox, entry, step, ordinal, places)
            for step, ordinal in zip(steps, ordinals, strict=True)
        ]
    return [
        Done(name=step.name, item=step.item_id, do=step.do, ordinal=ordinal, result=result)
        for step, ordinal, result in zip(steps, ordinals, results, strict=True)
    ]


async def _carry_out(toolbox: Toolbox, entry: Entry, step: Step, ordinal: int, places: _Places) -> JsonObject:
    match step:
        case Act():
            (result,) = await carry_out_together(toolbox, entry, [step.action], [ordinal], step.responder)
            return result
        case Review():
            return await review(toolbox, entry, step.item_id, ordinal)
        case Tell():
            return await tell_decided(toolbox, entry, step, ordinal)
        case Ask():
            return await ask(toolbox, entry, step, ordinal=ordinal, number=places.next_question())


def _freed_by(step: Step, done: Done) -> list[str]:
    """The line whose question was closed by this step, or answered without a person."""
    is_answered = isinstance(step, Tell) or (isinstance(step, Review) and bool(done.result.get("superseded")))
    return [step.item_id] if is_answered and step.item_id else []


def _answered(state: BuildingState, plan: Sequence[Step]) -> list[str]:
    """The line whose question was answered: its hold has ended, so it is looked at again, once."""
    settled = settlement_in(state)
    if settled is None or settled.item_id is None or state.get("passes", 0) > 0 or isinstance(settled, KeptOpen):
        return []
    return [] if any(isinstance(step, Ask) for step in plan) else [settled.item_id]
