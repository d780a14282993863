"""Were people asked what they must be asked, and nothing else? Reminded and asked higher up when due?"""

from collections.abc import Iterator, Sequence

from domain.text import folded
from evals.expected import Asked, Standing
from evals.observed import Question
from evals.playing import Played
from evals.problems import Kind, Problem
from evals.scenario import Scenario


def grade(scenario: Scenario, played: Played) -> Iterator[Problem]:
    """Every question against those expected of the step."""
    step, seen = played.step, played.observed
    pairs, missing, extra = _paired(scenario, step.asks, seen.raised)
    for asked in missing:
        yield Problem(Kind.MISSED_ESCALATION, f"{_named(scenario, asked)} was not asked")
    for question in extra:
        yield Problem(Kind.NEEDLESS_ESCALATION, f"{_of(question)} was asked: {question.summary}")
    for asked, question in pairs:
        yield from _put(asked, question)
    yield from _compared(scenario, step.renews, seen.renewed, "put anew")
    yield from _compared(scenario, step.reminds, seen.reminded, "brought to mind")
    yield from _compared(scenario, step.escalates, seen.escalated, "moved up")
    yield from _settled(scenario, played)


def _put(asked: Asked, question: Question) -> Iterator[Problem]:
    """The same question in all that is expected of it."""
    for what, wanted, found in (
        ("recommends", asked.recommends, question.recommends),
        ("options", asked.options, question.options),
        ("is put to", asked.to, question.to),
        ("is recommended by", asked.by, question.by),
    ):
        if wanted is not None and wanted != found:
            yield Problem(Kind.WRONG_QUESTION, f"{_of(question)} {what} {found!r}, expected {wanted!r}")
    if asked.says is not None and folded(asked.says) not in folded(question.summary):
        yield Problem(Kind.WRONG_QUESTION, f"{_of(question)} says {question.summary!r}, expected {asked.says!r}")


def _compared(scenario: Scenario, wanted: Sequence[Standing], found: list[Question], what: str) -> Iterator[Problem]:
    pairs, missing, extra = _paired(scenario, wanted, found)
    for standing in missing:
        yield Problem(Kind.MISSED_ESCALATION, f"{_named(scenario, standing)} was not {what}")
    for question in extra:
        yield Problem(Kind.NEEDLESS_ESCALATION, f"{_of(question)} was {what}")
    for standing, question in pairs:
        if standing.to is not None and standing.to != question.to:
            yield Problem(Kind.WRONG_QUESTION, f"{_of(question)} was {what} to {question.to}, expected {standing.to}")


def _settled(scenario: Scenario, played: Played) -> Iterator[Problem]:
    """Questions that closed by themselves: one that should not have is a person who was not asked."""
    _, missing, extra = _paired(scenario, played.step.closes, played.observed.closed)
    for standing in missing:
        yield Problem(Kind.NEEDLESS_ESCALATION, f"{_named(scenario, standing)} is still asked")
    for question in extra:
        yield Problem(Kind.MISSED_ESCALATION, f"{_of(question)} was closed without an answer")


def _paired(
    scenario: Scenario, wanted: Sequence[Standing], found: list[Question]
) -> tuple[list[tuple[Asked, Question]], list[Standing], list[Question]]:
    """Those that are the same by kind and line, those that are missing, and those too many."""
    pairs, missing, left = [], [], list(found)
    for standing in wanted:
        item = None if standing.item is None else scenario.line(standing.item)
        match = next((q for q in left if q.kind == standing.kind and (item is None or q.item == item)), None)
        if match is None:
            missing.append(standing)
            continue
        left.remove(match)
        pairs.append((standing, match))
    return pairs, missing, left  # type: ignore[return-value]


def _named(scenario: Scenario, standing: Standing) -> str:
    return standing.kind if standing.item is None else f"{standing.kind} on {scenario.line(standing.item)}"


def _of(question: Question) -> str:
    return question.kind if question.item is None else f"{question.kind} on {question.item}"
