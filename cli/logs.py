"""`longlead actions` and `longlead decisions`: what the agent did, and what was decided, in order."""

from typing import Annotated

import typer

from cli import answers
from cli.client import Client, Limit, Url, part
from cli.output import Cell, Json, describe_actions, moment, print_rows

Building = Annotated[str, typer.Argument(help="Id of the building.", show_default=False)]
OfEvent = Annotated[
    str | None, typer.Option("--event", help="Only what the event with this id caused.", show_default=False)
]
OfSource = Annotated[
    str | None, typer.Option("--source", help="The event's source, where two sent that id.", show_default=False)
]


def actions(
    building: Building,
    event: OfEvent = None,
    source: OfSource = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List what the agent did in a building, in the order in which it was done."""
    rows = Client(url).rows(f"/buildings/{part(building)}/actions", limit, event_id=event, source=source)
    columns = ["at", "action", "result", "event", "decided by"]
    print_rows(rows, as_json, f"Actions in {building}", columns, _action_row, "Nothing was done.")


def decisions(
    building: Building,
    event: OfEvent = None,
    source: OfSource = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List what rules, models and people decided in a building, with their reasons, in order."""
    rows = Client(url).rows(f"/buildings/{part(building)}/decisions", limit, event_id=event, source=source)
    columns = ["at", "seq", "item", "kind", "who", "decided", "actions", "why"]
    print_rows(rows, as_json, f"Decisions in {building}", columns, _decision_row, "Nothing was decided.")


def _action_row(action: answers.ActionJson) -> list[Cell]:
    done = describe_actions([{"name": action["name"], "arguments": action["arguments"]}])
    return [moment(action["at"]), done, action["result"], action["event_id"], action["responder"]["name"]]


def _decision_row(decision: answers.DecisionJson) -> list[Cell]:
    return [
        moment(decision["at"]),
        decision["seq"],
        decision["item_id"],
        decision["kind"],
        decision["responder"]["name"],
        decision["type"],
        describe_actions(decision["actions"]),
        decision["why"],
    ]
