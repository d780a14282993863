"""`longlead events`: send, list and retry events."""

import sys
from typing import Annotated

import typer

from cli import answers
from cli.client import Client, Limit, UnansweredError, Url, Wait, part
from cli.files import read_events
from cli.late_progress import LateProgress
from cli.output import Cell, Json, moment, print_fields, print_json, print_table
from cli.sending import Failure
from cli.sentences import CommandError

app = typer.Typer(no_args_is_help=True, help="Send, list, show and retry events.")

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

Building = Annotated[str, typer.Argument(help="Id of the building.", show_default=False)]


@app.command()
def send(
    building: Building,
    events: Annotated[
        str,
        typer.Argument(
            help="JSON of one event, a list of them or one on each line: a file, - for standard input, "
            "or the text itself.",
            show_default=False,
        ),
    ],
    first: Annotated[int, typer.Option("--from", min=1, help="Number of the first one to send, counted from 1.")] = 1,
    wait: Wait = 0,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Send events, in order. It stops at the first one that is refused; those before it are stored.

    Where it stopped, and how to go on, is said; with --json also as {"stored": [...], "failed": {...}}. What has an
    event_id may be sent again: it is stored once.
    """
    given = read_events(events)
    if first > max(len(given), 1):
        raise CommandError(f"--from {first}: there are only {len(given)} events. Nothing was sent.")
    stored: list[answers.AcceptedJson] = []
    try:
        with Client(url) as client, LateProgress("events", len(given) - first + 1) as progress:
            for one in given[first - 1 :]:
                stored.append(client.post(f"/buildings/{part(building)}/events", one.event, wait=wait))
                progress.advance()
    except CommandError as error:
        failure = Failure(given, first, len(stored), error)
        if as_json:
            print_json({"stored": stored, "failed": failure.to_json()})
        raise CommandError(failure.describe(building)) from error
    except KeyboardInterrupt:
        if len(stored) == len(given) - first + 1:
            raise
        failure = Failure(given, first, len(stored), UnansweredError("Interrupted."))
        if as_json:
            print_json({"stored": stored, "failed": failure.to_json()})
        print(f"Error: {failure.describe(building)}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(stored)
        return
    print_table(
        "Stored",
        ["seq", "event", "status"],
        ([event["seq"], event["event_id"], event["status"]] for event in stored),
        "There was no event to send.",
    )


@app.command("list")
def list_(
    building: Building,
    status: Annotated[
        str | None, typer.Option("--status", help="Only queued, running, done or dead ones.", show_default=False)
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List a building's events in order, with what became of them."""
    rows = list(Client(url).rows(f"/buildings/{part(building)}/events", limit, status=status))
    if as_json:
        print_json(rows)
        return
    print_table(
        f"Events of {building}",
        ["seq", "type", "event", "source", "status", "attempts", "received", "last error"],
        map(_row, rows),
        "There are none.",
    )


@app.command()
def show(
    building: Building,
    event: Annotated[str, typer.Argument(help="Its event_id.", show_default=False)],
    source: Annotated[
        str | None, typer.Option("--source", help="Its source, where two sources sent that id.", show_default=False)
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Show one event with what became of it."""
    found = Client(url).get(f"/buildings/{part(building)}/events/{part(event)}", source=source)
    if as_json:
        print_json(found)
    else:
        print_fields({name.replace("_", " "): value for name, value in found.items()})


@app.command()
def retry(
    building: Building,
    event: Annotated[str, typer.Argument(help="Its event_id.", show_default=False)],
    source: Annotated[
        str | None, typer.Option("--source", help="Its source, where two sources sent that id.", show_default=False)
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Queue a dead event again, after what killed it was mended."""
    address = f"/buildings/{part(building)}/events/{part(event)}/retry"
    retried = Client(url).post(address, source=source)
    if as_json:
        print_json(retried)
    else:
        print(f"Event {retried['event_id']} is queued again, as generation {retried['generation']}.")


def _row(event: answers.EventJson) -> list[Cell]:
    """With the first line of its error: --json has all of it."""
    return [
        event["seq"],
        event["event_type"],
        event["event_id"],
        event["source"],
        event["status"],
        event["attempts"],
        moment(event["received_at"]),
        (event["error"] or "").partition("\n")[0] or None,
    ]
