"""Playing mails and replies through the real agent: each in a building of its own, judged by what the ledger says."""

from collections.abc import Mapping
from datetime import date

from pydantic import JsonValue

from domain.approvals import Approval, Decision
from domain.mail import lines_named
from domain.plain_json import JsonObject, PlainAction, object_in, objects_in, texts_in
from domain.text import slug
from evals.reading.cases import NAMES, QUESTIONS, REPLIED_ON, MailCase, ReplyCase, Result
from evals.reading.room import PERSON, Room, open_room
from storage import procurement
from tools.models import ModelAccess

_ORDERED_ON = "2026-01-05T09:00:00Z"


async def play_mail(conninfo: str, models: ModelAccess, case: MailCase) -> Result:
    """Send the mail, and see what is taken in and what is asked."""
    async with open_room(conninfo, models, f"mail-{case.id}", case.written, with_vendors=True) as room:
        for item_id in lines_named(case.text, [(slug(name), name) for name in NAMES]):
            approved = {"document_url": "https://docs.example/s.pdf", "document_name": "Submittal"}
            ordered: JsonObject = {
                "event_type": "Submittal_Approved",
                "item": item_id,
                "occurred_at": _ORDERED_ON,
                **approved,
            }
            await room.post(ordered, f"order-{item_id}")
        sent: JsonObject = {"event_type": "Message_Received", "text": case.text, "sender": case.sender}
        await room.post({**sent, "occurred_at": f"{case.written}T09:00:00+00:00"}, "mail")
        cursor = await room.conn.execute(
            "SELECT arguments -> 'event' AS event FROM actions WHERE building_id = %s AND action = 'restate_event'",
            (room.building_id,),
        )
        done = [row["event"] for row in await cursor.fetchall()]
        question = await room.question()
        reading = object_in(question.subject, "reading") if question else {}
    wanted = [_brief(event) for event in case.reports]
    carried = [_brief(event) for event in done]
    read = (carried or [_brief(event) for event in objects_in(reading, "events")]) == wanted
    if not carried:
        return Result(case.id, "asked", read, "; ".join(texts_in(reading, "doubts")))
    is_right = carried == wanted and case.person is None
    return Result(case.id, "right" if is_right else "wrong", read, str(carried))


_TOLD = ("event_type", "item", "eta", "promised_date", "date_departed", "date_arrived", "inspection_date")


def _brief(event: Mapping[str, date | JsonValue]) -> dict[str, str]:
    """What of an event must be read: its type, its line and its days."""
    return {field: str(event[field]) for field in _TOLD if event.get(field)}


async def play_reply(conninfo: str, models: ModelAccess, case: ReplyCase) -> Result:
    """Raise the question, reply, and see what is done."""
    async with open_room(conninfo, models, f"reply-{case.id}", REPLIED_ON) as room:
        for number, event in enumerate(QUESTIONS[case.to]):
            await room.post(event, f"e{number}")
        question = await room.question()
        assert question is not None
        event_id = f"{case.id}:reply"
        decision = Decision(type="respond", responder=PERSON, why=case.text)
        await room.answer(question, decision, event_id)
        cursor = await room.conn.execute(
            "SELECT outcome FROM events WHERE building_id = %s AND event_id = %s", (room.building_id, event_id)
        )
        row = await cursor.fetchone()
        settled = await procurement.approval(room.conn, question.approval_id)
        read, confirmed = await _confirmed(room, question, case)
    assert row is not None
    assert settled is not None
    stated = row["outcome"]["decision"]
    if stated == "answered":
        return Result(case.id, "right" if case.means == "question" else "asked", case.means == "question", stated)
    if stated != "applied":
        return Result(case.id, "confirmed" if confirmed else "asked", read, str(row["outcome"].get("answer")))
    decided = settled.decision or {}
    done = sorted(_named(action) for action in decided["actions"])
    is_right = done == sorted(case.actions) and (decided["type"] == "reject") == (case.means == "reject")
    outcome = "right" if is_right and case.person is None else "wrong"
    return Result(case.id, outcome, is_right, f"{decided['type']} {done}")


async def _confirmed(room: Room, question: Approval, case: ReplyCase) -> tuple[bool, bool]:
    """Whether what was understood is what the case's person means, who then confirms it; and whether it was done."""
    open_ = await room.question()
    if open_ is None or "understood" not in open_.evidence:
        return case.means == "unclear", False
    meant = case.means in ("approve", "instead") and case.person is None
    read = sorted(map(_named, open_.recommended)) == sorted(case.actions)
    if not (meant and read):
        return read, False
    await room.answer(open_, Decision(type="approve", responder=PERSON, why="yes"), f"{case.id}:yes")
    settled = await procurement.approval(room.conn, question.approval_id)
    return read, settled is not None and settled.status == "decided"


def _named(action: PlainAction) -> str:
    """An action by its name, and the day that it names."""
    day = next(
        (action["arguments"][key] for key in ("on", "required_by", "until") if action["arguments"].get(key)), None
    )
    return action["name"] if day is None else f"{action['name']} {day}"
