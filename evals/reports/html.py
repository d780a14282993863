"""A run as one page: self-contained, readable on a phone, with the timeline of every scenario."""

from pathlib import Path
from typing import TypedDict

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evals.problems import DANGEROUS
from evals.results import FoundProblem, Moment, Run, ScenarioResult
from runtime.channels_letter import printable


def _finished(value: Markup | str | int | None) -> str:
    """Whatever came from outside is text, without invisible characters."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else printable(str(value))


_pages = Environment(
    loader=PackageLoader("evals.reports", "."),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_finished,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_html(run: Run, changed: list[str] | None, file: Path) -> None:
    """Write the page anew. `changed` is what differs from a baseline, where there is one."""
    file.write_text(page_of(run, changed), encoding="utf-8")


def page_of(run: Run, changed: list[str] | None) -> str:
    """The page."""
    scores = run.scores()
    return _pages.get_template("report.html").render(
        run=run,
        changed=changed,
        failed=[_card(result, run) for result in run.failed],
        passed=[_card(result, run) for result in run.results if result.passed],
        dangerous=[(kind.value, scores[kind]) for kind in DANGEROUS],
        others=[(kind.value, count) for kind, count in scores.items() if kind not in DANGEROUS],
    )


class _ShownStep(TypedDict):
    moment: Moment
    problems: list[FoundProblem]


class _Card(TypedDict):
    result: ScenarioResult
    given: list[_ShownStep]
    steps: list[_ShownStep]
    rounds: int


def _card(result: ScenarioResult, run: Run) -> _Card:
    """A scenario with its problems beside the steps that have them."""
    steps: list[_ShownStep] = [
        {"moment": moment, "problems": [one for one in result.problems if one.step and one.step == moment.number]}
        for moment in result.timeline
    ]
    return {
        "result": result,
        "given": [step for step, moment in zip(steps, result.timeline, strict=True) if moment.number is None],
        "steps": [step for step, moment in zip(steps, result.timeline, strict=True) if moment.number is not None],
        "rounds": run.rounds,
    }
