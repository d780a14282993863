"""Were the right actions taken, once, and no others?"""

from collections.abc import Iterator

from pydantic import JsonValue

from domain.text import folded
from evals.expected import Did, decider
from evals.on_file import EffectRow
from evals.playing import Played
from evals.problems import Kind, Problem
from evals.scenario import Scenario

TEXTS = ("message", "detail", "question", "note", "reason", "method")
"""Arguments in words: what is expected must be in them."""
ORDERING = ("issue_purchase_order", "reorder_item")
"""Actions that place an order: the second one for a line is a second order, whatever it is called."""


def grade(scenario: Scenario, before: list[Played], played: Played) -> Iterator[Problem]:
    """Every action against those expected of the step, and against what was done before; and those that were only told
    against those that were to be told."""
    yield from _forbidden(scenario, played)
    yield from _compare(scenario, before, played)
    told = [(action["action"], action["item"]) for action in played.observed.would_do]
    wanted = [did for did in played.step.would_do if not _take(scenario, did, played.observed.would_do, told)]
    for did in wanted:
        yield Problem(Kind.MISSED_ACTION, f"{_wanted(did)} was not told")
    for name, item in told:
        yield Problem(_wrong(played), f"{name} of {item} was told as what would be done, which was not expected")


def _take(scenario: Scenario, did: Did, actions: list[EffectRow], told: list[tuple[str, str]]) -> bool:
    """Take the first of the told actions that is the one expected; False where there is none."""
    match = next((a for a in actions if _matches(scenario, did, a) and (a["action"], a["item"]) in told), None)
    if match is not None:
        told.remove((match["action"], match["item"]))
    return match is not None


def _compare(scenario: Scenario, before: list[Played], played: Played) -> Iterator[Problem]:
    made, wanted = list(played.observed.actions), list(played.step.does)
    for action in played.observed.actions:
        match = next((did for did in wanted if _matches(scenario, did, action)), None)
        if match is not None:
            wanted.remove(match)
            made.remove(action)
    done = [_effect(action) for one in before for action in one.observed.actions]
    done += [_effect(action) for action in played.observed.actions if action not in made]
    for action in made:
        near = next((did for did in wanted if _same(scenario, did, action)), None)
        if near is not None:
            wanted.remove(near)
            yield Problem(_wrong(played), f"{said(action)}, expected {_wanted(near)}")
        elif _effect(action) in done:
            yield Problem(Kind.DUPLICATE_EFFECT, f"{said(action)}: it was done before")
        else:
            yield Problem(_wrong(played), f"{said(action)} was not expected")
    for did in wanted:
        yield Problem(Kind.MISSED_ACTION, f"{_wanted(did)} was not done")
    if not made and not wanted and _order(played) != [did.name for did in played.step.does]:
        yield Problem(Kind.WRONG_ACTION, f"the order is {', '.join(_order(played))}")


def duplicates(played: Played) -> Iterator[Problem]:
    """Orders and planned inspections that no action of the step accounts for."""
    results = [action for action in played.observed.actions if action["action"] in ORDERING]
    accounted = [action["result"].get("purchase_order") for action in results]
    for number in played.observed.orders:
        if number not in accounted:
            yield Problem(Kind.DUPLICATE_EFFECT, f"order {number} was placed, and no action says so")
    scheduled = [
        action["result"].get("inspections")
        for action in played.observed.actions
        if action["action"] == "schedule_inspection" and not action["result"].get("already_scheduled")
    ]
    planned = sum(len(inspections) for inspections in scheduled if isinstance(inspections, list))
    if played.observed.planned != planned:
        yield Problem(
            Kind.DUPLICATE_EFFECT, f"{played.observed.planned} inspections were planned, the actions say {planned}"
        )


def _forbidden(scenario: Scenario, played: Played) -> Iterator[Problem]:
    for action in played.observed.actions:
        if any(_matches(scenario, did, action) for did in scenario.never):
            yield Problem(_wrong(played), f"{said(action)}, which must never happen here")


def _wrong(played: Played) -> Kind:
    """A wrong action after a text was read means that it was read wrongly."""
    return Kind.WRONG_READING if played.step.is_text else Kind.WRONG_ACTION


def _order(played: Played) -> list[str]:
    return [action["action"] for action in played.observed.actions]


def _effect(action: EffectRow) -> tuple[str, str]:
    name = "order" if action["action"] in ORDERING else str(action["action"])
    return name, str(action["item"])


def _same(scenario: Scenario, did: Did, action: EffectRow) -> bool:
    """The same action on the same line by the same one, whatever else it says."""
    item = did.arguments.get("item")
    by = did.by is None or did.by == decider(action["responder"])
    return by and did.name == action["action"] and (item is None or scenario.line(str(item)) == action["item"])


def _matches(scenario: Scenario, did: Did, action: EffectRow) -> bool:
    if not _same(scenario, did, action):
        return False
    arguments = {name: value for name, value in did.arguments.items() if name != "item"}
    return all(same(name, value, action["arguments"].get(name)) for name, value in arguments.items())


def same(name: str, wanted: JsonValue, found: JsonValue) -> bool:
    """Whether a value is as expected: words within words, everything else equal as text."""
    if found is None or wanted is None:
        return found is wanted
    if name in TEXTS:
        return folded(str(wanted)) in folded(str(found))
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(same(key, value, found.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(same(name, *pair) for pair in zip(wanted, found, strict=True))
    return str(wanted) == str(found)


def said(action: EffectRow) -> str:
    """An action in one line."""
    return f"{action['action']}({', '.join(f'{name}={value}' for name, value in action['arguments'].items())})"


def _wanted(did: Did) -> str:
    return f"{did.name}({', '.join(f'{name}={value}' for name, value in did.arguments.items())})"
