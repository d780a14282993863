"""The console script `longlead`. `longlead --help` is the manual."""

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


@app.callback()
def longlead(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Longlead: an autonomous procurement agent for construction, one per building."""
