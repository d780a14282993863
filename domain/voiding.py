"""Taking a report back: it stays on file, marked, and counts for nothing any more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from domain.actions.kinds import Reach
from domain.actions.registry import ACTION_KINDS
from domain.approvals import Approval
from domain.lines.account import Doubt
from domain.lines.doubts import doubts_of
from domain.lines.projection import adopt, project
from domain.outside import quoted
from domain.plain_json import JsonObject
from domain.procurement import LineFile, Submittal

GROUND_GONE = "ground_gone"
"""Why a decision is asked about again: the report on which it rested was taken back."""


@dataclass
class TakenBack:
    """What a line is without a report, and what people must be asked about."""

    file: LineFile
    gone_ncrs: set[str] = field(default_factory=set)
    """Numbers of the nonconformances that are none any more."""
    doubts: list[Doubt] = field(default_factory=list)
    """What contradicts itself now and did not before."""


def take_back(file: LineFile, keys: Collection[tuple[str, str]], by: str, seq: int) -> TakenBack:
    """The line without the reports of these events (source, event id). `by`: the event that takes them back."""
    known = adopt(file)
    facts = [
        row.model_copy(update={"voided_by": by}) if (row.source, row.event_id) in keys and not row.voided_by else row
        for row in known.facts
    ]
    made = project(known.model_copy(update={"facts": facts}), seq)
    open_before = {ncr.ncr_id for ncr in file.ncrs if not ncr.is_gone}
    gone = {ncr.ncr_number for ncr in made.ncrs if ncr.is_gone and ncr.ncr_id in open_before}
    before = {doubt.fact for doubt in doubts_of(known)}
    # What was decided about goods that are not rejected any more is asked about as a decision.
    new = [one for one in doubts_of(made) if one.fact not in before and one.reason != "unknown_ncr"]
    return TakenBack(made, gone, new)


def rests_on(approval: Approval, seq: int, gone_ncrs: Collection[str]) -> bool:
    """Whether what was decided here rested on the report of an entry, or on a nonconformance that is none any more."""
    actions = (approval.decision or {}).get("actions") or []
    binds = any(_binds(action["name"]) for action in actions)
    return binds and (approval.raised_seq == seq or (approval.matter != "" and approval.matter in gone_ncrs))


def _binds(name: str) -> bool:
    """Whether something rests on an action when its ground goes."""
    kind = ACTION_KINDS[name]
    return kind.reach == Reach.COMMITMENT or (kind.needs_a_person and not kind.only_undoes)


def ask_about_decision(file: LineFile, approval: Approval, reason: str, by: str) -> JsonObject:
    """The subject of the question whether a decision stands without its ground."""
    decision = approval.decision or {}
    names = [action["name"].replace("_", " ") for action in decision.get("actions") or []]
    who = (decision.get("responder") or {}).get("name") or "somebody"
    detail = (
        f"{file.item.shown}: the report behind a decision is taken back: {quoted(reason)}. "
        f"On it rested what {who} decided: {', '.join(names)}. Does that stand?"
    )
    placed = [order.number for order in file.orders if _was_placed_by(order.caused_seq, approval)]
    live = [order.number for order in file.orders if order.status in ("issued", "acknowledged")]
    cancels = next((number for number in placed if number in live), None)
    return {
        "detail": detail,
        "known": {"decided": approval.key, "actions": [*names]},
        "doubt": GROUND_GONE,
        "cancels": cancels,
        "matter": f"{by}:{approval.key}",
    }


def approval_lost(before: LineFile, after: LineFile) -> str | None:
    """The order that stands without an approved submittal, now that its approval is taken back."""
    was_approved = before.item.submittal == Submittal.APPROVED
    if not was_approved or after.item.submittal == Submittal.APPROVED or not after.item.is_ordered:
        return None
    return after.order.number if after.order is not None else None


def ask_about_order(file: LineFile, number: str, reason: str, by: str) -> JsonObject:
    """The subject of the question whether an order stands without its approval."""
    return {
        "detail": f"{file.item.shown}: the approval on which {number} was ordered is taken back: {quoted(reason)}. "
        "Does the order stand?",
        "known": {"order": number},
        "doubt": GROUND_GONE,
        "cancels": number,
        "matter": f"{by}:{number}",
    }


def _was_placed_by(seq: int, approval: Approval) -> bool:
    return approval.decision_seq is not None and seq >= approval.decision_seq


def say_taken_back(file: LineFile, what: str, reason: str, parties: Sequence[str]) -> list[tuple[str, str]]:
    """Whom to tell, and what: everybody who was told of the report."""
    text = f"{file.item.shown}: {what} is taken back: {quoted(reason)}. Please disregard what was said of it."
    return [(party, text) for party in dict.fromkeys(parties)]
