"""`python -m evals.soak [--events N] [--buildings N] [--json FILE]`: run the soak and print how it went.

Ends with 1 where a figure at the end is more than 1.1 times what it was at a tenth of the events.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from evals.bench.processes import service
from evals.bench.server import Bench, server
from evals.soak.load import Load, Size, create_buildings
from evals.soak.sample import Sample, job_tables, take

MARKS = 10
"""Looks during a run; the first is what the last is compared with."""
MOST = 1.1
LEVEL = (
    "memory of api, MB",
    "memory of worker, MB",
    "own memory of the largest connection's process, MB",
    "connections",
    "job tables, median, MB",
    "POST to done p95, ms",
)
"""What must stay level; the rest is told beside it: of the connections' processes the mean moves as well when one of
them is used for the first time."""
# So that threads are pruned all the while, as they are in years of service: already before the first look, at which
# each building has had a tenth of its events.
PRUNED = {"retention_events": "5", "retention_days": "0.0005", "retention_interval": "20"}

Tell = Callable[[int], None]
Keep = Callable[[list[Sample]], None]


def main(arguments: list[str] | None = None) -> int:
    """Run it; 0 when everything stayed level."""
    asked = _asked(arguments)
    size = Size(events=asked.events, buildings=asked.buildings)
    console = Console()
    console.width = max(console.width, 100)
    samples = asyncio.run(_run(size, console, asked.json))
    console.print(table(samples))
    return 1 if any(ratio > MOST for ratio in ratios(samples).values()) else 0


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--events", type=int, default=Size.events, help="how many; at least ten for each building")
    parser.add_argument("--buildings", type=int, default=Size.buildings)
    parser.add_argument("--json", metavar="FILE", help="write the samples there, after each look")
    asked = parser.parse_args(arguments)
    if asked.events < MARKS * asked.buildings:
        parser.error(
            f"{asked.buildings} buildings need at least {MARKS * asked.buildings} events; give fewer --buildings"
        )
    return asked


async def _run(size: Size, console: Console, file: str | None) -> list[Sample]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    columns += (TimeElapsedColumn(), TimeRemainingColumn())  # type: ignore[assignment]
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("events", total=size.events)
        with server() as bench:
            await bench.count(False)
            return await soak(
                bench, size, lambda done: progress.update(task, completed=done), lambda found: _keep(found, file)
            )


def _keep(samples: list[Sample], file: str | None) -> None:
    if file:
        kept = {"samples": [vars(one) for one in samples], "ratios": ratios(samples)}
        Path(file).write_text(json.dumps(kept, indent=1))


async def soak(bench: Bench, size: Size, tell: Tell, keep: Keep = lambda _: None) -> list[Sample]:
    """Send the events of this size through an API and a worker; a look at every tenth of them, which `keep` is told."""
    async with (
        bench.database() as conninfo,
        service(conninfo, **PRUNED) as running,
        await psycopg.AsyncConnection.connect(
            conninfo, autocommit=True, row_factory=dict_row, application_name="soak"
        ) as watching,
    ):
        await create_buildings(running.port, size)
        load = Load(running.port, conninfo, size)
        loading = asyncio.create_task(load.run())
        samples = []
        for mark in range(1, MARKS + 1):
            events, jobs = size.events * mark // MARKS, []
            window = max(10, size.events // (2 * MARKS))
            while load.done < events and not loading.done():
                tell(load.done)
                await asyncio.wait([loading], timeout=0.5)
                if load.done >= events - window:  # before the first look they have to grow to their size
                    jobs.append(await job_tables(watching))
            if loading.done():
                await loading
            samples.append(await take(watching, running, events, window, median(jobs or [await job_tables(watching)])))
            keep(samples)
        await loading
    return samples


def ratios(samples: list[Sample]) -> dict[str, float]:
    """What must stay level: its last value over its first."""
    return {name: samples[-1].figures[name] / max(samples[0].figures[name], 1e-9) for name in LEVEL}


def table(samples: list[Sample]) -> Table:
    """First, middle and last look, and the ratio of last to first."""
    shown = [samples[0], samples[len(samples) // 2 - 1], samples[-1]]
    made = Table(title="Soak", title_justify="left")
    made.add_column("after so many events")
    for sample in shown:
        made.add_column(f"{sample.events:,}", justify="right")
    made.add_column("last / first", justify="right")
    made.add_column(f"at most {MOST}")
    grown = ratios(samples)
    for name, first in samples[0].figures.items():
        last = samples[-1].figures[name]
        level = "" if name not in grown else "[green]yes[/]" if grown[name] <= MOST else "[red]no[/]"
        made.add_row(name, *(f"{one.figures[name]:,.1f}" for one in shown), f"{last / max(first, 1e-9):.2f}", level)
    for part, (early, late) in cpu_for_event(samples).items():
        made.add_row(
            f"CPU of {part}, ms an event", f"{early:.1f}", "", f"{late:.1f}", f"{late / max(early, 1e-9):.2f}", ""
        )
    return made


def cpu_for_event(samples: list[Sample]) -> dict[str, tuple[float, float]]:
    """ms of CPU for an event, of each part: between the first two looks, and between the last two."""

    def between(one: Sample, other: Sample, part: str) -> float:
        return 1000 * (other.cpu_s[part] - one.cpu_s[part]) / (other.events - one.events)

    return {
        part: (between(samples[0], samples[1], part), between(samples[-2], samples[-1], part))
        for part in samples[0].cpu_s
    }


if __name__ == "__main__":
    sys.exit(main())
