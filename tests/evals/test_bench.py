"""Each benchmark runs to its end, in small: what it measures then says nothing about speed."""

import json
from collections.abc import Iterator

import pytest

from evals.bench import __main__ as command
from evals.bench import age, latency, load, past, sleeping, throughput
from evals.bench.report import Aim, Figure, Result
from evals.bench.server import Bench, server


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with server() as running:
        yield running


def values(result: Result) -> dict[str, float]:
    return {figure.what: figure.value for figure in result.figures}


@pytest.mark.slow
async def test_latency_is_measured_for_every_event(bench: Bench) -> None:
    result = await latency.run(bench, lambda _: None, events=8, warm=2, pause_s=0.01)
    assert result.details["events"] == 8
    assert 0 < values(result)["POST to processing begun, p50"] < values(result)["POST to processed, p95"]


@pytest.mark.slow
async def test_every_way_through_is_measured_beside_its_baselines(bench: Bench) -> None:
    size = throughput.Size(buildings=4, lines=1, rounds=1, tasks=2, connections=2, workers=(1,))
    result = await throughput.run(bench, lambda _: None, size=size)
    (measured,) = result.details["rounds"]
    assert set(measured) == {
        *("script, one shared saver", "script, a saver for each task", "script, in memory", "DBOS", "DBOS in order"),
        *("over HTTP, 1 worker", "intake", "full inbox, 1 worker"),
    }
    assert all(one["events_per_s"] > 0 and one["cpu_ms"] > 0 for one in measured.values())
    assert values(result)["service: statements"] > 10


@pytest.mark.slow
async def test_latency_is_measured_under_load_and_beside_a_hot_building(bench: Bench) -> None:
    size = load.Size(buildings=4, burst=24, seconds=0.5, waiting=40, connections=2)
    result = await load.run(bench, lambda _: None, size=size)
    assert len(result.details["beside_ms"]) >= 20
    assert values(result)["with / without the hot building"] > 0


@pytest.mark.slow
async def test_rows_for_an_event_do_not_grow_with_age(bench: Bench) -> None:
    found = values(await age.run(bench, lambda _: None, age=60, window=20))
    assert found["rows: at 60 / at 20"] == pytest.approx(1.0)
    assert found["event 60 / event 20"] > 0


@pytest.mark.slow
async def test_looking_back_is_measured_and_a_backtest_finds_nothing(bench: Bench) -> None:
    found = values(await past.run(bench, lambda _: None, events=60, checkpoints=700, houses=4, repeat=1))
    assert found["backtest / live"] > 0
    assert found["history of 700 checkpoints, first page of 100"] > 0
    assert found["delete, in the middle of 60 events"] > 0


@pytest.mark.slow
async def test_clones_sleep_and_wake(bench: Bench) -> None:
    result = await sleeping.run(bench, lambda _: None, count=5, watch_s=0.5)
    assert result.details["sleepers"] == 5
    assert values(result)["resident memory, API"] > 10


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["speed"])
    assert "throughput, latency, load, age, memory, past, sleeping" in capsys.readouterr().err


def test_figures_go_into_json_with_their_aims() -> None:
    figure = Figure("p95", 12.5, "ms", Aim("<", 50))
    assert json.loads(json.dumps(figure.plain())) == {
        "what": "p95",
        "value": 12.5,
        "unit": "ms",
        "aim": "< 50",
        "met": True,
    }
