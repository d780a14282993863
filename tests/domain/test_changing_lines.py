"""A change of the log never overwrites another line: ids and names are unique in any script."""

import pytest

from domain.buildings import BuildingSpec
from domain.changing_lines import Applied, Log, Refused, WantedLine
from storage.buildings import lines_of

DIFFERENT = [
    ("Doors Type A", "Doors, Type A", "Doors (Type A)"),
    ("\u6cf5 1", "\u9600 1"),
    ("\u0645\u0636\u062e\u0629", "\u0645\u0635\u0639\u062f"),
    ("\u0645\u0636\u062e\u0629", "\u0645\u064f\u0636\u062e\u0629"),  # with and without a vowel mark
    ("\U0001f6aa", "\U0001fa9f", "!!!"),
    ("\u00c5ngstr\u00f6m", "Angstrom"),
    ("A,B", "AB!", "A;B"),
    ("Pumps!", "Pumps?", "Pumps 2"),
]
SAME = [
    "Pumps",
    "PUMPS",
    " p u m p s",
    "\uff30umps",
    "Pum\u00adps",
    "Pumps\u200b",
    "\u200ePumps",
    "Pumps\ufe0f",
    "Pum\u2013ps",
]


def empty_log() -> Log:
    return Log([], {}, currency="USD", vendors=(), seq=1)


def posted(*items: dict[str, str]) -> BuildingSpec:
    schedule = {"project": {"name": "x"}, "deliveries": []}
    return BuildingSpec.model_validate({"building_id": "b", "name": "B", "schedule": schedule, "items": items})


@pytest.mark.parametrize("names", DIFFERENT)
def test_names_that_differ_become_lines_with_ids_that_differ(names: tuple[str, ...]) -> None:
    log = empty_log()
    assert all(isinstance(log.change(WantedLine(name=name)), Applied) for name in names)
    assert [item.name for item in log.items.values()] == list(names)


@pytest.mark.parametrize("names", [*DIFFERENT, ("pumps!", "pumps")])
def test_a_building_posted_with_such_names_has_a_line_for_each(names: tuple[str, ...]) -> None:
    assert [item.name for item in lines_of(posted(*({"name": name} for name in names)))] == list(names)


@pytest.mark.parametrize("name", SAME)
def test_a_second_line_of_one_name_is_refused_with_both_shown(name: str) -> None:
    log = empty_log()
    log.change(WantedLine(name="Pumps"))
    outcome = log.change(WantedLine("a-pumps", name))
    assert isinstance(outcome, Refused)
    assert "(a-pumps)" in outcome.reason
    assert "(pumps)" in outcome.reason


def test_a_name_that_is_the_id_made_of_another_name_is_refused_with_both_shown() -> None:
    """What is reported of "pumps" would go to "pumps!": an id wins over a name."""
    log = empty_log()
    log.change(WantedLine(name="pumps!"))
    for wanted in (WantedLine(name="pumps"), WantedLine("p-2", "pumps")):
        outcome = log.change(wanted)
        assert isinstance(outcome, Refused)
        assert "pumps! (pumps)" in outcome.reason


@pytest.mark.parametrize("name", SAME)
def test_a_building_posted_with_one_name_twice_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="taken for the same line"):
        posted({"name": "Pumps"}, {"item_id": "other", "name": name})


def test_an_id_that_is_only_like_another_lines_does_not_rename_it() -> None:
    log = empty_log()
    log.change(WantedLine(name="A,B"))
    outcome = log.change(WantedLine("ab", "AB!"))
    assert isinstance(outcome, Refused)
    assert "give it another id" in outcome.reason
    assert log.items["a-b"].name == "A,B"


def test_an_id_that_is_another_lines_name_does_not_rename_it() -> None:
    log = empty_log()
    log.change(WantedLine("p-1", "Pumps"))
    assert isinstance(log.change(WantedLine("pumps", "Booster set")), Refused)
    assert log.items["p-1"].name == "Pumps"


def test_a_line_is_renamed_by_its_id_in_any_case_and_never_by_its_name() -> None:
    log = empty_log()
    log.change(WantedLine("D-100", "Doors"))
    log.change(WantedLine(name="D-100", values={"unit": "pcs"}))
    assert (log.items["D-100"].name, log.items["D-100"].unit) == ("Doors", "pcs")
    log.change(WantedLine("d-100", "Gates"))
    assert log.items["D-100"].name == "Gates"


def test_a_delivery_stays_with_its_line_when_another_gets_the_name_that_it_was_spelled_with() -> None:
    log = empty_log()
    log.change(WantedLine(name="\u00c5ngstr\u00f6m"))
    log.replace_schedule({"deliveries": [{"item": "ANGSTROM", "required_by": "2026-03-01"}]})
    log.scheduled(log.items["angstrom"])
    log.change(WantedLine(name="Angstrom"))
    log.replace_schedule(log.plan.body)
    assert [len(log.scheduled(log.items[one]).needs) for one in ("angstrom", "angstrom-2")] == [1, 0]


def test_a_removed_lines_name_comes_back_as_a_line_of_its_own_also_under_the_old_id() -> None:
    log = empty_log()
    log.change(WantedLine(name="Pumps", values={"unit": "pcs"}))
    log.change(WantedLine("pumps", is_removed=True))
    back = log.change(WantedLine("pumps", "Pumps"))
    assert isinstance(back, Applied)
    assert back.item.item_id == "pumps-2"
    assert back.note == "Pumps has the id pumps-2: pumps is another line's"
    log.change(WantedLine("pumps", "Pumps", {"unit": "t"}))
    assert (log.items["pumps"].unit, log.items["pumps-2"].unit) == ("pcs", "t")
