"""What is counted as an error of judgement, and what is not: a table of small histories with their label."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from domain.plain_json import JsonObject
from evals.source import read_yaml
from evals.stories.errors import ErrorClass, JudgementError
from evals.stories.format import Reply
from evals.stories.judging import judge
from evals.stories.playing import Record, open_record
from evals.stories.reading import parse_story
from evals.stories.results import Failure, KnownStory, StoryResult, has_new_errors, list_overcome, mark_known, summarise
from evals.stories.sightings import AskedQuestion, Heard

STORY = """\
name: shed
limits: {{messages_per_line_per_month: {limit}}}
tolerated: {tolerated}
building:
  building_id: shed
  name: Shed
  vendors: [{{vendor_id: mill, name: Mill, contact: mill@mill.example}}]
  schedule:
    project: {{name: Shed}}
    deliveries: [{{item: Doors, required_by: 2026-05-15}}, {{item: Windows, required_by: 2026-05-15}}]
steps:
  - {{day: 2026-03-02, event: {{event_type: Human_Input, text: begin}}}}
  - {step}
"""
EVENT = "day: 2026-03-04, event: {event_type: ETA_Changed, item: Doors, eta: 2026-05-20}, why: w"
CHECK = "day: 2026-03-13"


def moment(written: str) -> datetime:
    """On the building's own clock."""
    return datetime.fromisoformat(written)


def question(**given: Any) -> AskedQuestion:
    asked = AskedQuestion(
        id="a1",
        kind="schedule_conflict",
        item="doors",
        at=moment("2026-03-04T09:00"),
        step=1,
        cause="event",
        summary="Doors: 5 calendar days late",
        recommends="Chase the vendor",
        asked_of="project_manager",
        version=1,
        status="pending",
        words="Doors: 5 calendar days late | Chase the vendor",
        subject=None,
    )
    return replace(asked, **given)


def heard(**given: Any) -> Heard:
    told = Heard(moment("2026-03-04T09:00"), 1, frozenset({"doors"}), "project_manager", "Doors come late", "message")
    return replace(told, **given)


@dataclass(frozen=True)
class Case:
    """A label, what was seen, and the errors that are due."""

    says: str
    step: str
    errors: dict[str, int]
    questions: list[AskedQuestion] = field(default_factory=list)
    told: list[Heard] = field(default_factory=list)
    told_vendors: list[Heard] = field(default_factory=list)
    left_open: frozenset[str] = frozenset()
    tolerated: str = "{}"


