"""Judging a story: what was asked and told is held against what its steps want."""

from collections import Counter
from dataclasses import dataclass, field

from evals.stories.errors import ErrorClass, JudgementError
from evals.stories.playing import Record
from evals.stories.sightings import AskedQuestion, Heard
from evals.stories.wants import Want, list_wants, matches

MONTH = "%Y-%m"
ABOUT_A_LINE = 110
"""Characters of a text that are shown."""


@dataclass
class _Judged:
    """A want, and the questions that satisfy it."""

    want: Want
    questions: list[AskedQuestion] = field(default_factory=list)


def judge(record: Record) -> list[JudgementError]:
    """All errors of the story, in the order of its steps. Gives each question its verdict."""
    judged = [_Judged(want) for want in list_wants(record.story, record.calendar, record.sightings.book)]
    errors = [
        *record.errors,
        *_judge_questions(record, judged),
        *(error for one in judged for error in _judge_want(record, one)),
        *_judge_message_counts(record, [one.want for one in judged]),
    ]
    return sorted(errors, key=lambda error: error.step)


def _judge_questions(record: Record, judged: list[_Judged]) -> list[JudgementError]:
    """Who wants each question; those that nobody wants are needless."""
    tolerated = Counter(record.story.tolerated)
    questions = sorted(record.sightings.questions.values(), key=lambda question: (question.at, question.id))
    errors = []
    for question in questions:
        wanting = [one for one in judged if _wants_question(one.want, question)]
        for one in wanting:
            one.questions.append(question)
        question.steps_that_want_it = [one.want.step + 1 for one in wanting]
        if any(len(one.questions) <= one.want.max_questions for one in wanting) or _is_second_round(
            question, questions
        ):
            question.verdict = "wanted"
        elif tolerated[question.kind] > 0:
            tolerated[question.kind] -= 1
            question.verdict = "tolerated"
        else:
            question.verdict = "needless"
            errors.append(_describe_needless(record, question, judged, is_one_too_many=bool(wanting)))
    return errors


def _wants_question(want: Want, question: AskedQuestion) -> bool:
    return (
        want.to == "people"
        and "ask" in want.accepted
        and want.covers(question.lines, question.step, question.at, question.kind)
    )


def _is_second_round(question: AskedQuestion, questions: list[AskedQuestion]) -> bool:
    """Whether it is put because the manager said no to the same, or wrote back."""
    return question.cause == "answer" and any(
        other is not question
        and (other.lines, other.kind, other.step) == (question.lines, question.kind, question.step)
        and other.reply is not None
        and other.reply.type in ("reject", "respond")
        for other in questions
    )


def _describe_needless(
    record: Record, question: AskedQuestion, judged: list[_Judged], *, is_one_too_many: bool
) -> JudgementError:
    steps = record.story.steps
    number = min(question.step, len(steps) - 1)
    shown = f"[{question.kind}] {question.summary[:120]} => {question.recommends}"
    seen = f"one question too many {shown}" if is_one_too_many else shown
    if question.cause == "time":
        what = f"(time) {question.item or ''}".strip()
        day = str(question.at.date())
        return JudgementError(ErrorClass.NEEDLESS, number + 1, day, what, "quiet", seen, "raised by time")
    own = next((one.want for one in judged if one.want.step == number), None)
    want = "/".join(sorted(own.accepted)) if own else "quiet"
    step = steps[number]
    return JudgementError(ErrorClass.NEEDLESS, number + 1, str(step.day), step.title, want, seen, step.reason)


