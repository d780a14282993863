"""What the play of a story found, as it goes into JSON and comes back as a baseline."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from evals.results import BaselineError
from evals.stories.errors import DANGEROUS, ErrorClass, JudgementError
from evals.stories.playing import Record
from evals.stories.sightings import AskedQuestion, Cause, Verdict


class FrozenByName(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Failure(FrozenByName):
    """One error of judgement, with its step."""

    error_class: ErrorClass = Field(alias="class")
    step: int
    """From 1; one more than there are steps: in the end."""
    day: str = ""
    what: str = ""
    want: str = ""
    seen: str = ""
    why: str = ""
    count: int = 1
    is_known: bool = False
    """It stands in the baseline."""


class JudgedQuestion(FrozenByName):
    """A question that the agent put, and whether somebody wanted it."""

    kind: str
    item: str | None
    at: str
    step: int
    """The step in which it was raised, from 1."""
    cause: Cause
    summary: str
    recommends: str | None
    to: str | None
    verdict: Verdict
    wanted_by: list[int]
    """The steps that want it, from 1."""


class KnownStory(FrozenByName):
    """What of a story a baseline needs."""

    name: str
    failures: list[Failure] = []


class StoryResult(FrozenByName):
    """One play of one story: how many errors of each class, and every one of them."""

    name: str
    steps: int
    events: int
    questions: int
    needless: int
    missed_questions: int
    missed_notices: int
    false_all_clears: int
    wrong_states: int
    over_telling: int
    wrong_alone: int
    tolerated: int
    messages_to_people: int
    messages_to_vendors: int
    seconds: float
    failures: list[Failure]
    asked: list[JudgedQuestion]
    notes: list[str]
    """Answers of the story that the service refused."""

    def count(self, error_class: ErrorClass) -> int:
        """How many errors of this class there are."""
        return sum(failure.count for failure in self.failures if failure.error_class == error_class)

    @property
    def dangerous(self) -> int:
        """How many errors a building would suffer from."""
        return sum(self.count(error_class) for error_class in DANGEROUS)


def summarise(record: Record, errors: list[JudgementError], seconds: float) -> StoryResult:
    """The result of a story that was played and judged."""
    totals = {error_class: 0 for error_class in ErrorClass}
    for error in errors:
        totals[error.error_class] += error.count
    seen, asked = record.sightings, sorted(record.sightings.questions.values(), key=lambda q: (q.at, q.id))
    return StoryResult(
        name=record.story.name,
        steps=len(record.story.steps),
        events=record.events,
        questions=len(asked),
        needless=totals[ErrorClass.NEEDLESS],
        missed_questions=totals[ErrorClass.MISSED_QUESTION],
        missed_notices=totals[ErrorClass.MISSED_NOTICE],
        false_all_clears=totals[ErrorClass.FALSE_ALL_CLEAR],
        wrong_states=totals[ErrorClass.WRONG_STATE],
        over_telling=totals[ErrorClass.OVER_TELLING],
        wrong_alone=totals[ErrorClass.WRONG_ALONE],
        tolerated=sum(question.verdict == "tolerated" for question in asked),
        messages_to_people=sum(heard.form != "flag" for heard in seen.told),
        messages_to_vendors=len(seen.told_vendors),
        seconds=round(seconds, 1),
        failures=[_make_failure(error) for error in errors],
        asked=[_describe_question(question) for question in asked],
        notes=record.notes,
    )


def _make_failure(error: JudgementError) -> Failure:
    return Failure(
        error_class=error.error_class,
        step=error.step,
        day=error.day,
        what=error.what,
        want=error.want,
        seen=error.seen,
        why=error.why,
        count=error.count,
    )


def _describe_question(question: AskedQuestion) -> JudgedQuestion:
    return JudgedQuestion(
        kind=question.kind,
        item=question.item,
        at=question.at.isoformat(timespec="minutes"),
        step=question.step + 1,
        cause=question.cause,
        summary=question.summary,
        recommends=question.recommends,
        to=question.asked_of,
        verdict=question.verdict,
        wanted_by=question.steps_that_want_it,
    )


_RESULTS = TypeAdapter(list[StoryResult])
_BASELINE = TypeAdapter(list[KnownStory])


def write_results(results: list[StoryResult], path: Path) -> None:
    """Write the JSON of a run: a list with one object for each story."""
    path.write_bytes(_RESULTS.dump_json(results, by_alias=True, indent=1) + b"\n")


def read_baseline(path: Path) -> list[KnownStory]:
    """The known errors of an earlier run.

    Raises:
        BaselineError: the file is none that was written here.
    """
    try:
        return _BASELINE.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BaselineError(
            f"{path} holds no results of stories. Name a file that `longlead evals --stories --json` wrote."
        ) from error


Place = tuple[ErrorClass, int]
"""An error is the same as before where its class and step are."""


def mark_known(result: StoryResult, baseline: list[KnownStory]) -> StoryResult:
    """The result in which each failure says whether the baseline has it; of several in one place, as many as there."""
    left = _count_places(failure for story in baseline if story.name == result.name for failure in story.failures)
    marked = []
    for failure in result.failures:
        place = (failure.error_class, failure.step)
        is_known = left[place] >= failure.count
        left[place] -= failure.count if is_known else 0
        marked.append(failure.model_copy(update={"is_known": is_known}))
    return result.model_copy(update={"failures": marked})


def list_overcome(result: StoryResult, baseline: list[KnownStory]) -> list[Failure]:
    """The failures of the baseline that are no more."""
    now = _count_places(result.failures)
    overcome = []
    for story in baseline:
        for failure in story.failures if story.name == result.name else []:
            place = (failure.error_class, failure.step)
            now[place] -= failure.count
            if now[place] < 0:
                overcome.append(failure)
    return overcome


def _count_places(failures: Iterable[Failure]) -> Counter[Place]:
    counts: Counter[Place] = Counter()
    for failure in failures:
        counts[failure.error_class, failure.step] += failure.count
    return counts


def has_new_errors(results: list[StoryResult]) -> bool:
    """Whether there is an error, of any class, that the baseline does not have."""
    return any(not failure.is_known for result in results for failure in result.failures)
