"""`longlead messages`: what leaves the building, and sending again what reached nobody."""

from enum import StrEnum
from typing import Annotated

import typer

from cli import answers
from cli.client import Client, Limit, OfBuilding, Url, part
from cli.output import Cell, Json, moment, print_json, print_rows, print_table
from domain.outside import one_line

app = typer.Typer(
    no_args_is_help=True, help="List messages and orders for outside, and send again what reached nobody."
)


class Status(StrEnum):
    """What became of a message: `MessageStatus` of storage/outbox.py, whose import would take too long here."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    LOGGED = "logged"
    DEAD = "dead"
    WITHHELD = "withheld"


@app.command("list")
def list_(
    building: OfBuilding = None,
    status: Annotated[
        Status | None, typer.Option("--status", help="Only those with this status.", show_default=False)
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List messages in the order in which they were written, with what became of them."""
    rows = list(Client(url).rows("/outbox", limit, building_id=building, status=status))
    if as_json:
        print_json(rows)
        return
    print_table(
        "Messages",
        ["id", "building", "to", "subject", "status", "attempts", "written", "last error"],
        map(_row, rows),
        "There are none.",
    )


@app.command()
def log(
    building: Annotated[str, typer.Argument(help="Id of the building.", show_default=False)],
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List what the agent of a building said, with what became of it, and what it was told, in order."""
    rows = Client(url).rows(f"/buildings/{part(building)}/messages", limit)
    columns = ["message", "item", "direction", "to or from", "text", "urgency", "status", "event"]
    print_rows(rows, as_json, f"Messages of {building}", columns, _said, "Nothing was said yet.")


@app.command()
def retry(
    message: Annotated[int, typer.Argument(min=1, help="Its id, as listed.", show_default=False)],
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Send a dead or logged message again, with the same key, on the ways that the settings name now."""
    retried = Client(url).post(f"/outbox/{message}/retry")
    if as_json:
        print_json(retried)
    else:
        print(f"Message {message} to {retried['recipient']} is {retried['status']} again.")
        if retried.get("warning"):
            print(one_line(retried["warning"]))


def _said(message: answers.MessageJson) -> list[Cell]:
    because = message["withheld_because"]
    status = f"{message['status']} ({because})" if because else message["status"]
    return [
        message["message_id"],
        message["item_id"],
        message["direction"],
        message["party"],
        message["text"],
        message["urgency"],
        status,
        message["event_id"],
    ]


def _row(message: answers.DeliveredJson) -> list[Cell]:
    return [
        message["outbox_id"],
        message["building_id"],
        message["recipient"],
        message["subject"],
        message["status"],
        message["attempts"],
        moment(message["created_at"]),
        message["error"],
    ]
