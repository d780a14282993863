"""`longlead backtest`: what would have come out differently under other rules, another policy, another model?"""

from pathlib import Path
from typing import Annotated

import typer

from cli.database import Data
from cli.output import Json


def backtest(
    building: Annotated[
        list[str] | None, typer.Argument(help="Ids of buildings; all of them when absent.", show_default=False)
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="File of rules and delegations to try.", show_default=False)
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="File of policy fields to try.", show_default=False)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Model to ask anew (OPENAI_BASE_URL, OPENAI_API_KEY); else what models said then counts.",
            show_default=False,
        ),
    ] = None,
    lanes: Annotated[int, typer.Option("--lanes", min=1, max=50, help="How many buildings run at once.")] = 8,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Run recorded histories again on sandboxes, under changed settings, and show what comes out differently.

    Works on the database itself, beside a running service. Sandboxes without a difference are deleted at the end.
    """
    from cli.backtest_run import run_backtest

    run_backtest(building or [], rules, policy, model, lanes, data, as_json)
