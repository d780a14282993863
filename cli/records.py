"""What stands on file of a building: `longlead items`, `orders`, `shipments`, `inspections`, `schedule`, `flags`."""

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli import answers
from cli.client import Client, Limit, Url, part
from cli.output import Cell, Json, print_fields, print_json, print_rows, print_table
from cli.sentences import CommandError
from domain.counts import write_count
from domain.lines.words import describe_ncr, describe_promises, describe_quantities
from domain.outside import one_line

if TYPE_CHECKING:  # help needs none of pydantic
    from pydantic import JsonValue

    from domain.plain_json import JsonObject

items = typer.Typer(no_args_is_help=True, help="Read the procurement log, line by line.")
orders = typer.Typer(no_args_is_help=True, help="Read purchase orders.")
shipments = typer.Typer(no_args_is_help=True, help="Read deliveries under way and received.")
inspections = typer.Typer(no_args_is_help=True, help="Read inspections planned, passed and failed.")
schedule = typer.Typer(no_args_is_help=True, help="Read the schedule.")

Building = Annotated[str, typer.Argument(help="Id of the building.", show_default=False)]

MAX_ORDERS = 100_000
"""Orders that are looked through for one number."""
ITEM_COLUMNS = ["item", "name", "status", "how much is where", "required by", "promised", "ETA", "band", "order"]
ITEM_COLUMNS += ["on hold by"]

MAX_OF_LINE = 1_000
"""Lots, NCRs and statements of a line that are read."""
_LISTS_OF_LINE = {
    "lots": ("Lots", ("lot_id", "quantity", "unit", "state", "expected_on", "usable_on", "aliases")),
    "ncrs": ("NCRs", ("ncr_number", "lot_id", "quantity", "undecided", "defects", "disposition", "status")),
    "statements": (
        "Promises and ETAs",
        ("kind", "day", "said_at", "source", "order", "shipment_id", "quantity", "current", "voided"),
    ),
}
_TOLD_OTHERWISE = {"flags", "open_ncrs", "first_promise", "latest_promise", "quantities"}
"""Of a line: what is told in other words than as fields of it."""


class FlagStatus(StrEnum):
    """Which flags are meant."""

    OPEN = "open"
    CLEARED = "cleared"
    ALL = "all"


