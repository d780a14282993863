"""`longlead fork`: stand at any point of a building's past and try otherwise."""

from typing import Annotated

import typer

from cli import answers
from cli.client import Client, Limit, Url, part
from cli.output import Cell, Json, moment, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Sandboxes of a building as it was: what if?")

Building = Annotated[str, typer.Argument(help="Id of the building.", show_default=False)]
Fork = Annotated[str, typer.Argument(help="Id of the fork.", show_default=False)]


@app.command()
def create(
    building: Building,
    before: Annotated[
        int | None,
        typer.Option("--before", min=1, help="Number of the event before which it begins.", show_default=False),
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help="A checkpoint of `longlead history`.", show_default=False)
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Make a sandbox of the building as it was before an event, at a checkpoint, or as it is now.

    It is a building of its own: send it events and answers as any other. Nothing of it leaves Longlead.
    """
    body = {"before_event": before, "checkpoint_id": checkpoint}
    made = Client(url).post(f"/buildings/{part(building)}/forks", {k: v for k, v in body.items() if v is not None})
    if as_json:
        print_json(made)
        return
    print(f"{made['fork_id']} begins after event {made['after_event']} of {building}.")
    if made["in_hand"] is not None:
        print(f"Event {made['in_hand']}, which was being processed there, goes on in it.")
    if made["note"]:
        print(made["note"])
    print(f"Compare it with what really happened: longlead fork diff {building} {made['fork_id']}")


@app.command("list")
def list_(building: Building, limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """List a building's forks, the oldest first."""
    rows = list(Client(url).rows(f"/buildings/{part(building)}/forks", limit))
    if as_json:
        print_json(rows)
        return
    print_table(
        f"Forks of {building}",
        ["fork", "begins after event", "events since", "open questions", "made by", "at"],
        map(_row, rows),
        "There are none.",
    )


@app.command()
def diff(building: Building, fork: Fork, as_json: Json = False, url: Url = None) -> None:
    """Show how a fork differs from what really happened."""
    from cli.fork_words import print_difference

    found = Client(url).get(f"/buildings/{part(building)}/forks/{part(fork)}/diff")
    if as_json:
        print_json(found)
        return
    print_difference(found)


@app.command()
def delete(building: Building, fork: Fork, url: Url = None) -> None:
    """Delete a fork with everything that belongs to it."""
    Client(url).delete(f"/buildings/{part(building)}/forks/{part(fork)}")
    print(f"{fork} is gone.")


def _row(fork: answers.ForkJson) -> list[Cell]:
    return [
        fork["fork_id"],
        fork["after_event"],
        fork["events_since"],
        fork["pending_approvals"],
        fork["created_by"]["name"],
        moment(fork["created_at"]),
    ]