def _judge_want(record: Record, judged: _Judged) -> list[JudgementError]:
    """What a step wanted to be asked or told, and was not; what it did not want to be told, and was."""
    want, errors = judged.want, []
    seen = record.sightings
    told = [
        heard
        for heard in (seen.told if want.to == "people" else seen.told_vendors)
        if want.is_reached_by(heard.lines, heard.step, heard.at)
    ]
    asked = judged.questions or _find_other_questions(record, want)
    said = [question.words for question in asked] + [heard.text for heard in told]
    to_whom = "" if want.to == "people" else f" to {want.to}"
    came = bool(asked or (told and "tell" in want.accepted))
    if want.says and want.wants_something and came and not matches(want.says, said):
        seen_text = f"not said: {(said[0] if said else '')[:150]}"
        errors.append(_make_error(record, ErrorClass.MISSED_NOTICE, want, f"said: /{want.says}/", seen_text))
    if want.accepted == {"ask"} and not asked:
        seen_text = f"told only: {_show(told)}" if told else "nothing"
        errors.append(_make_error(record, ErrorClass.MISSED_QUESTION, want, "ask", seen_text))
    elif want.accepted != {"ask"} and want.wants_something and not asked and not told:
        wanted = "/".join(sorted(want.accepted)) + to_whom
        errors.append(_make_error(record, ErrorClass.MISSED_NOTICE, want, wanted, "nothing"))
    elif want.by == "check" and want.accepted == {"quiet"} and told:
        seen_text = f"{len(told)} messages: {_show(told)}"
        errors.append(_make_error(record, ErrorClass.OVER_TELLING, want, f"quiet{to_whom}", seen_text))
    return errors


def _find_other_questions(record: Record, want: Want) -> list[AskedQuestion]:
    """Questions that satisfy a want though none was raised for it: put anew, left open, or of another label."""
    questions = record.sightings.questions.values()
    on_lines = [question for question in questions if question.lines & want.lines]
    if want.to != "people":
        renewed = []
    else:
        renewed = [question for question in on_lines if any(want.is_in_time(at) for at in question.renewed_at)]
    left_open = [q for q in on_lines if want.by == "check" and q.id in record.left_open and q.at <= want.end]
    covered = [q for q in questions if want.to == "people" and want.covers(q.lines, q.step, q.at, q.kind)]
    return renewed or left_open or covered


def _judge_message_counts(record: Record, wants: list[Want]) -> list[JudgementError]:
    """Messages about a line in a month beyond the limit, or beyond those wanted and one more."""
    counts: Counter[tuple[str, str]] = Counter()
    texts: dict[tuple[str, str], list[str]] = {}
    for heard in record.sightings.told:
        for line in list_burdened_lines(heard):
            key = (line, heard.at.strftime(MONTH))
            counts[key] += 1
            texts.setdefault(key, []).append(heard.text[:60])
    wanted = Counter(
        (line, want.end.strftime(MONTH)) for want in wants if want.accepted & {"ask", "tell"} for line in want.lines
    )
    errors = []
    for key, count in sorted(counts.items()):
        line, month = key
        limit = max(record.story.limits.messages_per_line_per_month, wanted[key] + 1)
        if count > limit:
            seen = f"{count} about {line} in {month}: {' | '.join(texts[key][:3])}"
            errors.append(
                JudgementError(
                    error_class=ErrorClass.OVER_TELLING,
                    step=len(record.story.steps),
                    day=month,
                    what=f"(month) {line}",
                    want=f"at most {limit} messages",
                    seen=seen,
                    why="messages per line and month",
                    count=count - limit,
                )
            )
    return errors


def list_burdened_lines(heard: Heard) -> frozenset[str]:
    """The lines for which it counts as one more message: in a digest, those about which it has no news."""
    if heard.form in ("flag", "notice"):
        return frozenset()
    return heard.lines - heard.news_on if heard.form == "digest" else heard.lines


def _show(told: list[Heard]) -> str:
    parts = ("flag" if heard.form == "flag" else f"to {heard.party}" for heard in told[:2])
    return "; ".join(f"{part}: {heard.text[:ABOUT_A_LINE]}" for part, heard in zip(parts, told[:2], strict=True))


def _make_error(record: Record, error_class: ErrorClass, want: Want, wanted: str, seen: str) -> JudgementError:
    step = record.story.steps[want.step]
    return JudgementError(error_class, want.step + 1, str(step.day), step.title, wanted, seen, step.reason)