@items.command("list")
def list_items(
    building: Building,
    removed: Annotated[bool, typer.Option("--removed", help="Lines that were taken out, instead.")] = False,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List the lines of the procurement log, by id."""
    rows = Client(url).rows(f"/buildings/{part(building)}/items", limit, removed=removed or None)
    print_rows(rows, as_json, f"Procurement log of {building}", ITEM_COLUMNS, item_row, "There are no lines.")


@items.command("show")
def show_item(
    building: Building,
    item: Annotated[str, typer.Argument(help="Id of the line.", show_default=False)],
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Show one line with all that is known of it."""
    at = f"/buildings/{part(building)}/items/{part(item)}"
    with Client(url) as client:
        found: answers.ItemJson = client.get(at)
        lists: dict[str, list[JsonObject]] = {
            name: list(client.rows(f"{at}/{name}", MAX_OF_LINE)) for name in ("lots", "ncrs", "statements")
        }
    if as_json:
        print_json({**found, **lists})
        return
    order = found["would_order"]
    words = {
        "would_order": order and describe_order(order),
        "needs": "; ".join(map(_describe_need, found["needs"])),
        "how_much_is_where": _how_much(found),
        "promises": describe_promises(found["first_promise"], found["latest_promise"]),
    }
    fields = {name: value for name, value in found.items() if name not in _TOLD_OTHERWISE} | words
    print_fields({name.replace("_", " "): value for name, value in fields.items()})
    for flag in found.get("flags", []):
        print(f"! {one_line(flag['band'])}: {one_line(flag['detail'])}")
    for ncr in found["open_ncrs"]:
        print(f"! {one_line(describe_ncr(ncr['ncr_number'], ncr['undecided'], found['unit'], ncr['defects']))}")
    _print_lists_of_line(lists)


def _print_lists_of_line(lists: "dict[str, list[JsonObject]]") -> None:
    for name, (title, fields) in _LISTS_OF_LINE.items():
        if lists[name]:
            columns = [field.replace("_", " ") for field in fields]
            print_table(title, columns, ([_plain(row[field]) for field in fields] for row in lists[name]), empty="")


def _plain(value: "JsonValue") -> "JsonValue":
    """A cell for people: a list as words, yes or nothing."""
    if isinstance(value, bool):
        return "yes" if value else None
    return "; ".join(map(str, value)) or None if isinstance(value, list) else value


def _describe_need(need: answers.NeedJson) -> str:
    """`10 by 2026-03-20, there on 2026-03-26, 6 days late`."""
    by = f"{need['quantity']} by {need['required_by'] or 'no day'}"
    there = f", there on {need['covered_on']}" if need["covered_on"] else ""
    return by + there + (f", {write_count(need['days_late'], 'day')} late" if need["days_late"] else "")


def _how_much(item: answers.ItemJson) -> str:
    tolerance = None if item["tolerance"] is None else Decimal(item["tolerance"])
    has_quantity = item["quantity"] is not None
    return describe_quantities(item["quantities"], item["unit"], has_quantity=has_quantity, tolerance=tolerance)


@orders.command("list")
def list_orders(building: Building, limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """List a building's purchase orders, by number."""
    rows = Client(url).rows(f"/buildings/{part(building)}/purchase-orders", limit)
    columns = ["order", "revision", "status", "vendor", "items", "total", "issued on", "number in the ERP"]
    print_rows(rows, as_json, f"Purchase orders of {building}", columns, _order_row, "Nothing is ordered yet.")


@orders.command("show")
def show_order(
    building: Building,
    number: Annotated[str, typer.Argument(help="Number of the order.", show_default=False)],
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Show one purchase order with its lines."""
    with Client(url) as client:
        rows = client.rows(f"/buildings/{part(building)}/purchase-orders", MAX_ORDERS)
        found: answers.OrderJson | None = next((row for row in rows if row["number"] == number), None)
    if found is None:
        raise CommandError(f"{building} has no order {number!r}. List them with `longlead orders list {building}`.")
    if as_json:
        print_json(found)
        return
    print_fields({name.replace("_", " "): value for name, value in found.items() if name != "lines"})
    columns = ["line", "item", "quantity", "unit", "unit price", "lump sum", "status", "promised", "required by"]
    print_table("Lines", columns, map(_order_line, found["lines"]), "It has no lines.")


@shipments.command("list")
def list_shipments(building: Building, limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """List a building's deliveries, as they were reported."""
    rows = Client(url).rows(f"/buildings/{part(building)}/shipments", limit)
    columns = ["shipment", "item", "order", "quantity", "status", "departed", "from", "ETA", "received"]
    print_rows(rows, as_json, f"Shipments of {building}", columns, _shipment_row, "Nothing is on its way yet.")


@inspections.command("list")
def list_inspections(building: Building, limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """List a building's inspections, as they came about."""
    rows = Client(url).rows(f"/buildings/{part(building)}/inspections", limit)
    columns = ["inspection", "item", "shipment", "status", "planned for", "took place", "defects"]
    columns += ["rejected", "NCR", "decided"]
    print_rows(rows, as_json, f"Inspections of {building}", columns, _inspection_row, "There are none.")


@schedule.command("show")
def show_schedule(building: Building, as_json: Json = False, url: Url = None) -> None:
    """Show the schedule that stands, with the agent's changes."""
    found = Client(url).get(f"/buildings/{part(building)}/schedule")
    if as_json:
        print_json(found)
        return
    print_fields({name.replace("_", " "): value for name, value in found.get("project", {}).items()})
    deliveries = ([one["item"], one["required_by"], one.get("buffer_days", 0)] for one in found["deliveries"])
    print_table("Deliveries", ["item", "required by", "buffer days"], deliveries, "It names no deliveries.")


def flags(
    building: Building,
    status: Annotated[FlagStatus, typer.Option("--status", help="Which ones.")] = FlagStatus.OPEN,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List what people should look at in a building, as it was raised."""
    wanted = None if status is FlagStatus.ALL else status.value
    rows = Client(url).rows(f"/buildings/{part(building)}/flags", limit, status=wanted)
    columns = ["flag", "item", "band", "status", "what", "event"]
    print_rows(rows, as_json, f"Flags of {building}", columns, _flag_row, "There are none.")


def describe_order(order: answers.WouldOrderJson) -> str:
    """An order that was not placed, in words: `40 pcs from V Ltd for 36000.00 USD, since 2026-02-02`."""
    vendor = order["vendor"] or order["vendor_id"] or "a vendor that is not on file"
    amount = " ".join(str(one) for one in (order["quantity"], order["unit"]) if one)
    return f"{amount or 'all of it'} from {one_line(vendor)} for {order_value(order)}, since {order['on']}"


def order_value(order: answers.WouldOrderJson) -> str:
    """What an order comes to."""
    price = f"{order['total']} {order['currency']}" if order["total"] else "no price known"
    return f"{price}, the lump sum {order['group']}" if order["group"] else price


def item_row(item: answers.ItemJson) -> list[Cell]:
    """A line of the procurement log in ITEM_COLUMNS."""
    return [
        item["item_id"],
        item["name"],
        item["status"],
        _how_much(item),
        item["required_by"],
        item["latest_promise"],
        item["eta"],
        item["schedule_band"],
        item["purchase_order_number"],
        item["on_hold_by"],
    ]


def _order_row(order: answers.OrderJson) -> list[Cell]:
    total = order["total"] and f"{order['total']} {order['currency']}"
    return [
        order["number"],
        order["revision"],
        order["status"],
        order["vendor"] or order["vendor_id"],
        ", ".join(line["item"] for line in order["lines"]),
        total,
        order["issued_on"],
        order["external_ref"],
    ]


def _order_line(line: answers.OrderLineJson) -> list[Cell]:
    return [
        line["line"],
        line["item_name"] or line["item"],
        line["quantity"],
        line["unit"],
        line["unit_price"],
        line["group"] and f"{line['group']}, {line['group_total'] or 'no price'} together",
        line["status"],
        line["promised_date"],
        line["required_by"],
    ]


def _shipment_row(shipment: answers.ShipmentJson) -> list[Cell]:
    received = [f"{one['received_on']}{_of(one['quantity'])}" for one in shipment["receipts"]]
    return [
        shipment["shipment_id"],
        shipment["item_id"],
        shipment["purchase_order"],
        shipment["quantity"],
        shipment["status"],
        shipment["departed_on"],
        shipment["origin"],
        shipment["eta"],
        ", ".join(received) or None,
    ]


def _of(quantity: str | None) -> str:
    return f" ({quantity})" if quantity else ""


def _inspection_row(inspection: answers.InspectionJson) -> list[Cell]:
    return [
        inspection["inspection_id"],
        inspection["item_id"],
        inspection["shipment_id"],
        inspection["status"],
        inspection["scheduled_on"],
        inspection["inspected_on"],
        "; ".join(inspection["defects"]) or None,
        inspection["quantity_rejected"],
        inspection["ncr_number"],
        inspection["disposition"],
    ]


def _flag_row(flag: answers.FlagJson) -> list[Cell]:
    return [flag["flag_id"], flag["item_id"], flag["band"], flag["status"], flag["detail"], flag["event_id"]]
