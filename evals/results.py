"""What a run of scenarios found, as it goes into JSON and comes back as a baseline."""

from collections import Counter
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import LongleadError
from evals.problems import DANGEROUS, Kind


class BaselineError(LongleadError):
    """The file is not the JSON of an earlier run. Name one that `longlead evals --report` wrote."""

    title = "No baseline"


class Frozen(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class FoundProblem(Frozen):
    """One thing that was not as expected."""

    kind: Kind
    detail: str
    step: int | None = None


class Moment(Frozen):
    """A step on the timeline: what happened, what was expected of it, and what came of it."""

    number: int | None
    """None: it was given."""
    at: str
    what: str
    """The event, the answer or the passing of time, in one line."""
    happened: list[str]
    expected: list[str]
    reasons: list[str]
    """Why the agent, or whoever decided, did so."""


class ScenarioResult(Frozen):
    """One play of one scenario."""

    name: str
    title: str
    why: str
    round: int
    seconds: float
    problems: list[FoundProblem]
    timeline: list[Moment]

    @property
    def passed(self) -> bool:
        return not self.problems


class Run(Frozen):
    """A whole run."""

    longlead: str
    started: str
    seconds: float
    model: str | None = None
    rounds: int = 1
    results: list[ScenarioResult]

    @property
    def failed(self) -> list[ScenarioResult]:
        return [result for result in self.results if not result.passed]

    def scores(self) -> dict[Kind, int]:
        """How often each kind of error was found; the dangerous ones first."""
        counted = Counter(problem.kind for result in self.results for problem in result.problems)
        return {kind: counted[kind] for kind in Kind}

    @property
    def dangerous(self) -> int:
        return sum(self.scores()[kind] for kind in DANGEROUS)


def write_json(run: Run, file: Path) -> None:
    file.write_text(run.model_dump_json(indent=1), encoding="utf-8")


def read_json(file: Path) -> Run:
    """An earlier run.

    Raises:
        BaselineError: the file cannot be read, or is something else.
    """
    try:
        return Run.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise BaselineError(
            f"{file} is not the JSON of an earlier run ({reason}). Name a results.json that `longlead evals --report` "
            "wrote."
        ) from error


def changes(before: Run, now: Run) -> list[str]:
    """What differs from an earlier run, each in one line: what broke first, then what was mended."""
    old, new = _by_name(before), _by_name(now)
    both = sorted(old.keys() & new.keys())
    found = [f"broken: {name}: {line}" for name in both if not old[name] for line in sorted(new[name])]
    found += [f"also broken: {name}: {line}" for name in both if old[name] for line in sorted(new[name] - old[name])]
    found += [f"mended: {name}" for name in both if old[name] and not new[name]]
    found += [f"new: {name} ({'fails' if new[name] else 'passes'})" for name in sorted(new.keys() - old.keys())]
    return found + [f"not played: {name}" for name in sorted(old.keys() - new.keys())]


def _by_name(run: Run) -> dict[str, set[str]]:
    """The problems of each scenario, over all rounds."""
    found: dict[str, set[str]] = {result.name: set() for result in run.results}
    for result in run.results:
        for problem in result.problems:
            where = f"step {problem.step}: " if problem.step else ""
            found[result.name].add(f"{where}{problem.kind}: {problem.detail}")
    return found
