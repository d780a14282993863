"""`longlead links`: end links that were sent."""

from typing import Annotated, Any

import typer

from cli.client import Client, OfBuilding, Url
from cli.output import Json, moment, print_json
from cli.sentences import CommandError

app = typer.Typer(no_args_is_help=True, help="End links that were sent, before their time.")


@app.callback()
def links() -> None:
    """End links that were sent, before their time."""


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
    body: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    revoked = Client(url).post("/links/revoke", body)
    if as_json:
        print_json(revoked)
    else:
        print(f"Links made until {moment(revoked['revoked_at'])} UTC no longer open.")
