"""The console script `longlead`. `longlead --help` is the manual."""

import sys
from typing import Annotated, Any

import typer

from cli.lazy import make_placeholders
from cli.manual import ENTRIES
from cli.sentences import Sentences


class Manual(Sentences):
    """The root of the commands, which imports none of them."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands.update(make_placeholders(ENTRIES))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep whether help is asked for: it needs no settings, and is there at once."""
        ctx.meta[_ASKS_FOR_HELP] = bool({"-h", "--help"} & set(args))
        return super().parse_args(ctx, args)


_ASKS_FOR_HELP = "longlead.asks_for_help"


app = typer.Typer(
    cls=Manual,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Longlead: an autonomous procurement agent for construction, one per building.",
    epilog="Settings are environment variables LONGLEAD_*, such as LONGLEAD_URL, LONGLEAD_API_KEY, "
    "LONGLEAD_DATABASE_URL and LONGLEAD_DATA_DIR.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

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
    if context.invoked_subcommand in _REFUSES_UNKNOWN_SETTINGS or context.meta[_ASKS_FOR_HELP]:
        return
    from runtime.settings import find_unknown_variables

    for unknown in find_unknown_variables():
        print(f"Warning: {unknown}", file=sys.stderr)
