"""Whether whoever answers a question may decide it: the policy's verdict on the facts on file."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from domain.approvals import Responder
from domain.authority import commitment_of, may_decide
from domain.buildings import Building
from domain.policy import ANSWERED_BY_ANYONE, Authority
from domain.rules import case_of
from storage import procurement, rules
from storage.connection import Connection


class Posed(Protocol):
    """A question as it was put."""

    @property
    def kind(self) -> Any: ...
    @property
    def item_id(self) -> str | None: ...
    @property
    def subject(self) -> dict[str, Any]: ...


async def authority_of(
    conn: Connection,
    building: Building,
    responder: Responder,
    posed: Posed,
    actions: Sequence[dict[str, Any]],
    now: datetime,
) -> Authority:
    """Whether a program's key may give this answer: within what anybody may, or what was delegated to it."""
    file = None
    if posed.item_id is not None:
        file = await procurement.line_file(conn, building.building_id, posed.item_id)
    return may_decide(
        building,
        responder,
        case_of(posed.kind, file, posed.subject),
        actions,
        commitment_of(actions, file),
        await rules.delegations(conn, building.building_id, posed.kind),
        now,
        anyone=ANSWERED_BY_ANYONE,
    )