LATER = moment("2026-03-09T08:30")
CASES = [
    Case("a wanted question is no error", f"{{{EVENT}, want: ask}}", {}, [question()]),
    Case("a question where quiet is wanted is needless", f"{{{EVENT}}}", {"needless": 1}, [question()]),
    Case("a question where telling is wanted is needless", f"{{{EVENT}, want: tell}}", {"needless": 1}, [question()]),
    Case("a question that is tolerated is none", f"{{{EVENT}}}", {}, [question()], tolerated="{schedule_conflict: 1}"),
    Case(
        "only so many are tolerated",
        f"{{{EVENT}}}",
        {"needless": 1},
        [question(), question(id="a2")],
        tolerated="{schedule_conflict: 1}",
    ),
    Case(
        "one question too many is needless", f"{{{EVENT}, want: ask}}", {"needless": 1}, [question(), question(id="b")]
    ),
    Case("two are fair where two are wanted", f"{{{EVENT}, want: ask, max: 2}}", {}, [question(), question(id="b")]),
    Case(
        "a second round after the manager said no is not needless",
        f"{{{EVENT}, want: ask}}",
        {},
        [question(reply=Reply(type="reject")), question(id="b", cause="answer")],
    ),
    Case(
        "a second question after a yes is needless",
        f"{{{EVENT}, want: ask}}",
        {"needless": 1},
        [question(reply=Reply(type="approve")), question(id="b", cause="answer")],
    ),
    Case(
        "a question on another line is needless, and the wanted one is missed",
        f"{{{EVENT}, want: ask}}",
        {"needless": 1, "missed_questions": 1},
        [question(item="windows")],
    ),
    Case(
        "a question about no line satisfies its own step",
        f"{{{EVENT}, want: ask}}",
        {},
        [question(item=None, kind="event_unclear")],
    ),
    Case(
        "any line is right where the label says so", f'{{{EVENT}, want: ask, about: "*"}}', {}, [question(item="new")]
    ),
    Case(
        "a chasing question never satisfies an event",
        f"{{{EVENT}, want: ask}}",
        {"needless": 1, "missed_questions": 1},
        [question(kind="milestone_overdue")],
    ),
    Case("no question is a missed one", f"{{{EVENT}, want: ask}}", {"missed_questions": 1}),
    Case("being told is not being asked", f"{{{EVENT}, want: ask}}", {"missed_questions": 1}, told=[heard()]),
    Case(
        "a question that comes too late is missed, and needless",
        f"{{{EVENT}, want: ask}}",
        {"needless": 1, "missed_questions": 1},
        [question(at=LATER, cause="time")],
    ),
    Case("a morning digest is in time", f"{{{EVENT}, want: tell}}", {}, told=[heard(at=moment("2026-03-05T08:30"))]),
    Case(
        "a question put anew counts",
        f"{{{EVENT}, want: ask}}",
        {},
        [question(at=moment("2026-03-02T09:00"), step=0, verdict="wanted", renewed_at=[moment("2026-03-04T09:00")])],
        tolerated="{schedule_conflict: 1}",
    ),
    Case("nothing told is a missed notice", f"{{{EVENT}, want: tell}}", {"missed_notices": 1}),
    Case("a flag tells", f"{{{EVENT}, want: tell}}", {}, told=[heard(form="flag", party="flag")]),
    Case("either is right where both are accepted", f"{{{EVENT}, want: [ask, tell]}}", {}, told=[heard()]),
    Case("but not nothing", f"{{{EVENT}, want: [ask, tell]}}", {"missed_notices": 1}),
    Case(
        "a message about another line tells nothing",
        f"{{{EVENT}, want: tell}}",
        {"missed_notices": 1},
        told=[heard(lines=frozenset({"windows"}))],
    ),
    Case("what is told must say it", f"{{{EVENT}, want: tell, says: damaged}}", {"missed_notices": 1}, told=[heard()]),
    Case("a question must say it too", f"{{{EVENT}, want: ask, says: 186 k}}", {"missed_notices": 1}, [question()]),
    Case("and does so in its options", f"{{{EVENT}, want: ask, says: chase}}", {}, [question()]),
    Case(
        "a vendor that is not chased is a missed notice",
        f"{{{CHECK}, check: {{item: doors, want: tell, to: vendor, since: 2026-03-02}}}}",
        {"missed_notices": 1},
        told=[heard()],
    ),
    Case(
        "a vendor that is chased is none",
        f"{{{CHECK}, check: {{item: doors, want: tell, to: vendor, since: 2026-03-02}}}}",
        {},
        told_vendors=[heard(party="Mill")],
    ),
    Case(
        "a vendor chased in vain is over-telling",
        f"{{{CHECK}, check: {{item: doors, want: quiet, to: vendor, since: 2026-03-02}}}}",
        {"over_telling": 1},
        told_vendors=[heard(party="Mill")],
    ),
    Case(
        "a check that wants quiet counts messages to people",
        f"{{{CHECK}, check: {{item: [windows, doors], want: quiet, since: 2026-03-02}}}}",
        {"over_telling": 1},
        told=[heard()],
    ),
    Case(
        "a question left open satisfies a check",
        f"{{{CHECK}, check: {{item: doors, want: ask, since: 2026-03-09}}}}",
        {},
        [question(at=moment("2026-03-02T09:00"), step=0)],
        left_open=frozenset({"a1"}),
        tolerated="{schedule_conflict: 1}",
    ),
    Case("messages up to the limit are none too many", f"{{{EVENT}}}", {}, told=[heard(), heard()]),
    Case("each beyond it is one too many", f"{{{EVENT}}}", {"over_telling": 2}, told=[heard()] * 4),
    Case(
        "months are counted apart",
        f"{{{EVENT}}}",
        {},
        told=[heard(), heard(), heard(at=moment("2026-04-01T09:00")), heard(at=moment("2026-04-01T09:00"))],
    ),
    Case("a flag is no message", f"{{{EVENT}}}", {}, told=[heard(form="flag")] * 4),
    Case("a question's own notice is none", f"{{{EVENT}}}", {}, told=[heard(form="notice")] * 4),
    Case(
        "a digest with nothing new about a line counts for it",
        f"{{{EVENT}}}",
        {"over_telling": 1},
        told=[heard(form="digest", lines=frozenset({"doors", "windows"}), news_on=frozenset({"windows"}))] * 3,
    ),
    Case(
        "a digest with news does not",
        f"{{{EVENT}}}",
        {},
        told=[heard(form="digest", lines=frozenset({"doors", "windows"}), news_on=frozenset({"doors", "windows"}))] * 9,
    ),
]


