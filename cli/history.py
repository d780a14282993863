"""`longlead history`: the agent's own steps, and its state at one of them."""

from typing import Annotated

import typer

from cli import answers
from cli.client import Client, Limit, Url, part
from cli.output import Cell, Json, moment, print_json, print_table


def history(
    building: Annotated[str, typer.Argument(help="Id of the building.", show_default=False)],
    checkpoint: Annotated[
        str | None, typer.Argument(help="A checkpoint, to see the state there.", show_default=False)
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Look back: the agent's steps, the newest first, or its state at one of them."""
    client = Client(url)
    if checkpoint is not None:
        print_json(client.get(f"/buildings/{part(building)}/history/{part(checkpoint)}"))
        return
    rows = list(client.rows(f"/buildings/{part(building)}/history", limit))
    if as_json:
        print_json(rows)
        return
    print_table(
        f"History of {building}",
        ["checkpoint", "at", "seq", "event", "nodes", "next", "saved", "live"],
        map(_row, rows),
        "The agent has not taken a step yet.",
    )


def _row(step: answers.StepJson) -> list[Cell]:
    return [
        step["checkpoint_id"],
        moment(step["at"]),
        step["seq"],
        step["event_type"],
        ", ".join(step["nodes"]),
        ", ".join(step["next"]),
        ", ".join(step["rows"] or []),
        "yes" if step["live"] else "no (Studio)",
    ]
