"""`longlead approvals`: read the agent's questions and answer them."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.client import Client, Limit, OfBuilding, Url, Wait, part
from cli.files import read_json
from cli.output import Json, actions, moment, print_fields, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Read the agent's questions, and answer them.")

Id = Annotated[str, typer.Argument(help="Id of the approval.", show_default=False)]


class Answer(StrEnum):
    """How a question may be answered."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    RESPOND = "respond"


@app.command("list")
def list_(
    status: Annotated[
        str, typer.Option("--status", help="pending, decided, superseded or withdrawn; all for every one.")
    ] = "pending",
    building: OfBuilding = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List questions, the oldest first."""
    wanted = None if status == "all" else status
    rows = list(Client(url).rows("/approvals", limit, status=wanted, building_id=building))
    if as_json:
        print_json(rows)
        return
    print_table(
        "Approvals",
        ["approval", "building", "item", "kind", "status", "raised", "question"],
        map(_row, rows),
        "Nothing waits for an answer." if wanted == "pending" else "There are none.",
    )


@app.command()
def show(approval: Id, as_json: Json = False, url: Url = None) -> None:
    """Show a question with its options and evidence."""
    found = Client(url).get(f"/approvals/{part(approval)}")
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "approval": found["approval_id"],
            "building": found["building_id"],
            "item": found["item_id"],
            "kind": found["kind"],
            "status": found["status"],
            "version": found["version"],
            "asked of": found["asked_of"],
            "reminder": moment(found["due_at"]),
            "question": found["summary"],
            "recommended": actions(found["recommended"]),
            "answered": found["decision"] and found["decision"]["type"],
            "by": found["decision"] and found["decision"]["responder"]["name"],
        }
    )
    print_table("Options", _OPTION_COLUMNS, map(_option_row, found["options"]), "No options.")
    print_fields(found["evidence"])


@app.command()
def decide(
    approval: Id,
    answer: Annotated[Answer, typer.Argument(help="How you answer.", show_default=False)],
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="Why; with respond: the answer.", show_default=False)
    ] = None,
    edited: Annotated[
        str | None,
        typer.Option(
            "--actions",
            help="With edit: JSON list of the actions to do instead; a file, - or the text itself.",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="The version that you read.", show_default=False)
    ] = None,
    wait: Wait = 0,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Answer a question. The first answer counts."""
    body = {"type": answer.value, "message": message, "version": version}
    body["actions"] = None if edited is None else read_json(edited)
    given = {name: value for name, value in body.items() if value is not None}
    decided = Client(url).post(f"/approvals/{part(approval)}/decision", given, wait=wait)
    if as_json:
        print_json(decided)
    else:
        print(_SAID[decided["status"]])


_SAID = {
    "accepted": "Accepted: it will be applied in its turn.",
    "applied": "Applied.",
    "outdated": "Outdated: the facts had changed meanwhile, so nothing was done. The question is asked again.",
    "failed": "It could not be applied. The question is asked again; see `longlead events list --status dead`.",
}
_OPTION_COLUMNS = ["option", "actions", "arrival", "days late", "cost", "assumptions"]


def _option_row(option: dict[str, Any]) -> list[Any]:
    return [option["title"], actions(option["actions"]), option["arrival"], option["days_late"]] + [
        option["cost"],
        "; ".join(option["assumptions"]),
    ]


def _row(approval: dict[str, Any]) -> list[Any]:
    return [approval["approval_id"], approval["building_id"], approval["item_id"], approval["kind"]] + [
        approval["status"],
        moment(approval["raised_at"]),
        approval["summary"],
    ]