def open_case(case: Case, limit: int = 2) -> Record:
    text = STORY.format(limit=limit, tolerated=case.tolerated, step=case.step)
    record = open_record(parse_story(read_yaml("shed.yaml", text)))
    seen = record.sightings
    seen.questions.update({one.id: replace(one) for one in case.questions})
    seen.told += case.told
    seen.told_vendors += case.told_vendors
    record.left_open |= case.left_open
    return record


def count(errors: list[JudgementError]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for error in errors:
        counts[error.error_class.value] += error.count
    return dict(counts)


@pytest.mark.parametrize("case", CASES, ids=[case.says.replace(" ", "-") for case in CASES])
def test_what_is_counted(case: Case) -> None:
    assert count(judge(open_case(case))) == case.errors


def test_more_messages_are_fair_in_a_month_in_which_more_is_wanted() -> None:
    wanted = Case("", f"{{{EVENT}, want: tell}}", {}, told=[heard()] * 2)
    assert count(judge(open_case(wanted, limit=0))) == {}


class Tables:
    """Rows of a building, as a watch shows them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[JsonObject]] = {
            "items": [{"item_id": "doors", "eta": None}, {"item_id": "windows", "eta": None}]
        }

    def read(self, name: str) -> list[JsonObject]:
        return self.rows.get(name, [])

    def say(self, text: str, item: str | None = None, party: str = "project_manager") -> None:
        messages = self.rows.setdefault("messages", [])
        row = {"message_id": f"m{len(messages)}", "direction": "out", "party": party, "text": text, "item_id": item}
        messages.append(row)


DIGEST = "Today: Doors and Windows."


def test_a_digest_has_news_on_a_line_only_when_something_about_it_changed_since_it_was_last_told() -> None:
    record, tables = open_case(CASES[0]), Tables()

    def news() -> frozenset[str]:
        record.sightings.look(tables.read, moment("2026-03-04T09:00"), 1, "time")
        return record.sightings.told[-1].news_on

    tables.say(DIGEST)
    assert news() == {"doors", "windows"}
    tables.say(DIGEST)
    assert news() == frozenset()
    tables.rows["items"][0]["eta"] = "2026-05-20"
    tables.rows["items"][1]["told_band"] = "at_risk"  # the agent's own bookkeeping is no news
    tables.say(DIGEST)
    assert news() == {"doors"}
    tables.rows["shipments"] = [{"item_id": "windows", "status": "in_transit"}]
    tables.say("The windows are on the way.", item="windows")
    news()
    tables.say(DIGEST)
    assert news() == frozenset()


@pytest.mark.parametrize(
    ("party", "people", "vendors"), [("Mill", 0, 1), ("vendor", 0, 1), ("receiving", 0, 0), ("director", 1, 0)]
)
def test_messages_are_told_apart_by_whom_they_go_to(party: str, people: int, vendors: int) -> None:
    record, tables = open_case(CASES[0]), Tables()
    tables.say("About the doors.", party=party)
    record.sightings.look(tables.read, moment("2026-03-04T09:00"), 1, "event")
    assert (len(record.sightings.told), len(record.sightings.told_vendors)) == (people, vendors)


def judged(*cases: tuple[ErrorClass, int, int]) -> StoryResult:
    errors = [JudgementError(kind, step, "", "", "", "", count=amount) for kind, step, amount in cases]
    return summarise(open_case(CASES[0]), errors, 0)


KNOWN = [KnownStory(name="shed", failures=[Failure(error_class=ErrorClass.NEEDLESS, step=2, count=2)])]


def test_an_error_is_known_where_its_class_and_step_are() -> None:
    needless = ErrorClass.NEEDLESS
    assert not has_new_errors([mark_known(judged((needless, 2, 1), (needless, 2, 1)), KNOWN)])
    assert has_new_errors([mark_known(judged((needless, 2, 1), (needless, 2, 2)), KNOWN)])
    assert has_new_errors([mark_known(judged((needless, 1, 1)), KNOWN)])
    assert has_new_errors([mark_known(judged((ErrorClass.OVER_TELLING, 2, 1)), KNOWN)])


def test_what_is_overcome_is_named() -> None:
    assert list_overcome(judged((ErrorClass.NEEDLESS, 2, 2)), KNOWN) == []
    assert [one.step for one in list_overcome(judged(), KNOWN)] == [2]
