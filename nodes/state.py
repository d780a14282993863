"""The thread's state: small, plain, and bounded for years. The domain lives in tables, not here."""

from typing import Any, TypedDict

from domain.plain_json import JsonObject


class BuildingState(TypedDict, total=False):
    """What one step leaves for the next. Every key holds the run in hand only, except `approvals` and
    `memory`."""

    event: dict[str, Any]
    """The inbox entry in hand (domain.events.Entry as plain JSON)."""
    item_id: str | None
    """The line that the entry is about, where it names one that is known."""
    finding: dict[str, Any]
    """What recording the entry came to (tools.recording.Finding)."""
    reply: dict[str, Any] | None
    """What was read of a person's answer in free words (domain.replies.Reply)."""
    settled: dict[str, Any] | None
    """What became of a person's answer (tools.settling.settle)."""
    plan: list[dict[str, Any]]
    """Decided steps, not yet carried out: {"do": "action" | "ask" | "review", ...}."""
    done: list[dict[str, Any]]
    """Steps carried out in this run: {"name", "item", "ordinal", "result"}."""
    learned: bool
    """Whether this run has learned from the answer in hand."""
    passes: int
    """How often this run has looked at its lines."""
    again: list[str]
    """Lines whose hold ended in this run: they are looked at afresh."""
    approvals: dict[str, dict[str, Any]]
    """Pending questions by `seq.ordinal`, overwritten from the table at the end of every run."""
    question: dict[str, Any] | None
    """What the interrupt shows: the most urgent pending question."""
    answer: Any
    """An answer given in Studio or another inbox UI, before it is posted to the inbox."""
    outcome: dict[str, Any]
    """How the entry ended."""
    memory: dict[str, Any]
    """{"summary": its version, "steps": carried out since the messages were last measured, "due": a compaction is}."""


def as_written(update: BuildingState) -> JsonObject:
    """What a step leaves, as the plain JSON that it is written as."""
    written: Any = update
    return {**written}
