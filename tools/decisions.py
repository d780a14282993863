"""Storing what was decided before anything acts: what is stored first stands."""

from dataclasses import dataclass
from typing import Any

from domain.approvals import Approval, Responder
from domain.events import Entry
from storage import ledger, procurement
from storage.ledger import StoredDecision
from tools.context import Toolbox


@dataclass(frozen=True)
class Verdict:
    """A decision on one matter: who decided, why, and what is to be done."""

    kind: str
    item_id: str | None
    why: str
    responder: Responder
    actions: list[dict[str, Any]]
    type: str = "act"
    approval_id: str | None = None
    confidence: float | None = None
    reading: dict[str, Any] | None = None
    """What a model read in a person's own words, where they were read."""

    def plain(self) -> dict[str, Any]:
        """As it goes through the state."""
        return {**vars(self), "responder": self.responder.model_dump()}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "Verdict":
        return cls(**{**plain, "responder": Responder.model_validate(plain["responder"])})


async def store(
    toolbox: Toolbox, entry: Entry, passes: int, verdicts: list[Verdict]
) -> list[tuple[Verdict, list[dict[str, Any]]]]:
    """Store decisions under (building, seq, generation, step). Returns each with the actions that stand."""
    if not verdicts or not toolbox.acts:
        return [(verdict, verdict.actions) for verdict in verdicts]
    at = toolbox.clock.now()
    decisions = [
        StoredDecision(
            building_id=entry.building_id,
            seq=entry.seq,
            generation=entry.generation,
            step=passes * 1000 + number,
            type=verdict.type,
            kind=verdict.kind,
            responder=verdict.responder.model_dump(),
            why=verdict.why,
            actions=verdict.actions,
            at=at,
            item_id=verdict.item_id,
            approval_id=verdict.approval_id,
            confidence=verdict.confidence,
            reading=verdict.reading,
        )
        for number, verdict in enumerate(verdicts)
    ]
    async with toolbox.lock:
        standing = await ledger.decide(toolbox.conn, decisions)
    return list(zip(verdicts, standing, strict=True))


async def open_questions_of(toolbox: Toolbox, building_id: str, item_ids: list[str]) -> list[Approval]:
    """The questions of the lines named that are pending, or answered and not yet settled."""
    async with toolbox.lock:
        return await procurement.unsettled_questions(toolbox.conn, building_id, item_ids)


async def all_open_questions(toolbox: Toolbox, building_id: str) -> list[Approval]:
    """Every pending question of the building, the oldest first."""
    async with toolbox.lock:
        return await procurement.open_questions(toolbox.conn, building_id)
