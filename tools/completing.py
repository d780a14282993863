"""Completing lines: the vendors that are offered, and the answer that fills in what an order needs."""

from domain.actions import CompleteArguments
from domain.completing import Completion, complete_line, completion_problem
from domain.errors import InvalidError
from domain.plain_json import JsonObject, PlainAction
from domain.procurement import LineFile, VendorRow
from domain.text import folded
from storage import procurement
from storage.connection import Connection
from storage.vendors import fitting_vendors
from tools.context import ActionContext


async def complete_item(context: ActionContext, arguments: CompleteArguments) -> JsonObject:
    """Fill in a line's vendor, price or quantity. The order follows by itself, or the question of who may place it."""
    conn, building_id = context.transaction.conn, context.building.building_id
    file = await context.file(arguments.item)
    vendors = {vendor.vendor_id: vendor for vendor in await procurement.vendors(conn, building_id)}
    wanted = _completion(arguments)
    problem = completion_problem(file.item, wanted, vendors)
    if problem is not None:
        return {"unchanged": problem}
    item = complete_line(file.item, wanted, context.seq)
    if item != file.item:
        vendor = {"vendor_id": item.vendor_id, "posted": True, "caused_seq": context.seq}
        context.save(item, *(one.model_copy(update=vendor) for one in file.group_lines if not one.is_ordered))
    return {"completed": wanted.model_dump(mode="json", exclude_none=True)}


def _completion(arguments: CompleteArguments) -> Completion:
    return Completion.model_validate(arguments.model_dump(exclude={"item"}))


async def with_vendor_ids(conn: Connection, building_id: str, actions: list[PlainAction]) -> list[PlainAction]:
    """Plain actions whose lines are named by id, with the vendors that complete a line named by id as well.

    Raises:
        InvalidError: a line cannot be completed like this; the field says which, and the text what to do.
    """
    if not any(action["name"] == "complete_item" for action in actions):
        return actions
    vendors = {vendor.vendor_id: vendor for vendor in await procurement.vendors(conn, building_id)}
    for number, action in enumerate(actions):
        if action["name"] != "complete_item":
            continue
        arguments, field_ = action["arguments"], f"actions.{number}.arguments"
        if arguments.get("vendor_id") is not None:
            arguments["vendor_id"] = _vendor_named(str(arguments["vendor_id"]), vendors, f"{field_}.vendor_id")
        file = await procurement.line_file(conn, building_id, str(arguments["item"]))
        item = None if file is None else file.item
        problem = None if item is None else completion_problem(item, _completion_of(arguments), vendors)
        if problem is not None:
            raise InvalidError(f"{field_}: {problem}", field_)
    return actions


def _completion_of(arguments: JsonObject) -> Completion:
    return _completion(CompleteArguments.model_validate(arguments))


def _vendor_named(named: str, vendors: dict[str, VendorRow], field_: str) -> str:
    if named in vendors:
        return named
    meant = folded(named)
    found = sorted(one.vendor_id for one in vendors.values() if meant in (folded(one.name), folded(one.vendor_id)))
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidError(f"{field_}: {named!r} may be any of {', '.join(found)}; give the vendor_id", field_)
    some = ", ".join(sorted(vendors)[:5]) or "none"
    raise InvalidError(
        f"{field_}: {named!r} is not a vendor of this building (it has {some}). Add it with POST .../vendors, or "
        "`longlead vendors add`.",
        field_,
    )


async def offered_to(conn: Connection, building_id: str, file: LineFile | None) -> list[JsonObject]:
    """The few vendors that a line without one may be ordered from: {vendor_id, name}."""
    if file is None or file.item.vendor_id is not None:
        return []
    found = await fitting_vendors(conn, building_id, file.item.category)
    return [{"vendor_id": vendor.vendor_id, "name": vendor.name} for vendor in found]
