"""Reading a person's free-text reply: a model reads, domain/replies.py checks, and what is unsure is asked again."""

from domain.actions import action
from domain.approvals import Approval
from domain.events import Entry
from domain.plain_json import object_in
from domain.questions.reports import event_told
from domain.replies import Asked, Reply, ReplyReading, plainly_answered, understood
from domain.reply_words import actions_spoken_of
from storage import procurement
from tools.apart import work_apart
from tools.context import Toolbox
from tools.instructions import READ_REPLY
from tools.models import Abstained
from tools.prompts import FACTS_TOKENS, Layer, Part
from tools.provenance import TEAM, to_vendor
from tools.reading_mails import read_told
from tools.recording import building_of
from tools.tiers import answers


async def read_reply_to(toolbox: Toolbox, entry: Entry) -> Reply:
    """Read it ourselves where every word is known, else ask the readers, cheap to strong, until one reads it without
    doubts; else it is asked again. What a reader made of it and binds is confirmed first (domain/confirming.py)."""
    text = str(object_in(entry.body, "decision").get("why", ""))
    async with toolbox.lock:
        approval = await procurement.approval(toolbox.conn, str(entry.body["approval_id"]))
        names = await procurement.item_names(toolbox.conn, entry.building_id)
    if approval is None:
        return Reply("ask_again", doubts=["the question is gone"])
    building = await building_of(toolbox, entry.building_id)
    policy = building.policy
    today = entry.today(building.zone)
    asked = Asked(approval.item_id, approval.recommended, names, today, policy.reading_confidence)
    if (plainly := plainly_answered(text, asked)) is not None:
        return plainly
    best, abstained = Reply("ask_again"), list[str]()
    layers, audience = _layers(approval, asked, text), to_vendor(None)
    async for answer in answers(toolbox, entry, "reader", READ_REPLY, layers, ReplyReading, audience=audience):
        if isinstance(answer, Abstained):
            abstained.append(f"{answer.reason}: {answer.detail}".strip(": ")[:200])
            continue
        reply = await work_apart(understood, text, answer.value, asked)
        reply.model, reply.tokens = answer.model, answer.tokens
        if best.model is None or len(reply.doubts) < len(best.doubts):
            best = reply
        if not reply.doubts:
            break
    if best.model is None:
        best.doubts = abstained or ["no model is configured to read free text"]
    elif best.doubts and approval.kind == "event_unclear":
        return await _as_told(toolbox, entry, text, best)
    return best


async def _as_told(toolbox: Toolbox, entry: Entry, text: str, reply: Reply) -> Reply:
    """A reply that is no answer to the question may say what the unclear message meant: then that is the answer, where
    it can be read without doubts. `reply`: what it is otherwise."""
    by = str(object_in(object_in(entry.body, "decision"), "responder")["name"])
    read = await read_told(toolbox, entry, text, by)
    if read.answer is None or not read.reading.events:
        return reply
    doubts = [*read.reading.doubts, *(f"it may also ask for {name}" for name in sorted(actions_spoken_of(text)))]
    return Reply(
        means="ask_again" if doubts else "edit",
        actions=[action("restate_event", event=event) for event in read.reading.events],
        understood=f"the message reports {'; '.join(map(event_told, read.reading.events))}",
        doubts=doubts,
        confidence=read.reading.confidence,
        model=read.answer.model,
        tokens=reply.tokens + read.answer.tokens,
    )


def _layers(approval: Approval, asked: Asked, text: str) -> list[Layer]:
    recommended = ", ".join(action["name"] for action in approval.recommended) or "nothing"
    line = dict(asked.names).get(approval.item_id or "", "no single line")
    facts = [
        f"Question about {line}: {approval.kind}.",
        f"Recommended: {recommended}.",
        f"Today is {asked.today:%A} {asked.today}.",
    ]
    return [Layer("Question", FACTS_TOKENS, facts), Layer("Reply", None, [Part(text, "reply", TEAM)])]
