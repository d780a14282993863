"""Telling people and asking them: a message on file, and one in the outbox for its way out."""

from domain.actions import InformationArguments, NotifyArguments
from domain.approvals import POLICY
from domain.mail_subjects import notice_subject, overdue_subject, request_subject
from domain.outside import own_words
from domain.plain_json import JsonObject
from domain.procurement import ContactRole, LineFile, Message, Milestone
from tools.context import ActionContext


async def notify_team(context: ActionContext, arguments: NotifyArguments) -> JsonObject:
    """Tell a team of the building."""
    subject = notice_subject(await _line_named(context, arguments.item), arguments.message)
    return say(context, arguments.team, arguments.message, arguments.item, subject=subject)


async def _line_named(context: ActionContext, item_id: str | None) -> str | None:
    """The name of the line that a message is about. What the policy says begins with it, so nothing is looked up."""
    if item_id is None or context.responder == POLICY:
        return None
    return (await context.file(item_id)).item.shown


async def request_information(context: ActionContext, arguments: InformationArguments) -> JsonObject:
    """Ask the vendor of a line, or a team."""
    file = await context.file(arguments.item)
    to, address = arguments.to, None
    if arguments.to == "vendor":
        role: ContactRole = arguments.contact or ("logistics" if file.item.is_ordered else "orders")
        to, address = (file.vendor.name, file.vendor.contact_for(role)) if file.vendor else ("vendor", None)
    subject = _subject_of(context, file, arguments)
    return say(context, to, arguments.question, arguments.item, address=address, subject=subject)


def _subject_of(context: ActionContext, file: LineFile, arguments: InformationArguments) -> str:
    number, line = file.order.number if file.order else None, file.item.name
    chased = _chased(context, file)
    if chased is not None:
        return overdue_subject(number, line, chased.kind, chased.due_on, chased.chase_on)
    if arguments.to == "vendor":
        return request_subject(number, line, arguments.question)
    return notice_subject(file.item.shown, arguments.question)


def _chased(context: ActionContext, file: LineFile) -> Milestone | None:
    """The milestone that this entry chases for; None where it chases for none."""
    if context.entry.event_type != "Milestone_Overdue":
        return None
    named = (context.entry.body["round"], context.entry.body["milestone"])
    return next((milestone for milestone in file.milestones if (milestone.round, milestone.kind) == named), None)


def say(
    context: ActionContext,
    party: str,
    text: str,
    item_id: str | None,
    *,
    address: str | None = None,
    subject: str,
    urgency: str = "normal",
    approval_id: str | None = None,
    on_going_live: bool = False,
) -> JsonObject:
    """Put a message on file and into the outbox, on one line and without links: whatever it quotes, only the letter
    that carries it adds a link, on a line of its own. `address` is looked up in the contacts when absent; `approval_id`
    names the question that it asks, so that it is delivered with a link to the answer's page; `on_going_live`: as in
    `ledger.post`."""
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
    asked = {} if approval_id is None else {"approval_id": approval_id}
    context.post(recipient, subject, {**payload, **asked}, on_going_live=on_going_live)
    told: JsonObject = {"message_id": message.message_id, "to": recipient}
    return {**told, "withheld": "watch"} if context.building.is_watching else told
