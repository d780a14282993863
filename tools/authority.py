"""Whether somebody may give an answer: what the facts on file say of the lines that it touches."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.actions.registry import COMMITTING
from domain.approvals import Decision
from domain.authority import Answerer, Proposal, may_decide
from domain.buildings import Building
from domain.commitments import Actions, Line, items_of, restated_name
from domain.errors import ForbiddenError
from domain.line_names import LineNames
from domain.plain_json import JsonObject
from domain.policy import Authority
from domain.principals import Principal
from domain.procurement import LineFile
from domain.rules import case_of
from storage import procurement, rules, spending
from storage.connection import Connection


class Posed(Protocol):
    """A question as it was put."""

    @property
    def kind(self) -> str: ...
    @property
    def item_id(self) -> str | None: ...
    @property
    def subject(self) -> JsonObject: ...


@dataclass(frozen=True)
class Matter:
    """Something that is decided without having been asked."""

    kind: str
    item_id: str | None = None
    subject: JsonObject = field(default_factory=dict)


def answerer_of(principal: Principal) -> Answerer:
    """A caller as somebody who answers."""
    if principal.is_person:
        return Answerer(principal.responder, principal.mandate)
    return Answerer(principal.responder, has_key=True)


def answerer_on_record(decision: Decision) -> Answerer:
    """Who gave an answer that is on record. Only people and programs' keys answer questions that were put."""
    if decision.responder.type == "human":
        return Answerer(decision.responder, decision.mandate)
    return Answerer(decision.responder, has_key=True)


async def authority_of(
    conn: Connection,
    building: Building,
    answerer: Answerer,
    posed: Posed,
    actions: Actions,
    now: datetime,
    *,
    approval_id: str | None = None,
) -> Authority:
    """Whether this answerer may answer a question with these actions; none: refuse what is recommended.

    `approval_id` names the question itself: it does not stand in its own way.
    """
    if _decides_anything(answerer):
        return Authority(True, "a person decides")
    proposal = await _proposal(conn, building, answerer, posed, actions, approval_id)
    delegations = [] if answerer.mandate else await rules.delegations(conn, building.building_id, posed.kind)
    return may_decide(building, answerer, proposal, delegations, now)


async def require_authority(
    conn: Connection,
    building: Building,
    principal: Principal,
    posed: Posed,
    actions: Actions,
    now: datetime,
    *,
    approval_id: str | None = None,
) -> None:
    """Let only those pass who may decide this.

    Raises:
        ForbiddenError: the caller may not; it says who may.
    """
    answerer = answerer_of(principal)
    authority = await authority_of(conn, building, answerer, posed, actions, now, approval_id=approval_id)
    if not authority.allowed:
        who = principal.responder
        raise ForbiddenError(f"{authority.policy_line}; {who.name} is {who.type}.")


def _decides_anything(answerer: Answerer) -> bool:
    """Whether no amount matters, so that nothing need be looked up."""
    mandate = answerer.mandate
    return answerer.responder.type == "human" and (mandate is None or mandate.via == "local")


async def _proposal(
    conn: Connection,
    building: Building,
    answerer: Answerer,
    posed: Posed,
    actions: Actions,
    approval_id: str | None,
) -> Proposal:
    building_id = building.building_id
    restated = await _restated_lines(conn, building_id, actions)
    lines = {}
    for item_id in items_of(actions, restated):
        file = await procurement.line_file(conn, building_id, item_id)
        if file is not None:
            lines[item_id] = await _line(conn, building, answerer, file, actions, approval_id)
    asked = lines[posed.item_id].file if posed.item_id in lines else None
    if asked is None and posed.item_id is not None:
        asked = await procurement.line_file(conn, building_id, posed.item_id)
    about = posed.subject.get("event")
    event_type = str(about["event_type"]) if isinstance(about, dict) and "event_type" in about else None
    return Proposal(case_of(posed.kind, asked, posed.subject), actions, lines, restated, event_type)


async def _restated_lines(conn: Connection, building_id: str, actions: Actions) -> dict[str, str]:
    """The ids of the lines that restated events name. Apart from the event loop: a building may have thousands."""
    named = {name for action in actions if (name := restated_name(action)) is not None}
    if not named:
        return {}
    names = await procurement.item_names(conn, building_id)

    def find() -> dict[str, str]:
        lines = LineNames(names)
        return {name: item_id for name in named if (item_id := lines.find(name)) is not None}

    return await asyncio.to_thread(find)


async def _line(
    conn: Connection,
    building: Building,
    answerer: Answerer,
    file: LineFile,
    actions: Actions,
    approval_id: str | None,
) -> Line:
    """A line with what only programs, rules and models are asked about."""
    if answerer.responder.type == "human":
        return Line(file)
    item_id = file.item.item_id
    open_ = await procurement.open_questions(conn, building.building_id, item_id)
    waits = file.item.is_held or any(one.holds_item and one.approval_id != approval_id for one in open_)
    if not any(action["name"] in COMMITTING for action in actions):
        return Line(file, waits=waits)
    return Line(file, await spending.committed_before(conn, building, answerer, item_id), waits)
