"""`longlead vendors`: who may be ordered from, and where orders go."""

from typing import Annotated, Any

import typer

from cli.client import Client, Limit, Url, part
from cli.output import Json, describe_changes, print_json, print_rows
from cli.sentences import CommandError

app = typer.Typer(no_args_is_help=True, help="List, add and change the vendors of a building.")

Building = Annotated[str, typer.Argument(help="Id of the building.", show_default=False)]
Id = Annotated[str, typer.Argument(help="Id of the vendor.", show_default=False)]

MAX_VENDORS = 2000


@app.command("list")
def list_(building: Building, limit: Limit = MAX_VENDORS, as_json: Json = False, url: Url = None) -> None:
    """List a building's vendors, by id."""
    rows = Client(url).rows(f"/buildings/{part(building)}/vendors", limit)
    columns = ["vendor", "name", "contact", "approved"]
    empty = "It has no vendors. Add one with `longlead vendors add`."
    print_rows(rows, as_json, f"Vendors of {building}", columns, _row, empty)


@app.command()
def add(
    building: Building,
    vendor: Id,
    name: Annotated[str, typer.Argument(help="Name of the company.", show_default=False)],
    contact: Annotated[
        str | None, typer.Option("--contact", help="Address that orders go to.", show_default=False)
    ] = None,
    approved: Annotated[
        bool, typer.Option("--approved/--not-approved", help="Not approved: every order to it asks a person.")
    ] = True,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Add a vendor that may be ordered from. The same again changes nothing."""
    body: dict[str, Any] = {"vendor_id": vendor, "name": name, "approved": approved}
    if contact is not None:
        body["contact"] = contact
    added = Client(url).post(f"/buildings/{part(building)}/vendors", body)
    if as_json:
        print_json(added)
    else:
        print(f"{added['vendor_id']} is a vendor of {building}: {', '.join(map(str, _row(added)[1:]))}.")


@app.command()
def change(
    building: Building,
    vendor: Id,
    name: Annotated[str | None, typer.Option("--name", help="Name of the company.", show_default=False)] = None,
    contact: Annotated[
        str | None, typer.Option("--contact", help="Address that orders go to.", show_default=False)
    ] = None,
    no_contact: Annotated[bool, typer.Option("--no-contact", help="Take the address away.")] = False,
    approved: Annotated[
        bool | None,
        typer.Option(
            "--approved/--not-approved", help="Not approved: every order to it asks a person.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Change a vendor. What is not named stays as it is; what was and what is, is printed."""
    if contact is not None and no_contact:
        raise CommandError("Say either --contact or --no-contact.")
    given = {"name": name, "contact": contact, "approved": approved}
    body: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if no_contact:
        body["contact"] = None
    if not body:
        raise CommandError("Say what is to change: --name, --contact, --no-contact, --approved or --not-approved.")
    with Client(url) as client:
        before = next(
            (
                one
                for one in client.rows(f"/buildings/{part(building)}/vendors", MAX_VENDORS)
                if one["vendor_id"] == vendor
            ),
            {},
        )
        after = client.patch(f"/buildings/{part(building)}/vendors/{part(vendor)}", body)
    if as_json:
        print_json(after)
    else:
        print(describe_changes(vendor, before, after))


def _row(vendor: dict[str, Any]) -> list[Any]:
    approved = "approved" if vendor["approved"] else "not approved: every order asks"
    return [vendor["vendor_id"], vendor["name"], vendor["contact"] or "no address", approved]
