"""What a message says: a text for people, and a JSON body for programs. Made at delivery, from what is on file."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from domain.actions.registry import ORDER_DOCUMENTS
from domain.buildings import Building
from domain.mail_subjects import title_of
from domain.outside import own_words, shown_name
from domain.plain_json import JsonObject
from runtime.clock import Clock
from runtime.links import holder, linker
from runtime.settings import Settings
from storage import procurement
from storage.approvals import building_of
from storage.connection import Connection
from storage.outbox import Outgoing

_KEPT = "\n\t\u200c\u200d"
"""Line ends, and the joiners that some scripts are written with."""


@dataclass(frozen=True)
class Letter:
    """A message as it is sent. `recipient` is the address, `body` what a webhook gets."""

    key: str
    recipient: str
    title: str
    text: str
    urgency: str
    body: JsonObject


async def letter(conn: Connection, settings: Settings, clock: Clock, message: Outgoing) -> Letter:
    """Read what belongs to the message, and word it. A link is made here and stored nowhere."""
    building = await procurement.building(conn, message.building_id)
    name = building.name if building else message.building_id
    order = await _order(conn, message)
    text = _in_words(order) if order and not message.payload.get("text") else own_words(_said(message))
    link = await _link(conn, settings, clock, message, building) if building else None
    if link is not None:
        text = f"{text}\n\nRead and answer: {link}"
    data: JsonObject = {"building": {"building_id": message.building_id, "name": name}}
    data |= order or {
        "subject": message.subject,
        "recipient": message.recipient,
        **{part: message.payload.get(part) for part in ("to", "text", "item", "urgency")},
        **({"link": link} if link else {}),
    }
    return Letter(
        key=message.key,
        recipient=message.recipient,
        title=title_of(message.subject, name),
        text=text,
        urgency=str(message.payload.get("urgency", "normal")),
        body={"type": _type(message), "timestamp": message.created_at.isoformat(), "data": data},
    )


def _said(message: Outgoing) -> str:
    return str(message.payload.get("text") or message.subject)


def _type(message: Outgoing) -> str:
    document = ORDER_DOCUMENTS.get(message.action or "")
    return "message" if document is None else f"purchase_order.{document}"


async def _order(conn: Connection, message: Outgoing) -> dict[str, Any] | None:
    """The order that the message is about, as it was issued, with the names that a reader needs."""
    document = ORDER_DOCUMENTS.get(message.action or "")
    if document is None:
        return None
    vendors = {row.vendor_id: row for row in await procurement.vendors(conn, message.building_id)}
    if document == "cancelled":
        number = (message.result or {}).get("purchase_order")
        return {"purchase_order": {"number": number, "status": "cancelled"}, "reason": message.payload.get("text")}
    names = dict(await procurement.item_names(conn, message.building_id))
    order = message.payload["purchase_order"]
    vendor = vendors.get(order["vendor_id"])
    kept = ("number", "revision", "status", "currency", "total", "issued_on")
    return {
        "purchase_order": {part: order.get(part) for part in kept},
        "vendor": vendor.model_dump(include={"vendor_id", "name", "contact"}) if vendor else None,
        "lines": [
            {
                "line": line["line"],
                "item": line["item_id"],
                "item_name": names.get(line["item_id"], line["item_id"]),
                **{part: line.get(part) for part in ("quantity", "unit", "unit_price", "required_by")},
            }
            for line in message.payload["lines"]
        ],
    }


def _in_words(data: dict[str, Any]) -> str:
    """An order for people to read."""
    order = data["purchase_order"]
    is_revised = bool(order["revision"])
    revision = f", revision {order['revision']}" if is_revised else ""
    said = [f"Purchase order {order['number']} of {order['issued_on']}{revision}"]
    if is_revised:
        said.append("This takes the place of the order as it was.")
    for line in data["lines"]:
        quantity = " ".join(str(part) for part in (line["quantity"], line["unit"]) if part is not None)
        price = f" at {line['unit_price']} {order['currency']}" if line["unit_price"] is not None else ""
        needed = f", required on site by {line['required_by']}" if line["required_by"] else ""
        said.append(
            f"{line['line']}. {quantity + ' ' if quantity else ''}{shown_name(line['item_name'])}{price}{needed}"
        )
    if order["total"] is not None:
        said.append(f"Total {order['total']} {order['currency']}")
    return "\n".join([*map(own_words, said), "Please acknowledge with the date that you promise."])


async def _link(
    conn: Connection, settings: Settings, clock: Clock, message: Outgoing, building: Building
) -> str | None:
    """The link to the question that the message asks, made for the role it was sent to."""
    named = message.payload.get("approval_id")
    asked = await procurement.approval(conn, str(named)) if named else None
    if asked is None or await building_of(conn, asked.approval_id) != building.building_id:
        return None
    now = clock.now()
    links = await linker(conn, settings, now)
    audience = holder(building, str(message.payload["to"]), sent_to=message.recipient)
    return links.url(links.make("approval", asked.approval_id, asked.version, audience, now))


def printable(text: str) -> str:
    """Text without control characters and marks that turn the direction of writing."""
    return "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
