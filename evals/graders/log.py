"""Is the procurement log as it should be, after the step and in the end?"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from evals.on_file import ItemImage
from evals.playing import Ending, Played
from evals.problems import Kind, Problem
from evals.scenario import Scenario

Ended = TypeVar("Ended")


def grade(scenario: Scenario, played: Played) -> Iterator[Problem]:
    """What became of the lines, against the words expected. Days count where they are named; `required_by` always."""
    seen = played.observed
    wanted = {scenario.line(named): words for named, words in played.step.becomes.items()}
    for item_id in sorted({*wanted, *seen.words, *seen.moved}):
        words = wanted.get(item_id, [])
        expected = {word for word in words if isinstance(word, str)}
        found = set(seen.words.get(item_id, []))
        for word in sorted(expected - found):
            yield Problem(Kind.WRONG_STATE, f"{item_id} did not become {word}")
        for word in sorted(found - expected):
            yield Problem(Kind.WRONG_STATE, f"{item_id} became {word}")
        days = {name: day for word in words if isinstance(word, dict) for name, day in word.items()}
        yield from _days(item_id, days, seen.lines.get(item_id), seen.moved)


def _days(
    item_id: str, days: dict[str, str | None], line: ItemImage | None, moved: dict[str, str | None]
) -> Iterator[Problem]:
    shown = {} if line is None else _shown_days(line)
    for name, day in days.items():
        found = shown.get(name)
        if found != day:
            yield Problem(Kind.WRONG_STATE, f"{item_id}: {name} is {found}, expected {day}")
    if item_id in moved and "required_by" not in days:
        yield Problem(Kind.WRONG_STATE, f"{item_id}: required_by moved to {moved[item_id]}")


def _shown_days(line: ItemImage) -> dict[str, str | None]:
    """The days of `evals.expected.DAYS`, as a line shows them."""
    return {
        "required_by": line["required_by"],
        "eta": line["eta"],
        "promised_date": line["promised_date"],
        "held_until": line["held_until"],
    }


def grade_ending(scenario: Scenario, ending: Ending) -> Iterator[Problem]:
    """How the log ends, against the outcome."""
    outcome = scenario.outcome
    if outcome is None:
        return
    yield from _differ("line", {name: ending.lines.get(name, "missing") for name in outcome.lines}, outcome.lines)
    if outcome.orders is not None:
        ordered = {
            number: [(one["item_id"], one["quantity"]) for one in lines] for number, lines in ending.orders.items()
        }
        wanted = {number: [(order.item, order.quantity)] for number, order in outcome.orders.items()}
        yield from _differ("order", {number: _plain(lines) for number, lines in ordered.items()}, wanted)
    if outcome.flags is not None:
        yield from _differ("flag", {flag["item_id"]: flag["status"] for flag in ending.flags}, outcome.flags)


def _plain(lines: list[tuple[str, str | None]]) -> list[tuple[str, Decimal | None]]:
    return [(item, None if quantity is None else Decimal(str(quantity))) for item, quantity in lines]


def _differ(what: str, found: Mapping[str, Ended], wanted: Mapping[str, Ended]) -> Iterator[Problem]:
    for key in sorted(found.keys() | wanted.keys()):
        if found.get(key) != wanted.get(key):
            detail = f"{what} {key}: {found.get(key, 'missing')}, expected {wanted.get(key, 'none')}"
            yield Problem(Kind.WRONG_STATE, f"in the end, {detail}")
