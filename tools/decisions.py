"""Storing what was decided before anything acts: what is stored first stands."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, TypeAdapter

from domain.approvals import Approval, Responder
from domain.events import Entry
from domain.plain_json import JsonObject, KnownJson, PlainAction, PlainObject
from storage import ledger, procurement
from storage.ledger import Places, StoredDecision
from tools.context import Toolbox


@dataclass(frozen=True)
class Verdict:
    """A decision on one matter: who decided, why, and what is to be done."""

    kind: str
    item_id: str | None
    why: str
    responder: Responder
    actions: list[PlainAction]
    type: str = "act"
    approval_id: str | None = None
    confidence: float | None = None
    tokens: int | None = None
    basis: KnownJson = field(default_factory=dict)
    """What it rests on: rule, delegation, line of the policy."""
    fingerprint: str | None = None
    """Digest of the facts that it was taken on."""

    def plain(self) -> JsonObject:
        """As it goes through the state."""
        return {**vars(self), "responder": self.responder.model_dump()}

    @classmethod
    def of(cls, plain: PlainObject) -> "Verdict":
        return _VERDICT.validate_python(plain)


_VERDICT = TypeAdapter(Verdict)


class AdviceBasis(BaseModel):
    """What an answer of a rule or a model rests on, and what was asked."""

    title: str
    summary: str
    policy: str
    rule_id: str | None = None
    delegation_id: str | None = None
    template: list[PlainAction] = []
    remark: str | None = None


class StandingAdvice(BaseModel):
    """What a rule or a model decided (`act`) or recommends, as it is stored."""

    type: str
    responder: Responder
    why: str
    actions: list[PlainAction]
    confidence: float | None = None
    basis: AdviceBasis


_IN_A_PASS = 1_000_000
"""Decisions of one look at the lines: more than any building has lines."""

Known = Literal["nothing", "facts", "all"]
"""What of one look's decisions is stored: nothing yet, those that follow from the facts, or also those of rules and
models."""


def step_of(passes: int, number: int, *, advised: bool = False) -> int:
    """The place of a decision within its entry's run; those of rules and models come after those that follow from
    the facts."""
    return passes * _IN_A_PASS + number + (_IN_A_PASS // 2 if advised else 0)


def known_below(passes: int, known: Known) -> int:
    """The other way round: decisions of the looks before, and what is known of this one, have steps below this."""
    return step_of(passes + 1, 0) if known == "all" else step_of(passes, 0, advised=known == "facts")


async def store(toolbox: Toolbox, entry: Entry, passes: int, verdicts: list[Verdict], *, asks: bool) -> list[Verdict]:
    """Store what one look at the lines comes to, and return what stands: where an earlier run of it has stored
    something, that and nothing else. With `asks` this is looked up though nothing is decided now."""
    if not toolbox.acts or not (verdicts or asks):
        return verdicts
    places = _places(entry, step_of(passes, 0), known_below(passes, "facts") - 1)
    decisions = [_stored(toolbox, entry, step_of(passes, number), verdict) for number, verdict in enumerate(verdicts)]
    async with toolbox.lock:
        standing = await ledger.decide(toolbox.conn, places, decisions)
    return [_as_it_stands(row) for row in standing]


def _places(entry: Entry, first: int, last: int) -> Places:
    return Places(entry.building_id, entry.seq, entry.generation, first, last)


def _as_it_stands(row: PlainObject) -> Verdict:
    return Verdict.of({key: row[key] for key in ("kind", "item_id", "why", "responder", "actions", "type")})


async def store_advised(toolbox: Toolbox, entry: Entry, step: int, verdict: Verdict) -> StandingAdvice:
    """Store what a rule or a model decided or recommends; what was stored before stands."""
    stored = _stored(toolbox, entry, step, verdict)
    if not toolbox.acts:
        return StandingAdvice.model_validate(vars(stored))
    async with toolbox.lock:
        standing = await ledger.decide(toolbox.conn, _places(entry, step, step), [stored])
    return StandingAdvice.model_validate(standing[0])


async def standing_advice(toolbox: Toolbox, entry: Entry, step: int) -> StandingAdvice | None:
    """What an earlier run of this very step came to, before anybody is asked again."""
    async with toolbox.lock:
        stored = await ledger.decided(toolbox.conn, entry.building_id, entry.seq, entry.generation, step)
    return None if stored is None else StandingAdvice.model_validate(stored)


def _stored(toolbox: Toolbox, entry: Entry, step: int, verdict: Verdict) -> StoredDecision:
    return StoredDecision(
        building_id=entry.building_id,
        seq=entry.seq,
        generation=entry.generation,
        step=step,
        type=verdict.type,
        kind=verdict.kind,
        responder=verdict.responder.model_dump(),
        why=verdict.why,
        actions=verdict.actions,
        at=toolbox.clock.now(),
        item_id=verdict.item_id,
        approval_id=verdict.approval_id,
        confidence=verdict.confidence,
        tokens=verdict.tokens,
        basis=verdict.basis,
        fingerprint=verdict.fingerprint,
    )


async def all_open_questions(toolbox: Toolbox, building_id: str) -> list[Approval]:
    """Every pending question of the building, the oldest first."""
    async with toolbox.lock:
        return await procurement.open_questions(toolbox.conn, building_id)
