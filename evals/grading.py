"""Judging a played scenario: every grader over every step, and the end."""

from collections.abc import Iterator
from dataclasses import replace

from evals.graders import actions, course, log, messages, questions
from evals.playing import Ending, Played
from evals.problems import Problem
from evals.scenario import Scenario


def judge(scenario: Scenario, played: list[Played], ending: Ending | None) -> list[Problem]:
    """Everything that is not as expected, in order. `ending` is None where the scenario stopped before."""
    found: list[Problem] = []
    for place, one in enumerate(played):
        if one.step.queued:
            continue
        problems = _of_given(one) if one.number is None else _of_step(scenario, played[:place], one)
        found += [replace(problem, step=one.number) for problem in problems]
    if ending is not None:
        found += log.grade_ending(scenario, ending)
    return found


def _of_step(scenario: Scenario, before: list[Played], played: Played) -> Iterator[Problem]:
    yield from course.grade(played)
    yield from actions.grade(scenario, before, played)
    yield from actions.duplicates(played)
    yield from questions.grade(scenario, played)
    yield from log.grade(scenario, played)
    yield from messages.grade(played)


def _of_given(played: Played) -> Iterator[Problem]:
    """What came before must have come about; more is not asked of it."""
    yield from course.grade(played)
    yield from actions.duplicates(played)
