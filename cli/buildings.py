"""`longlead building`: create, show and list buildings."""

import json
from typing import Annotated, Any

import typer

from cli.client import Client, Limit, Url, part
from cli.files import read_json
from cli.output import Json, moment, print_fields, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Create, show and list buildings.")

Id = Annotated[str, typer.Argument(help="Id of the building.", show_default=False)]


@app.command()
def create(
    file: Annotated[str, typer.Argument(help="JSON file of the building; - for standard input.", show_default=False)],
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Create a building, and with it its agent. The same file again changes nothing."""
    building = Client(url).post("/buildings", read_json(file))
    if as_json:
        print_json(building)
    else:
        _show(building)


@app.command()
def show(building: Id, as_json: Json = False, url: Url = None) -> None:
    """Show how far a building is: its procurement log, open questions and flags."""
    client = Client(url)
    found = client.get(f"/buildings/{part(building)}")
    if as_json:
        print_json(found)
        return
    _show(found)
    items = client.rows(f"/buildings/{part(building)}/items", 5000)
    print_table("Procurement log", _ITEM_COLUMNS, map(_item_row, items), "The procurement log is empty.")


@app.command("list")
def list_(limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """List buildings."""
    rows = list(Client(url).rows("/buildings", limit))
    if as_json:
        print_json(rows)
        return
    print_table(
        "Buildings",
        ["building", "name", "status", "mode", "pending approvals", "waiting events"],
        (
            [row["building_id"], row["name"], row["status"], row["mode"]]
            + [row["pending_approvals"], row["waiting_events"]]
            for row in rows
        ),
        "There are no buildings yet. Create one with `longlead building create FILE`.",
    )


@app.command()
def audit(building: Id, limit: Limit = 100, as_json: Json = False, url: Url = None) -> None:
    """Show who created, changed, retried, decided or deleted what, the newest first."""
    rows = list(Client(url).rows(f"/buildings/{part(building)}/audit", limit))
    if as_json:
        print_json(rows)
        return
    columns = ["at", "who", "key", "via", "what", "of", "how"]
    print_table("Audit", columns, map(_audit_row, rows), "Nothing is on record.")


def _audit_row(row: dict[str, Any]) -> list[Any]:
    by = row["by"]
    what = row["what"].replace("_", " ")
    return [moment(row["at"]), by["name"], by["id"], by["via"], what, row["subject"], _how(row["detail"])]


def _how(detail: dict[str, Any]) -> str:
    """Of a change what was and what is; of a decision its type."""
    changed = detail.get("changed", {})
    told = [f"{field}: {_short(values['before'])} -> {_short(values['after'])}" for field, values in changed.items()]
    return "; ".join(told) or str(detail.get("type", ""))


MAX_SHOWN = 60
"""Characters of a value that are shown; `--json` has all of it."""


def _short(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


_ITEM_COLUMNS = ["item", "name", "status", "required by", "ETA", "band", "order", "on hold by"]


def _item_row(item: dict[str, Any]) -> list[Any]:
    return [item["item_id"], item["name"], item["status"], item["required_by"], item["eta"]] + [
        item["schedule_band"],
        item["purchase_order_number"],
        item["on_hold_by"],
    ]


def _show(building: dict[str, Any]) -> None:
    progress = building["progress"]
    print_fields(
        {
            "building": building["building_id"],
            "name": building["name"],
            "status": building["status"],
            "thread": building["thread_id"],
            "lines": ", ".join(f"{count} {status}" for status, count in progress["lines"].items()),
            "doing": ", ".join(f"{event['event_type']} ({event['status']})" for event in progress["doing"]),
            "waiting events": progress["waiting"],
        }
    )
    for approval in building["pending_approvals"]:
        print(f"? {approval['approval_id']}: {approval['summary']}")
    for flag in building["open_flags"]:
        print(f"! {flag['item_id']} ({flag['band']}): {flag['detail']}")
