"""`longlead evals`: play scenarios against the agent, and say what is not as it should be."""

from pathlib import Path
from typing import Annotated

import typer


def evals(
    patterns: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATTERN]...", help="Words or * of names, files or folders; all when absent."),
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
        Path | None, typer.Option(help="results.json of an earlier run: say what has changed.", show_default=False)
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the scenarios and play none.")] = False,
) -> None:
    """Play the recorded scenarios through the real graph and PostgreSQL, and judge what the agent did.

    On a fresh embedded database, or in a scratch database beside the one of LONGLEAD_DATABASE_URL. Exits with 1 when
    a scenario fails.
    """
    from cli.evals_play import play

    play(patterns or [], repeat, model, report, baseline, show)
