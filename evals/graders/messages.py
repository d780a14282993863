"""Did everything that must be said go out once, and nothing else?"""

from collections.abc import Iterator

from evals.observed import Observed
from evals.on_file import EffectRow
from evals.playing import Played
from evals.problems import Kind, Problem

ALWAYS_TELL = ("notify_team", "request_information", "expedite_order", "decided")
MAY_TELL = ("learn", "overrule")
"""Effects that sometimes tell something beside what they do: a rule is given up."""
TELL_ONCE = {
    "issue_purchase_order": "already_ordered",
    "reorder_item": "already_ordered",
    "cancel_purchase_order": "already_cancelled",
    "revise_purchase_order": "already_revised",
}


def grade(played: Played) -> Iterator[Problem]:
    """Every message has its effect, every effect that tells has its message; and the parties, where they are named."""
    seen = played.observed
    telling = {_key(effect) for effect in seen.effects if _tells(seen, effect)}
    sent = {_of_ledger(message["key"]): message for message in seen.messages}
    sent = {key: message for key, message in sent.items() if key.split(":")[1] not in MAY_TELL}
    for key in sorted(telling - sent.keys()):
        yield Problem(Kind.WRONG_MESSAGE, f"{key.partition(':')[2]} told nobody")
    for key in sorted(sent.keys() - telling):
        yield Problem(Kind.WRONG_MESSAGE, f"{sent[key]['subject']} was sent to {sent[key]['party']} without a cause")
    withheld = [message["party"] for message in seen.messages if message.get("status") == "withheld"]
    gone = [message["party"] for message in seen.messages if message.get("status") != "withheld"]
    for what, parties, expected in (
        ("messages went to", gone, played.step.sends),
        ("messages were withheld from", withheld, played.step.withholds),
    ):
        if expected is not None and sorted(parties) != sorted(expected):
            wanted = ", ".join(expected) or "nobody"
            yield Problem(Kind.WRONG_MESSAGE, f"{what} {', '.join(parties) or 'nobody'}, expected {wanted}")


def _key(effect: EffectRow) -> str:
    return f"{effect['seq']}:{effect['action']}:{effect['item']}:{effect['ordinal']}"


def _of_ledger(key: str) -> str:
    """The outbox's key without the building."""
    return key.partition(":")[2]


def _tells(seen: Observed, effect: EffectRow) -> bool:
    name, result = effect["action"], effect["result"]
    if "would_do" in result:
        return False
    if name in ALWAYS_TELL:
        return True
    if name in TELL_ONCE:
        return not result.get(TELL_ONCE[name])
    if name == "remove_item":
        return "standing_order" in result
    if name == "remind":
        return "moot" not in result
    if name == "announce":
        return "announced" in result
    if name == "record:Building_Went_Live":
        return not result["repeat"]
    if name == "review":
        return bool(result.get("renewed") or result.get("superseded"))
    if name == "settle":
        return "kept_open" in result or any(question.approval_id == effect["item"] for question in seen.renewed)
    if name.startswith("ask:"):
        return any(question.approval_id == result.get("approval_id") for question in [*seen.raised, *seen.renewed])
    return False
