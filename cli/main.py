"""The console script `longlead`. `longlead --help` is the manual."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli import approvals, buildings, database, delegations, events, forks, keys, links, messages, rules, service
from cli.backtest import backtest
from cli.evals import evals
from cli.history import history
from cli.record import record
from cli.sentences import Sentences
from cli.status import status
from cli.studio import studio
from runtime.settings import find_unknown_variables

app = typer.Typer(
    cls=Sentences,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Longlead: an autonomous procurement agent for construction, one per building.",
    epilog="Settings are environment variables LONGLEAD_*, such as LONGLEAD_URL, LONGLEAD_API_KEY, "
    "LONGLEAD_DATABASE_URL and LONGLEAD_DATA_DIR.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"longlead {version('longlead')}")
        raise typer.Exit


_REFUSES_UNKNOWN_SETTINGS = ("serve", "worker")
"""Commands that do not start where a setting is unknown; the others warn of it."""


@app.callback()
def longlead(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Longlead: an autonomous procurement agent for construction, one per building."""
    if context.invoked_subcommand not in _REFUSES_UNKNOWN_SETTINGS:
        for unknown in find_unknown_variables():
            print(f"Warning: {unknown}", file=sys.stderr)


_RUN, _ASK, _BACK, _CHECK = "Run", "Ask and answer", "Look back, and try otherwise", "Check the agent"
app.command(rich_help_panel=_RUN)(service.serve)
app.command(rich_help_panel=_RUN)(service.worker)
app.command(rich_help_panel=_RUN)(status)
app.command(rich_help_panel=_RUN)(service.demo)
app.command(rich_help_panel=_RUN)(studio)
app.add_typer(database.app, name="db", rich_help_panel=_RUN)
app.add_typer(keys.app, name="keys", rich_help_panel=_RUN)
app.add_typer(links.app, name="links", rich_help_panel=_RUN)
app.add_typer(buildings.app, name="building", rich_help_panel=_ASK)
app.add_typer(events.app, name="events", rich_help_panel=_ASK)
app.add_typer(approvals.app, name="approvals", rich_help_panel=_ASK)
app.add_typer(messages.app, name="messages", rich_help_panel=_ASK)
app.add_typer(rules.app, name="rules", rich_help_panel=_ASK)
app.add_typer(delegations.app, name="delegations", rich_help_panel=_ASK)
app.command(rich_help_panel=_BACK)(history)
app.add_typer(forks.app, name="fork", rich_help_panel=_BACK)
app.command(rich_help_panel=_BACK)(backtest)
app.command(rich_help_panel=_CHECK)(evals)
app.command(rich_help_panel=_CHECK)(record)
