"""`longlead links`: make links to pages, see what was done with them, and end them."""

from typing import Annotated

import typer

from cli import answers
from cli.client import Client, Limit, OfBuilding, Url, part
from cli.output import Cell, Json, moment, print_json, print_rows
from cli.sentences import CommandError

app = typer.Typer(no_args_is_help=True, help="Make links to pages, see their uses, and end them before their time.")


@app.command()
def make(
    approval: Annotated[
        str | None, typer.Option("--approval", help="To this question, for you to answer.", show_default=False)
    ] = None,
    log: Annotated[
        str | None,
        typer.Option("--log", help="To the procurement log of this building, to pass on.", show_default=False),
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Make a link to a page, and print it. Whoever has it can open the page, without a key."""
    if (approval is None) == (log is None):
        raise CommandError("Say where it leads: one of --approval and --log.")
    where = f"/approvals/{part(approval)}/link" if approval is not None else f"/buildings/{part(log or '')}/log-link"
    made = Client(url).post(where)
    if as_json:
        print_json(made)
        return
    print(made["url"])
    print(f"It opens until {moment(made['expires_at'])} UTC. End it before with `longlead links revoke`.")


@app.command()
def uses(
    building: Annotated[str, typer.Argument(help="Id of the building.", show_default=False)],
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List what was done with the links of a building, the oldest first."""
    rows = Client(url).rows(f"/buildings/{part(building)}/link-uses", limit)
    columns = ["at", "page", "of", "made for", "name", "what", "why"]
    print_rows(rows, as_json, f"Uses of links of {building}", columns, _row, "No link was used yet.")


@app.command()
def revoke(
    every: Annotated[bool, typer.Option("--all", help="Every link, or every one of the building named.")] = False,
    approval: Annotated[
        str | None, typer.Option("--approval", help="Links to this question.", show_default=False)
    ] = None,
    person: Annotated[
        str | None,
        typer.Option("--person", help="Links of this person: a role, or the id of a key.", show_default=False),
    ] = None,
    building: OfBuilding = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """End the links that were made until now. Whoever is still asked gets a new one with the next reminder."""
    if [every, approval is not None, person is not None].count(True) != 1:
        raise CommandError("Say which links end: one of --all, --approval and --person.")
    wanted = {"all": every, "approval_id": approval, "person": person, "building_id": building}
    body = {name: value for name, value in wanted.items() if value}
    revoked = Client(url).post("/links/revoke", body)
    if as_json:
        print_json(revoked)
    else:
        print(f"Links made until {moment(revoked['revoked_at'])} UTC no longer open.")


def _row(use: answers.LinkUseJson) -> list[Cell]:
    return [moment(use["at"]), use["page"], use["subject"], use["person"], use["name"], use["what"], use["why"]]
