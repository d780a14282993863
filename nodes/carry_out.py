"""Carry out what was decided, step by step: each step is one transaction under one key, so a repeat does nothing."""

from typing import Any

from domain.actions import item_of
from domain.approvals import Advice, Responder
from domain.events import Entry
from nodes.entry import entry_in, finding_in
from nodes.state import BuildingState
from tools import approvals
from tools.context import Toolbox
from tools.effects import carry_out_together
from tools.recording import Finding
from tools.rules import tell_decided

MOST_PASSES = 3
"""A run looks at its lines at most so often; each further look needs a hold that ended in this very run."""


async def carry_out(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, done = entry_in(state), list(state.get("done", []))
    freed: list[str] = []
    for steps in _decisions(state["plan"]):
        for step, one in zip(steps, await _carry_out_together(toolbox, entry, steps, done), strict=True):
            done.append(one)
            if (step["do"] == "review" and one["result"].get("superseded")) or (
                step["do"] == "tell" and step["item_id"]
            ):
                freed.append(step["item_id"])
    freed += _answered(state)
    passes = state.get("passes", 0) + 1
    again = list(dict.fromkeys(freed)) if passes < MOST_PASSES else []
    update: BuildingState = {"plan": [], "done": done, "passes": passes, "again": again}
    if again:
        note = finding_in(state).note
        update |= {"finding": vars(Finding(note=note, items=again))}
    return update


def _decisions(plan: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The steps in order; the actions of one decision together. A plan of an earlier version has them one by one."""
    found: list[list[dict[str, Any]]] = []
    for step in plan:
        decision = step.get("decision")
        if found and decision is not None and found[-1][0].get("decision") == decision:
            found[-1].append(step)
        else:
            found.append([step])
    return found


async def _carry_out_together(
    toolbox: Toolbox, entry: Entry, steps: list[dict[str, Any]], done: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Carry out the steps of one decision in one transaction; what came of each."""
    made: list[dict[str, Any]] = []
    for step in steps:
        name, item = _named(step)
        ordinal = sum((one["name"], one["item"]) == (name, item) for one in [*done, *made])
        made.append({"name": name, "item": item, "do": step["do"], "ordinal": ordinal})
    if steps[0]["do"] == "action":
        responder = Responder.model_validate(steps[0]["responder"])
        actions, ordinals = [step["action"] for step in steps], [one["ordinal"] for one in made]
        results = await carry_out_together(toolbox, entry, actions, ordinals, responder)
    else:
        results = [await _carry_out(toolbox, entry, steps[0], made[0]["ordinal"], done)]
    return [{**one, "result": result} for one, result in zip(made, results, strict=True)]


def _answered(state: BuildingState) -> list[str]:
    """The line whose question was answered: its hold has ended, so it is looked at afresh, once."""
    settled = state.get("settled")
    if settled is None or settled.get("item_id") is None or state.get("passes", 0) > 0 or settled.get("kept_open"):
        return []
    asked_again = any(step["do"] == "ask" for step in state["plan"])
    return [] if asked_again else [settled["item_id"]]


def _named(step: dict[str, Any]) -> tuple[str, str | None]:
    if step["do"] == "action":
        return step["action"]["name"], item_of(step["action"])
    return {"ask": f"ask:{step.get('kind')}", "tell": "decided"}.get(step["do"], "review"), step["item_id"]


async def _carry_out(
    toolbox: Toolbox, entry: Entry, step: dict[str, Any], ordinal: int, done: list[dict[str, Any]]
) -> dict[str, Any]:
    if step["do"] == "review":
        return await approvals.review(toolbox, entry, step["item_id"], ordinal)
    if step["do"] == "tell":
        return await tell_decided(toolbox, entry, step, ordinal)
    advice = step.get("advice")
    return await approvals.ask(
        toolbox,
        entry,
        kind=step["kind"],
        item_id=step["item_id"],
        subject=step["subject"],
        refused=step["refused"],
        ordinal=ordinal,
        number=sum(one["do"] == "ask" for one in done),
        advice=None if advice is None else Advice.model_validate(advice),
    )
