"""What `longlead evals` does: play scenarios, tell what came of them, write reports."""

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.files import written_to
from cli.late_progress import LateProgress
from cli.sentences import CommandError
from evals import library
from evals.problems import DANGEROUS
from evals.reports.html import write_html
from evals.reports.junit import write_junit
from evals.reports.langfuse_experiment import LangfuseError, send
from evals.results import Run, ScenarioResult, changes, read_json, write_json
from evals.run import run
from evals.scenario import Scenario
from evals.scratch import scratch_server
from runtime.logs import set_up_logs
from runtime.settings import load_settings

PLAIN_WIDTH = 118
"""Columns where no terminal says how many it has."""


def play(
    patterns: list[str], repeat: int, model: str | None, report: Path | None, baseline: Path | None, show: bool
) -> None:
    """Play the scenarios named and tell what came of it; `show`: list them and play none.

    Raises:
        CommandError: what was asked for cannot be done.
        Exit: with 1, a scenario failed.
    """
    console = open_console()
    scenarios = library.find(patterns)
    if show:
        _list(console, scenarios)
        return
    if model is not None and not all(name.strip() for name in model.split(",")):
        raise CommandError("--model names no model: write one name, or several with commas between them.")
    if report is not None:
        with written_to(report):
            report.mkdir(parents=True, exist_ok=True)
    earlier = None if baseline is None else read_json(baseline)
    found = _play(console, scenarios, repeat, model)
    changed = None if earlier is None else changes(earlier, found)
    _tell(console, found, changed)
    if report is not None:
        _write(console, found, changed, report)
    _to_langfuse(console, found, scenarios)
    if found.failed:
        raise typer.Exit(1)


def open_console() -> Console:
    """Where tables are printed: as wide as the terminal, or wide enough for a file."""
    probe = Console(highlight=False)
    return probe if probe.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def _list(console: Console, scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        console.print(Text.assemble((scenario.name, "bold"), f"  {scenario.title}"))
        console.print(Text(f"    {scenario.why}", "dim"))


def _play(console: Console, scenarios: list[Scenario], rounds: int, model: str | None) -> Run:
    """Play them with a bar on a terminal; failures are told as they come."""
    settings = load_settings()
    set_up_logs(settings.model_copy(update={"log_level": "CRITICAL"}))  # scenarios fail on purpose, and loudly
    with ExitStack() as stack:
        total = len(scenarios) * rounds
        progress = stack.enter_context(LateProgress("Starting PostgreSQL", total, console=console))
        conninfo = stack.enter_context(scratch_server(settings))

        def tell(result: ScenarioResult) -> None:
            progress.describe(result.name)
            progress.advance()
            if not result.passed:
                console.print(Text.assemble(("failed  ", "bold red"), result.name, f": {result.title}"))

        return asyncio.run(run(conninfo, scenarios, tell, rounds=rounds, model=model))


def _tell(console: Console, found: Run, changed: list[str] | None) -> None:
    console.print(_results(found))
    for result in found.failed:
        console.print(Text.assemble(("\nFAILED  ", "bold red"), (result.title, "bold"), f"  ({result.name})"))
        for problem in result.problems:
            where = f"step {problem.step}: " if problem.step else ""
            style = "red" if problem.kind in DANGEROUS else "yellow"
            console.print(Text.assemble(f"  {where}", (problem.kind.value, style), f": {problem.detail}"))
    if changed is not None:
        console.print(Text("\nAgainst the baseline", "bold"))
        for line in changed or ["nothing has changed"]:
            console.print(Text(f"  {line}"))
    console.print(_scores(found))
    passed = len(found.results) - len(found.failed)
    style = "bold red" if found.failed else "bold green"
    console.print(Text(f"{passed} of {len(found.results)} scenarios passed. {found.seconds:.1f} s.", style))


def _results(found: Run) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("Scenario", "What happens", "Steps", "s", "Result"):
        table.add_column(name, justify="right" if name in ("Steps", "s") else "left", no_wrap=name != "What happens")
    for result in found.results:
        steps = str(sum(moment.number is not None for moment in result.timeline))
        verdict = Text("passed", "green") if result.passed else Text(f"{len(result.problems)} wrong", "bold red")
        table.add_row(Text(result.name), Text(result.title), steps, f"{result.seconds:.1f}", verdict)
    return table


def _scores(found: Run) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Errors")
    table.add_column("", justify="right")
    for kind, count in found.scores().items():
        name = f"{kind.value} (dangerous)" if kind in DANGEROUS else kind.value
        table.add_row(Text(name), Text(str(count), "bold red" if count else "dim"))
    return table


def _to_langfuse(console: Console, found: Run, scenarios: list[Scenario]) -> None:
    """Where its keys are set. What goes wrong there changes nothing of the run's own result."""
    try:
        url = send(load_settings(), found, scenarios)
    except LangfuseError as error:
        print(f"Note: {error.detail}", file=sys.stderr)
        return
    if url is not None:
        console.print(f"In Langfuse: {url}")


def _write(console: Console, found: Run, changed: list[str] | None, folder: Path) -> None:
    with written_to(folder):
        write_json(found, folder / "results.json")
        write_junit(found, folder / "junit.xml")
        write_html(found, changed, folder / "report.html")
    console.print(f"Written to {folder}: results.json, junit.xml, report.html.")
