"""What `longlead backtest` does: run records again, and tell what comes out differently."""

import logging
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
import typer

from cli.late_progress import LateProgress
from cli.output import Cell, print_json, print_table
from cli.sentences import CommandError
from domain.plain_json import JsonObject
from evals.backtest import Backtest, Backtested, Report, Trial, count_entries, live_buildings
from evals.trial_files import RulesOnTrial, read_policy, read_rules
from runtime import loop
from runtime.models import open_models
from runtime.resources import open_resources
from runtime.settings import Settings, load_settings


def run_backtest(
    named: list[str],
    rules: Path | None,
    policy: Path | None,
    model: str | None,
    lanes: int,
    data: Path | None,
    as_json: bool,
) -> None:
    """Run the records of the buildings named again, of all where none is, and print what comes out differently.

    Raises:
        CommandError: what was asked for cannot be done.
        Exit: with 1, a building could not be run again.
    """
    # What died on record dies again: that is compared, and not worth a traceback on the terminal.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    fields = read_policy(policy) if policy else {}
    on_trial = read_rules(rules) if rules else RulesOnTrial()
    if model is not None and not model.strip():
        raise CommandError("--model names no model: write the name by which its server knows it.")
    settings = load_settings(data_dir=data)
    report = loop.run(_run(settings, named, fields, on_trial, model, lanes))
    if as_json:
        print_json(_plain(report))
    else:
        _print(report, settings.url.rstrip("/"))
    if any(one.error for one in report.buildings):
        raise typer.Exit(1)


async def _run(
    settings: Settings,
    named: list[str],
    policy: JsonObject,
    on_trial: RulesOnTrial,
    model: str | None,
    lanes: int,
) -> Report:
    async with AsyncExitStack() as stack:
        resources = await stack.enter_async_context(open_resources(settings, name="longlead backtest"))
        asked = {"models": [model], "models_reader": [], "models_adviser": [], "models_summariser": []}
        models = await stack.enter_async_context(open_models(settings.model_copy(update=asked))) if model else None
        async with resources.pool.connection() as conn:
            building_ids = list(dict.fromkeys(named)) or await live_buildings(conn)
            total = await count_entries(conn, building_ids)
        trial = Trial(policy, on_trial.rules, on_trial.delegations, models)
        with LateProgress("events", total) as progress:

            def tell(entries: int, _: int) -> None:
                progress.advance(entries)
                progress.describe(f"{progress.done / max(progress.seconds, 0.001):.0f} events/s")

            return await Backtest(resources.conninfo, settings, resources.clock, trial, lanes, tell).run(building_ids)


def _print(report: Report, url: str) -> None:
    if not all(building.error for building in report.buildings):
        print_table(
            "What comes out differently",
            ["building", "event", "what happened", "line", "was", "would be"],
            [row for building in report.buildings for row in _rows(building)],
            "Nothing comes out differently.",
        )
    for building in report.buildings:
        if building.error:
            print(f"{building.building_id} could not be run again: {building.error}")
        for remark in building.remarks:
            print(f"{building.building_id}: {remark}")
        if building.fork_id:
            print(f"{building.building_id}: {url}/buildings/{building.building_id}/forks/{building.fork_id}/diff")
            print(f"  longlead fork diff {building.building_id} {building.fork_id}")
    print(
        f"{_counted(report.entries, 'event')} of {_counted(len(report.buildings), 'building')} run again in "
        f"{report.seconds:.1f} s "
        f"({report.per_second:.0f} events/s), {report.differences} with another outcome."
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _rows(building: Backtested) -> list[list[Cell]]:
    return [
        [
            building.building_id,
            one.seq,
            one.event_type.replace("_", " "),
            one.item,
            "\n".join(one.was) or None,
            "\n".join(one.now) or None,
        ]
        for one in building.differences
    ]


def _plain(report: Report) -> dict[str, Any]:
    return {
        "entries": report.entries,
        "seconds": round(report.seconds, 3),
        "per_second": round(report.per_second, 1),
        "buildings": [
            {**vars(one), "differences": [vars(different) for different in one.differences]} for one in report.buildings
        ],
    }
