"""`longlead building`: create, show, change and list buildings."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli import answers
from cli.client import Client, Limit, Url, part
from cli.files import read_json
from cli.output import Cell, Json, describe_changes, moment, print_fields, print_json, print_table, shorten
from cli.records import ITEM_COLUMNS, item_row, order_value
from cli.sentences import CommandError
from domain.outside import one_line

if TYPE_CHECKING:  # help needs none of pydantic
    from pydantic import JsonValue

    from domain.plain_json import JsonObject

app = typer.Typer(no_args_is_help=True, help="Create, show, change and list buildings.")

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
    print_table("Procurement log", ITEM_COLUMNS, map(item_row, items), "The procurement log is empty.")


class Mode(StrEnum):
    """Whether what the agent says and orders leaves the building."""

    WATCH = "watch"
    LIVE = "live"


@app.command()
def change(
    building: Id,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            help="A field of the policy, such as po_limit=50000 or quiet_hours=none; may be repeated.",
            show_default=False,
        ),
    ] = None,
    approvers: Annotated[
        str | None,
        typer.Option("--approvers", help="JSON list that replaces the approver chain: a file, - or the text itself."),
    ] = None,
    contacts: Annotated[
        str | None,
        typer.Option("--contacts", help="JSON object that replaces all contacts: a file, - or the text itself."),
    ] = None,
    mode: Annotated[
        Mode | None,
        typer.Option("--mode", help="watch: nothing leaves the building. live: it acts.", show_default=False),
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Change policy, approvers, contacts or mode. What is not named stays; what was and what is, is printed."""
    body: JsonObject = {}
    if policy:
        body["policy"] = dict(map(_policy_field, policy))
    for name, given in (("approvers", approvers), ("contacts", contacts)):
        if given is not None:
            body[name] = read_json(given)
    if mode is not None:
        body["mode"] = mode.value
    if not body:
        raise CommandError("Say what is to change: --policy, --approvers, --contacts or --mode.")
    with Client(url) as client:
        before = client.get(f"/buildings/{part(building)}")
        after = client.patch(f"/buildings/{part(building)}", body)
    if as_json:
        print_json(after)
    else:
        print(describe_changes(building, _changeable(before), _changeable(after)))


_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS: "JsonObject" = {"none": None, "null": None, "true": True, "false": False}


def _policy_field(given: str) -> "tuple[str, JsonValue]":
    """`po_limit=50000` as a field and its value: JSON where it looks like it, amounts to the last digit."""
    name, equals, text = (piece.strip() for piece in given.partition("="))
    if not equals or not name:
        raise CommandError(f"--policy {given!r} is no field with its value: write it like po_limit=50000.")
    if text.lower() in _WORDS:
        return name, _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return name, int(text)
    if text.startswith(("{", "[")):
        return name, read_json(text)
    return name, text


def _changeable(building: answers.BuildingJson) -> "JsonObject":
    """What people may change of a building, field by field."""
    policy = {f"policy.{name}": value for name, value in building["policy"].items()}
    contacts = {f"contacts.{name}": value for name, value in building["contacts"].items()}
    return {"mode": building["mode"], **policy, **contacts, "approvers": building["approvers"]}


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


def _audit_row(row: answers.AuditedJson) -> list[Cell]:
    by = row["by"]
    what = row["what"].replace("_", " ")
    return [moment(row["at"]), by["name"], by["id"], by["via"], what, row["subject"], _how(row["detail"])]


def _how(detail: answers.AuditDetailJson) -> str:
    """Of a change what was and what is; of a decision its type."""
    changed = detail.get("changed", {})
    told = [f"{field}: {shorten(values['before'])} -> {shorten(values['after'])}" for field, values in changed.items()]
    return "; ".join(told) or str(detail.get("type", ""))


def _show(building: answers.BuildingJson) -> None:
    progress = building["progress"]
    print_fields(
        {
            "building": building["building_id"],
            "name": building["name"],
            "status": building["status"],
            "mode": building["mode"],
            "orders by itself from": moment(building["acts_from"]),
            "thread": building["thread_id"],
            "lines": ", ".join(f"{count} {status}" for status, count in progress["lines"].items()),
            "doing": ", ".join(f"{event['event_type']} ({event['status']})" for event in progress["doing"]),
            "waiting events": progress["waiting"],
        }
    )
    for approval in building["pending_approvals"]:
        print(f"? {approval['approval_id']}: {one_line(approval['summary'])}")
    for flag in building["open_flags"]:
        print(f"! {flag['item_id']} ({flag['band']}): {one_line(flag['detail'])}")
    if building["would_do"] is not None:
        _show_intentions(building["would_do"])


def _show_intentions(would_do: answers.WouldDoJson) -> None:
    """What the agent would order and chase, in watch and on the first day after it."""
    orders: Iterable[Sequence[Cell]] = (
        ["order", one["item"], one["vendor"] or one["vendor_id"], order_value(one), f"shown since {one['on']}"]
        for one in would_do["orders"]
    )
    chases: Iterable[Sequence[Cell]] = (
        ["chase", one["item"], None, None, f"{one['milestone']}, due on {one['due_on']}, chased on {one['on']}"]
        for one in would_do["chases"]
    )
    columns = ["what", "line", "vendor", "amount", "when"]
    print_table("It would do", columns, [*orders, *chases], "It would order nothing and chase nobody.")
