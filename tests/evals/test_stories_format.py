"""Story files: what is wrong with one is said with file, line and field, and nothing misspelt is passed over."""

from datetime import date, datetime
from pathlib import Path

import pytest

from evals.source import ScenarioError, read_yaml
from evals.stories.format import Reply, Story
from evals.stories.lines import LineBook
from evals.stories.reading import find_stories, parse_story
from evals.stories.wants import list_wants, pick_reply
from evals.stories.working_days import WorkingDays

WHOLE = """\
name: shed
building:
  building_id: shed
  name: Shed
  schedule: {project: {name: Shed}, deliveries: [{item: Doors, required_by: 2026-03-16}]}
steps:
  - {day: 2026-03-02, event: {event_type: Submittal_Approved, item: Doors}, want: ask, why: it matters}
  - {day: 2026-03-05, check: {item: doors, want: [ask, tell]}, answer: later}
  - {day: 2026-03-06, decide: {item: doors}, answer: {type: approve}}
  - {day: 2026-03-09, state: {item: doors, released: true}}
final: {states: [{closed: true}]}
"""


def parse(text: str) -> Story:
    return parse_story(read_yaml("shed.yaml", text))


def test_a_whole_story_is_read() -> None:
    story = parse(WHOLE)
    assert story.steps[0].want == {"ask"}
    assert story.steps[0].lines == ["Doors"]
    assert story.steps[1].answer == {"any": "later"}
    assert story.steps[2].answer == {"any": Reply(type="approve")}
    assert story.steps[3].state is not None
    assert story.steps[3].state.predicates == ["released"]
    assert story.limits.messages_per_line_per_month == 3


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("name: shed\n", "", "shed.yaml:1: name: is missing"),
        ("building_id: shed", "building_idd: shed", "shed.yaml:3: building.building_idd: there is no such field"),
        ("required_by: 2026-03-16", "required_by: 2026-02-30", "shed.yaml:5: building.schedule.deliveries.0"),
        ("want: ask", "want: shout", "shed.yaml:7: steps.0.want"),
        ("want: ask", "want: []", "shed.yaml:7: steps.0.want"),
        ("want: ask", "want: {doors: shout}", "shed.yaml:7: steps.0.want"),
        ("want: ask", "wants: ask", "shed.yaml:7: steps.0.wants: there is no such field"),
        (", why: it matters", "", "shed.yaml:7: steps.0.want: a label that is not quiet says why"),
        ("why: it matters", "why: it matters, says: '('", "shed.yaml:7: steps.0.says: is no regular expression"),
        ("why: it matters", "why: it matters, max: 0", "shed.yaml:7: steps.0.max"),
        ("event_type: Submittal_Approved, ", "", "shed.yaml:7: steps.0.event: event_type is missing"),
        ("day: 2026-03-05", "day: 2026-03-01", "shed.yaml:8: steps.1.day: 2026-03-01 comes after 2026-03-02"),
        ("day: 2026-03-05", "day: soon", "shed.yaml:8: steps.1.day"),
        ("want: [ask, tell]}", "want: [ask, tell], too: vendor}", "shed.yaml:8: steps.1.check.too: there is no such"),
        ("want: [ask, tell]}", "want: tell, since: 2026-03-06}", "shed.yaml:8: steps.1.check.since: is after"),
        ("answer: later", "max: 2", "shed.yaml:8: steps.1.max: means nothing beside check"),
        ("decide: {item: doors}", "decide: {item: doors}, state: {closed: true}", "shed.yaml:9: steps.2: a step has"),
        ("type: approve", "type: nod", "shed.yaml:9: steps.2.answer.any"),
        ("answer: {type: approve}", "answer: later", "shed.yaml:9: steps.2.answer: decide gives the answer"),
        ("released: true", "realeased: true", "shed.yaml:10: steps.3.state.realeased: there is no such field"),
        (", released: true", "", "shed.yaml:10: steps.3.state: a state names what must hold"),
        ("{closed: true}", "{why: x}", "shed.yaml:11: final.states.0: a state names what must hold"),
        ("steps:\n", "steps: [\n", "not YAML"),
        ("name: shed\n", "name: shed\nname: shed\n", "shed.yaml:2: name is there twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(right: str, wrong: str, said: str) -> None:
    assert right in WHOLE
    with pytest.raises(ScenarioError) as raised:
        parse(WHOLE.replace(right, wrong, 1))
    assert said in raised.value.detail


def test_all_that_is_wrong_with_all_files_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(WHOLE.replace("want: ask", "want: shout").replace("day: 2026-03-05", "day: x"))
    (tmp_path / "two.yaml").write_text("- not a story")
    with pytest.raises(ScenarioError) as raised:
        find_stories([str(tmp_path)])
    lines = raised.value.detail.splitlines()
    assert [line.split(":")[0].rsplit("/", 1)[-1] for line in lines] == ["one.yaml", "one.yaml", "two.yaml"]


def test_two_stories_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(WHOLE)
    (tmp_path / "two.yaml").write_text(WHOLE)
    with pytest.raises(ScenarioError, match="Two stories are called shed"):
        find_stories([str(tmp_path)])


@pytest.mark.parametrize(
    ("day", "within", "end"),
    [
        ("2026-03-02", 0, "2026-03-02"),
        ("2026-03-02", 1, "2026-03-03"),
        ("2026-03-06", 1, "2026-03-10"),  # Friday; Monday is a holiday
        ("2026-03-07", 1, "2026-03-10"),
        ("2026-03-05", 3, "2026-03-11"),
    ],
)
def test_a_deadline_counts_working_days_without_holidays(day: str, within: int, end: str) -> None:
    calendar = WorkingDays(frozenset({"mon", "tue", "wed", "thu", "fri"}), frozenset({date(2026, 3, 9)}))
    expected = datetime.fromisoformat(f"{end}T23:59")
    assert calendar.deadline(date.fromisoformat(day), within) == expected


def test_an_answer_for_one_kind_is_not_given_to_another() -> None:
    replies = (
        parse(WHOLE.replace("answer: later", "answer: {milestone_overdue: later, any: {type: reject}}")).steps[1].answer
    )
    assert replies is not None
    assert pick_reply(replies, "milestone_overdue") == "later"
    assert pick_reply(replies, "schedule_conflict") == Reply(type="reject")


def test_a_map_wants_something_of_each_line_apart() -> None:
    story = parse(WHOLE.replace("want: ask", "want: {Doors: ask, windows: [quiet, tell]}"))
    calendar = WorkingDays(frozenset({"mon", "tue", "wed", "thu", "fri"}), frozenset())
    wants = list_wants(story, calendar, LineBook.of_story(story))
    assert [(set(want.lines), set(want.accepted)) for want in wants if want.step == 0] == [
        ({"doors"}, {"ask"}),
        ({"windows"}, {"quiet", "tell"}),
    ]


def test_a_line_is_found_by_its_old_and_its_new_name_after_it_was_renamed() -> None:
    story = parse(WHOLE)
    book = LineBook.of_story(story)
    book.learn({"event_type": "Items_Changed", "items": [{"item_id": "doors", "name": "Steel Doors"}]})
    assert book.find_id("Steel doors") == book.find_id("Doors") == "doors"
    assert book.find_mentioned("Two STEEL DOORS are here.") == {"doors"}
