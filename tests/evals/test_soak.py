"""The soak runs to its end, in small, and says what has grown."""

import pytest

from evals.bench.server import server
from evals.soak import __main__ as command
from evals.soak.load import Size, event_of
from evals.soak.sample import Sample


@pytest.mark.slow
async def test_a_small_soak_looks_ten_times_and_finds_every_event_done() -> None:
    kept: list[int] = []
    with server() as bench:
        samples = await command.soak(
            bench, Size(events=60, buildings=5, open=8), lambda _: None, lambda s: kept.append(len(s))
        )
    assert [sample.events for sample in samples] == list(range(6, 61, 6))
    assert kept == list(range(1, 11))
    assert samples[-1].figures["connections"] > 2
    assert samples[-1].figures["memory of worker, MB"] > 20
    assert samples[-1].cpu_s["postgres"] > 0
    assert command.table(samples).row_count > len(command.LEVEL)


def test_each_building_gets_its_lines_lives_in_order() -> None:
    size = Size(events=40, buildings=4)
    sent = [event_of(size, number) for number in range(size.events)]
    mine = [event for name, event in sent if name == "soak-0002"]
    assert [event["event_id"] for event in mine] == [
        "0-0",
        "0-1",
        "0-2",
        "0-3",
        "0-4",
        "0-5",
        "1-0",
        "1-1",
        "1-2",
        "1-3",
    ]
    assert size.lines == 2


def test_what_has_grown_is_told_by_its_ratio() -> None:
    first = Sample(10, dict.fromkeys(command.LEVEL, 100.0))
    last = Sample(100, {**first.figures, "connections": 120.0})
    assert command.ratios([first, last]) == {**dict.fromkeys(command.LEVEL, 1.0), "connections": 1.2}


def test_too_few_events_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--events", "100"])
    assert "at least 10000 events" in capsys.readouterr().err
