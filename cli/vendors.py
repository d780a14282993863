"""`longlead vendors`: who may be ordered from, and where orders go."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli import answers
from cli.client import Client, Limit, Url, part
from cli.output import Cell, Json, describe_changes, print_json, print_rows
from cli.sentences import CommandError

if TYPE_CHECKING:  # help needs none of pydantic
    from domain.plain_json import JsonObject

app = typer.Typer(no_args_is_help=True, help="List, add and change the vendors of a building.")

Building = Annotated[str, typer.Argument(help="Id of the building.", show_default=False)]
Id = Annotated[str, typer.Argument(help="Id of the vendor.", show_default=False)]
Contact = Annotated[
    str | None,
    typer.Option(
        "--contact", "--orders", help="Where orders go: mail addresses with commas between them.", show_default=False
    ),
]
Logistics = Annotated[
    str | None, typer.Option("--logistics", help="Who is asked about deliveries and chased.", show_default=False)
]
Escalation = Annotated[
    str | None, typer.Option("--escalation", help="Who is written to when it stays overdue.", show_default=False)
]

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
    contact: Contact = None,
    logistics: Logistics = None,
    escalation: Escalation = None,
    approved: Annotated[
        bool, typer.Option("--approved/--not-approved", help="Not approved: every order to it asks a person.")
    ] = True,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Add a vendor that may be ordered from. The same again changes nothing."""
    body: JsonObject = {"vendor_id": vendor, "name": name, "approved": approved}
    body |= _addresses(contact, logistics, escalation)
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
    contact: Contact = None,
    logistics: Logistics = None,
    escalation: Escalation = None,
    no_contact: Annotated[bool, typer.Option("--no-contact", help="Take the address for orders away.")] = False,
    no_logistics: Annotated[bool, typer.Option("--no-logistics", help="Take that address away.")] = False,
    no_escalation: Annotated[bool, typer.Option("--no-escalation", help="Take that address away.")] = False,
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
    taken = {"contact": (contact, no_contact), "logistics": (logistics, no_logistics)}
    taken["escalation"] = (escalation, no_escalation)
    for role, (address, takes_away) in taken.items():
        if address is not None and takes_away:
            raise CommandError(f"Say either --{role} or --no-{role}.")
    body = _addresses(
        contact, logistics, escalation, gone=[role for role, (_, takes_away) in taken.items() if takes_away]
    )
    body |= {field: value for field, value in (("name", name), ("approved", approved)) if value is not None}
    if not body:
        raise CommandError(
            "Say what is to change: --name, --contact, --logistics, --escalation (or --no-... of each), --approved or "
            "--not-approved."
        )
    with Client(url) as client:
        before: answers.VendorJson | None = next(
            (
                one
                for one in client.rows(f"/buildings/{part(building)}/vendors", MAX_VENDORS)
                if one["vendor_id"] == vendor
            ),
            None,
        )
        after: answers.VendorJson = client.patch(f"/buildings/{part(building)}/vendors/{part(vendor)}", body)
    if as_json:
        print_json(after)
    else:
        print(describe_changes(vendor, {} if before is None else _flat(before), _flat(after)))


def _addresses(
    contact: str | None, logistics: str | None, escalation: str | None, gone: Sequence[str] = ()
) -> "JsonObject":
    """The addresses given, and those to be taken away, as the body has them."""
    body: JsonObject = {} if contact is None and "contact" not in gone else {"contact": contact}
    others = {"logistics": logistics, "escalation": escalation}
    given: JsonObject = {role: address for role, address in others.items() if address is not None or role in gone}
    return {**body, "contacts": given} if given else body


def _flat(vendor: answers.VendorJson) -> Mapping[str, object]:
    """A vendor with each address as a field of its own."""
    others = {role: address for role, address in vendor["contacts"].items() if role != "orders"}
    return {**{field: value for field, value in vendor.items() if field != "contacts"}, **others}


def _row(vendor: answers.VendorJson) -> list[Cell]:
    contacts = vendor["contacts"]
    approved = "approved" if vendor["approved"] else "not approved: every order asks"
    roles = (("logistics", contacts["logistics"]), ("escalation", contacts["escalation"]))
    others = [f"{role}: {address}" for role, address in roles if address]
    return [vendor["vendor_id"], vendor["name"], "; ".join([vendor["contact"] or "no address", *others]), approved]
