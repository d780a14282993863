"""`longlead delegations`: what may be decided without asking you."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import answers
from cli.client import Client, Limit, OfBuilding, Url, part
from cli.output import Cell, Json, moment, print_json, print_table

if TYPE_CHECKING:  # help needs none of pydantic
    from domain.plain_json import JsonObject

app = typer.Typer(no_args_is_help=True, help="Say what may be decided without asking, and take it back.")


@app.command("list")
def list_(
    building: OfBuilding = None,
    status: Annotated[str, typer.Option("--status", help="active, suspended, revoked, or all.")] = "active",
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List delegations, the oldest first."""
    wanted = None if status == "all" else status
    rows = list(Client(url).rows("/delegations", limit, building_id=building, status=wanted))
    if as_json:
        print_json(rows)
        return
    columns = ["delegation", "question", "actions", "only for", "at most", "to", "by", "until", "status"]
    print_table("Delegations", columns, map(_row, rows), "Nothing is delegated.")


@app.command()
def grant(
    building: Annotated[str, typer.Argument(help="The building.", show_default=False)],
    kind: Annotated[str, typer.Argument(help="The kind of question, such as inspection_failed.", show_default=False)],
    action: Annotated[list[str], typer.Argument(help="Names of the actions that may be taken.", show_default=False)],
    category: Annotated[
        str | None, typer.Option("--category", help="Only for lines of this category.", show_default=False)
    ] = None,
    vendor: Annotated[
        str | None, typer.Option("--vendor", help="Only for lines of this vendor.", show_default=False)
    ] = None,
    item: Annotated[str | None, typer.Option("--item", help="Only for this line.", show_default=False)] = None,
    limit: Annotated[
        str | None,
        typer.Option("--amount", help="Most that one decision may commit; po_limit when absent.", show_default=False),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", help="For so many days; until revoked when absent.", show_default=False)
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Id of a program's key; else the learned rules.", show_default=False),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="What to keep with it.", show_default=False)] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Allow a kind of question to be decided without asking."""
    body: JsonObject = {
        "building_id": building,
        "kind": kind,
        "actions": [*action],
        "category": category,
        "vendor_id": vendor,
    }
    body |= {"item": item, "amount_limit": limit, "days": days, "granted_to": to, "note": note}
    granted = Client(url).post("/delegations", {name: value for name, value in body.items() if value is not None})
    if as_json:
        print_json(granted)
    else:
        print(f"Granted: {granted['delegation_id']}. Take it back with `longlead delegations revoke`.")


@app.command()
def revoke(
    delegation: Annotated[str, typer.Argument(help="Id of the delegation.", show_default=False)],
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Take a delegation back: from now on you are asked again."""
    revoked = Client(url).delete(f"/delegations/{part(delegation)}")
    if as_json:
        print_json(revoked)
    else:
        print(f"Revoked: {revoked['delegation_id']}. Such questions are put to a person again.")


def _row(row: answers.DelegationJson) -> list[Cell]:
    only = [one for one in (row["category"], row["vendor_id"], row["item_id"], row["about"]) if one]
    return [
        row["delegation_id"],
        row["kind"],
        ", ".join(row["actions"]),
        ", ".join(only) or "any line",
        row["amount_limit"] or "po_limit",
        row["granted_to"],
        row["granted_by"],
        moment(row["expires_at"]) or "it is revoked",
        row["status"],
    ]
