"""The rolling summary of a building's messages: what was dropped from the prompt, in sections that only ever grow by
merging. A summary is never summarised again."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel

from domain.procurement import Row
from domain.tokens import count_tokens, cut_to

INTENT_TOKENS, ACTIONS_TOKENS, ARTIFACTS_TOKENS = 1_500, 2_500, 1_000
"""What each section may take; what is over is dropped from the middle or the beginning, and counted."""
LINE_TOKENS = 60
ANCHORED = 0.25
"""Share of the section *intent* that its first lines keep: what the building set out with is not pushed out."""


class Summary(Row):
    """One state of the rolling summary; each compaction writes the next version."""

    version: int
    upto_seq: int
    """The last inbox entry whose messages are in it. Later ones are still shown as they are."""
    messages: int
    """How many messages this compaction took in: each message is taken in once, since the spans do not overlap."""
    intent: list[str] = []
    """What people and vendors said that they want: mostly words of others."""
    actions: list[str] = []
    """What the agent did, by the ledger."""
    artifacts: list[str] = []
    """Documents, by name and address."""
    dropped: dict[str, int] = {}
    """Older lines that no longer fit, counted by what they were about."""
    tokens: int = 0
    """What it takes in a prompt."""
    by: str = "template"
    """What worded the latest span: the template, or a model's name."""
    caused_seq: int = 0


class Identifier(Row):
    """An order, question, report or shipment that a summarised span was about. Found by our own code, never by a
    model, and kept for good."""

    kind: str
    value: str
    item_id: str | None = None
    seq: int
    """The last entry that named it, among those summarised."""


class Digest(BaseModel):
    """What one span of messages comes to, before it is merged."""

    intent: list[str] = []
    actions: list[tuple[str, str]] = []
    """(name of the action, line)."""
    artifacts: list[str] = []


def merged(
    before: Summary | None, digest: Digest, *, upto_seq: int, messages: int, by: str, caused_seq: int
) -> Summary:
    """The next version: the sections of the one before with the span's lines behind them, each within its budget."""
    old = before or Summary(version=0, upto_seq=-1, messages=0)
    dropped = Counter(old.dropped)
    names = [line.split(" ", 2)[1] if line.count(" ") > 1 else "action" for line in old.actions]
    actions = list(zip(names, old.actions, strict=True)) + [(name, _line(line)) for name, line in digest.actions]
    kept_actions = _newest([line for _, line in actions], ACTIONS_TOKENS)
    dropped.update(name for name, _ in actions[: len(actions) - len(kept_actions)])
    intent, lost = _anchored(old.intent + [_line(line) for line in digest.intent], INTENT_TOKENS)
    artifacts = list(dict.fromkeys(old.artifacts + [_line(line) for line in digest.artifacts]))
    kept_artifacts = _newest(artifacts, ARTIFACTS_TOKENS)
    dropped.update({"message": lost, "document": len(artifacts) - len(kept_artifacts)})
    return Summary(
        version=old.version + 1,
        upto_seq=upto_seq,
        messages=messages,
        intent=intent,
        actions=kept_actions,
        artifacts=kept_artifacts,
        dropped={name: count for name, count in sorted(dropped.items()) if count},
        by=by,
        caused_seq=caused_seq,
    )


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if count_tokens(line) <= LINE_TOKENS else cut_to(line, LINE_TOKENS - 2) + " ..."


def _newest(lines: Sequence[str], budget: int) -> list[str]:
    """The last lines that fit."""
    kept = 0
    for line in reversed(lines):
        budget -= count_tokens(line) + 1
        if budget < 0:
            break
        kept += 1
    return list(lines[len(lines) - kept :])


def _anchored(lines: Sequence[str], budget: int) -> tuple[list[str], int]:
    """The first lines within their share and the last ones within the rest; how many in between were dropped."""
    if sum(count_tokens(line) + 1 for line in lines) <= budget:
        return list(lines), 0
    first = list(reversed(_newest(list(reversed(lines)), int(budget * ANCHORED))))
    last = _newest(lines[len(first) :], budget - int(budget * ANCHORED))
    return first + last, len(lines) - len(first) - len(last)
