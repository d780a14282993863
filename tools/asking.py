"""Building a question from the facts on file, with the rules, notes and past cases that belong to it."""

from datetime import date

from domain.approvals import Approval, Question
from domain.buildings import Building
from domain.events import Entry
from domain.plain_json import JsonObject, object_in
from domain.procurement import LineFile
from domain.questions import Background, build_question, matter_on_file
from domain.rules import as_evidence, case_of, matching
from storage import evidence, procurement, rules
from storage.connection import Connection
from tools.completing import offered_to
from tools.past_cases import past_cases

MOST_RULES = 5
"""Rules that a question shows."""


async def built(
    conn: Connection, building: Building, entry: Entry, kind: str, item_id: str | None, subject: JsonObject
) -> Question | None:
    """The question as the facts stand; None where they do not ask it."""
    file = None if item_id is None else await procurement.line_file(conn, building.building_id, item_id)
    return await built_on(conn, building, entry, kind, file, subject)


async def built_on(
    conn: Connection, building: Building, entry: Entry, kind: str, file: LineFile | None, subject: JsonObject
) -> Question | None:
    """The question on a line's file that was read before."""
    today: date = entry.today(building.zone)
    if kind == "order_incomplete":
        subject = {**subject, "vendors": [*await offered_to(conn, building.building_id, file)]}
    background = await _background(conn, building, kind, file, entry, subject)
    return build_question(kind, file, building, today, subject, background)


async def _background(
    conn: Connection, building: Building, kind: str, file: LineFile | None, entry: Entry, subject: JsonObject
) -> Background:
    """The events behind the facts, the team's notes, the rules that hold, and how similar questions were answered."""
    building_id = building.building_id
    item_id = file.item.item_id if file else None
    about = str(object_in(subject, "delegation")["kind"]) if kind == "delegation_request" else kind
    own = matching(await rules.own_rules(conn, building_id, about), case_of(about, file, subject))
    if kind == "delegation_request":
        own = [rule for rule in await rules.own_rules(conn, building_id, about) if rule.rule_id == subject["rule_id"]]
    return Background(
        facts=await evidence.facts(conn, building_id, item_id, entry.seq),
        notes=await evidence.notes(conn, building_id, item_id) if item_id else [],
        past_cases=await past_cases(conn, building_id, about, file),
        rules=as_evidence(own[:MOST_RULES], building_id, building.policy.rule_autonomy_after),
    )


async def pending(
    conn: Connection, building_id: str, asked: Question | Approval, file: LineFile | None
) -> Approval | None:
    """The pending question of the same line, kind and matter as this one, other than itself; `file`: the line's."""
    if asked.item_id is None:
        return None
    itself = asked.approval_id if isinstance(asked, Approval) else None
    matter = matter_on_file(asked, file) if isinstance(asked, Approval) else asked.matter
    open_ = await procurement.open_questions(conn, building_id, asked.item_id)
    return next(
        (
            approval
            for approval in open_
            if approval.kind == asked.kind
            and approval.approval_id != itself
            and matter_on_file(approval, file) == matter
        ),
        None,
    )


async def answered_before(conn: Connection, building: Building, question: Question, entry: Entry) -> bool:
    """Whether a person, or the agent with authority, has answered it on the very same facts. What was answered in
    watch counts there alone: nothing came of it."""
    building_id, since = building.building_id, watch_ended(building)
    decided = await procurement.decided_questions(conn, building_id, question.item_id, question.kind)
    if any(question.rests_on(a.matter, a.fingerprint) and (a.decision_seq or 0) >= since for a in decided):
        return True
    alone = await rules.decided_alone(conn, building_id, question, entry.seq, entry.generation)
    return alone is not None and alone["seq"] >= since


def watch_ended(building: Building) -> int:
    """The entry from which on answers count: 0 in watch itself, and where it always was live."""
    return 0 if building.is_watching else building.live_from_seq
