"""`longlead evals`: play scenarios against the agent, and say what is not as it should be."""

from pathlib import Path
from typing import Annotated

import typer


def evals(
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATTERN]...",
            help="Words or * of names, files or folders; all when absent. With --stories: files or folders.",
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="Play each so often, every time from nothing.")] = 1,
    model: Annotated[
        str | None,
        typer.Option(help="Ask these models, cheap to strong, in place of the recorded answers.", show_default=False),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for results.json, junit.xml and report.html.", show_default=False),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="results.json (stories: JSON) of an earlier run: say what has changed.", show_default=False),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the scenarios and play none.")] = False,
    stories: Annotated[
        bool, typer.Option("--stories", help="Play labelled stories of buildings, and count errors of judgement.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="With --stories: write the counts here.", show_default=False)
    ] = None,
    questions: Annotated[
        bool, typer.Option("--questions", help="With --stories: list every question with its verdict.")
    ] = False,
) -> None:
    """Play the recorded scenarios through the real graph and PostgreSQL, and judge what the agent did.

    On a fresh embedded database, or in a scratch database beside the one of LONGLEAD_DATABASE_URL. Exits with 1 when
    a scenario fails. With --stories: with 1 when a story has a dangerous error (with --baseline, or without PATTERN:
    any error that is not known), with 2 when a story is malformed.
    """
    from cli.evals_stories import check_options, play_stories

    check_options(stories, scenario_options=(repeat != 1, model, report, show), story_options=(json_file, questions))
    if stories:
        play_stories(patterns or [], baseline, json_file, questions)
        return
    from cli.evals_play import play

    play(patterns or [], repeat, model, report, baseline, show)
