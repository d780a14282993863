"""A change of the log never overwrites another line: ids and names are unique in any script."""

import pytest

from domain.changing_lines import Applied, Log, Refused, WantedLine


@pytest.mark.parametrize(
    "names",
    [
        ("Doors Type A", "Doors, Type A", "Doors (Type A)"),
        ("\u6cf5 1", "\u9600 1"),
        ("\u0645\u0636\u062e\u0629", "\u0645\u0635\u0639\u062f"),
        ("\U0001f6aa", "\U0001fa9f", "!!!"),
        ("\u00c5ngstr\u00f6m", "Angstrom"),
    ],
)
def test_names_that_differ_become_lines_with_ids_that_differ(names: tuple[str, ...]) -> None:
    log = Log([], {}, currency="USD", vendors=(), seq=1)
    assert all(isinstance(log.change(WantedLine(name=name)), Applied) for name in names)
    assert [item.name for item in log.items.values()] == list(names)


@pytest.mark.parametrize("name", ["Pumps", "PUMPS", " p u m p s", "\uff30umps"])
def test_a_second_line_of_one_name_is_refused_with_both_shown(name: str) -> None:
    log = Log([], {}, currency="USD", vendors=(), seq=1)
    log.change(WantedLine(name="Pumps"))
    outcome = log.change(WantedLine("a-pumps", name))
    assert isinstance(outcome, Refused)
    assert "(a-pumps)" in outcome.reason
    assert "(pumps)" in outcome.reason
