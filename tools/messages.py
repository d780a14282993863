"""Telling people and asking them: a message on file, and one in the outbox for its way out."""

from typing import Any

from domain.actions import InformationArguments, NotifyArguments
from domain.outside import own_words
from domain.procurement import Message
from tools.context import ActionContext


async def notify_team(context: ActionContext, arguments: NotifyArguments) -> dict[str, Any]:
    """Tell a team of the building."""
    return say(context, arguments.team, arguments.message, arguments.item)


async def request_information(context: ActionContext, arguments: InformationArguments) -> dict[str, Any]:
    """Ask the vendor of a line, or a team."""
    to, address = arguments.to, None
    if arguments.to == "vendor":
        vendor = (await context.file(arguments.item)).vendor
        to, address = (vendor.name, vendor.contact) if vendor else ("vendor", None)
    return say(context, to, arguments.question, arguments.item, address=address, subject="Question")


def say(
    context: ActionContext,
    party: str,
    text: str,
    item_id: str | None,
    *,
    address: str | None = None,
    subject: str = "Notice",
    urgency: str = "normal",
    approval_id: str | None = None,
) -> dict[str, Any]:
    """Put a message on file and into the outbox, on one line and without links: whatever it quotes, only the letter
    that carries it adds a link, on a line of its own. `address` is looked up in the contacts when absent; `approval_id`
    names the question that it asks, so that it is delivered with a link to the answer's page."""
    recipient, text = address or context.building.address_of(party), own_words(text)
    message = Message(
        message_id=f"M-{context.key.seq}-{context.key.action}-{context.key.item or 'all'}-{context.key.ordinal}",
        item_id=item_id,
        direction="out",
        party=party,
        text=text,
        urgency=urgency,
        caused_seq=context.seq,
    )
    context.save(message)
    payload = {"to": party, "text": text, "item": item_id, "urgency": urgency}
    context.post(recipient, subject, payload if approval_id is None else {**payload, "approval_id": approval_id})
    return {"message_id": message.message_id, "to": recipient}
