"""What `longlead evals --stories` does: play labelled stories, count errors of judgement, and show them."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.evals_play import open_console
from cli.files import written_to
from cli.late_progress import LateProgress
from cli.sentences import CommandError
from evals.scratch import scratch_server
from evals.source import ScenarioError
from evals.stories.errors import DANGEROUS, ErrorClass
from evals.stories.format import Story
from evals.stories.reading import KNOWN_ERRORS, find_stories
from evals.stories.results import (
    Failure,
    JudgedQuestion,
    KnownStory,
    StoryResult,
    has_new_errors,
    list_overcome,
    mark_known,
    read_baseline,
    write_results,
)
from evals.stories.run import run_stories
from runtime.logs import set_up_logs
from runtime.settings import load_settings

MALFORMED = 2
"""Exit code where a story does not fit its schema."""
VERDICT_COLOURS = {"wanted": "green", "tolerated": "yellow", "needless": "red"}


def check_options(
    stories: bool, *, scenario_options: Sequence[bool | str | Path | None], story_options: Sequence[bool | Path | None]
) -> None:
    """Refuse options that mean nothing here.

    Raises:
        CommandError: one was given.
    """
    if stories and any(scenario_options):
        raise CommandError("--repeat, --model, --report and --list are for scenarios: leave them out with --stories.")
    if not stories and any(story_options):
        raise CommandError("--json and --questions are for stories: add --stories, or write reports with --report.")


def play_stories(paths: list[str], baseline: Path | None, json_file: Path | None, questions: bool) -> None:
    """Play the stories of these files and folders, and show what came of it.

    Without paths: those that come along, against their known errors.

    Raises:
        CommandError: what was asked for cannot be done.
        Exit: with 1, something is wrong with the agent's judgement; with 2, a story is malformed.
    """
    try:
        stories = find_stories(paths)
    except ScenarioError as error:
        print(error.detail, file=sys.stderr)
        raise typer.Exit(MALFORMED) from error
    compared = baseline or (None if paths else KNOWN_ERRORS)
    known = None if compared is None else read_baseline(compared)
    if json_file is not None:
        with written_to(json_file):
            json_file.touch()
    results = _play(stories)
    if known is not None:
        results = [mark_known(result, known) for result in results]
    if json_file is not None:
        with written_to(json_file):
            write_results(results, json_file)
    _show(open_console(), results, known, questions)
    if has_new_errors(results) if known is not None else any(result.dangerous for result in results):
        raise typer.Exit(1)


def _play(stories: list[Story]) -> list[StoryResult]:
    settings = load_settings()
    set_up_logs(settings.model_copy(update={"log_level": "CRITICAL"}))  # the agent's own log is not the report
    steps = sum(len(story.steps) for story in stories)
    with scratch_server(settings) as conninfo, LateProgress("Playing stories", steps) as progress:
        return asyncio.run(run_stories(conninfo, stories, progress.advance))


def _show(console: Console, results: list[StoryResult], known: list[KnownStory] | None, questions: bool) -> None:
    for result in results:
        if result.failures or result.notes or questions:
            console.print(Text(f"\n{result.name}", "bold"))
        for failure in result.failures:
            console.print(_describe(failure))
        for note in result.notes:
            console.print(Text(f"  note: {note}", "dim"))
        if questions:
            for question in result.asked:
                console.print(_describe_question(question))
    console.print(_tabulate(results, has_baseline=known is not None))
    for result in results if known is not None else []:
        for failure in list_overcome(result, known or []):
            console.print(
                Text(f"Overcome: {failure.error_class.label} at step {failure.step} of {result.name}.", "green")
            )
    console.print(_conclude(results, has_baseline=known is not None))


def _describe(failure: Failure) -> Text:
    style = "red" if failure.error_class in DANGEROUS else "yellow"
    known = " (known)" if failure.is_known else ""
    times = f" x {failure.count}" if failure.count > 1 else ""
    why = f" | {failure.why}" if failure.why else ""
    return Text.assemble(
        "  ",
        (failure.error_class.label, style),
        f"{times}{known}  step {failure.step}, {failure.day}: {failure.what} | "
        f"want {failure.want} | saw {failure.seen}{why}",
    )


def _describe_question(question: JudgedQuestion) -> Text:
    return Text.assemble(
        "  ? ",
        (question.verdict, VERDICT_COLOURS[question.verdict]),
        f"  {question.at} step {question.step}, by {question.cause}: {question.kind} {question.item or '-'} | "
        f"{question.summary} => {question.recommends}",
    )


def _tabulate(results: list[StoryResult], *, has_baseline: bool) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Story", no_wrap=True)
    for name in ("steps", "questions", *(one.value.replace("_", " ") for one in ErrorClass), "s"):
        table.add_column(name, justify="right")
    for result in results:
        counts = (_count(result, error_class, has_baseline) for error_class in ErrorClass)
        table.add_row(Text(result.name), str(result.steps), str(result.questions), *counts, f"{result.seconds:.1f}")
    return table


def _count(result: StoryResult, error_class: ErrorClass, has_baseline: bool) -> Text:
    """How many of a class, and how many of them are new."""
    count = result.count(error_class)
    new = sum(one.count for one in result.failures if one.error_class == error_class and not one.is_known)
    if not count:
        return Text("0", "dim")
    if has_baseline:
        return Text(f"{count}, {new} new", "bold red") if new else Text(f"{count} known", "yellow")
    return Text(str(count), "bold red" if error_class in DANGEROUS else "yellow")


def _conclude(results: list[StoryResult], *, has_baseline: bool) -> Text:
    total = sum(failure.count for result in results for failure in result.failures)
    if not total:
        return Text("No error of judgement.", "bold green")
    counted = f"{total} error{'s' if total > 1 else ''} of judgement"
    if has_baseline:
        new = sum(one.count for result in results for one in result.failures if not one.is_known)
        return Text(f"{counted}, {new} new.", "bold red" if new else "yellow")
    dangerous = sum(result.dangerous for result in results)
    named = "false all-clears, wrong states, wrong actions alone"
    return Text(f"{counted}, {dangerous} dangerous ({named}).", "bold red" if dangerous else "yellow")
