"""Whether a played story came out as recorded: nothing missing, nothing twice, nothing asked in vain."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from cli import answers
from cli.demo_play import Ending, Played
from evals.scenario import Outcome, Scenario

_Standing = str | Sequence[tuple[str, Decimal | None]]
"""The status of a line or a flag; what an order orders, and how much of each."""


def differences(story: Scenario, played: list[Played], ending: Ending) -> list[str]:
    """What differs from the record, each in one line; empty when all is as expected."""
    outcome = story.outcome or Outcome()
    found = [line for one in played for line in _of_step(one)]
    found += _differ("line", {line["item_id"]: line["status"] for line in ending.lines}, outcome.lines)
    ordered = {
        order["number"]: [(line["item"], Decimal(line["quantity"] or 0)) for line in order["lines"]]
        for order in ending.orders
    }
    wanted = {number: [(order.item, order.quantity)] for number, order in (outcome.orders or {}).items()}
    found += _differ("order", ordered, wanted)
    flags = outcome.flags or {}
    found += _differ("flag", {flag["item_id"]: flag["status"] for flag in ending.flags}, flags)
    if len(ending.flags) != len(flags):
        found.append(f"{len(ending.flags)} flags were raised, expected {len(flags)}")
    found += [f"question {approval['approval_id']} is still open" for approval in ending.pending]
    found += [f"event {event['event_id']} is {event['status']}" for event in ending.events if event["status"] != "done"]
    if len(ending.events) != len(story.steps):
        found.append(f"the inbox has {len(ending.events)} entries, expected {len(story.steps)}")
    return found


def _of_step(played: Played) -> list[str]:
    step = played.step
    did = [action["name"] for action in played.actions]
    due = [expected.name for expected in step.does]
    wanted = [(one.kind, one.item, one.recommends) for one in step.asks]
    asked = [(one["kind"], one["item_id"], _recommended(one)) for one in played.raised]
    found = []
    if did != due:
        found.append(f"step {played.number}: did {did}, expected {due}")
    if asked != wanted:
        found.append(f"step {played.number}: asked {asked}, expected {wanted}")
    return found


def _recommended(approval: answers.ApprovalJson) -> str | None:
    titles = [str(option["title"]) for option in approval["options"] if option["actions"] == approval["recommended"]]
    return titles[0] if titles else None


def _differ(what: str, found: Mapping[str, _Standing], wanted: Mapping[str, _Standing]) -> list[str]:
    return [
        f"{what} {key}: {found.get(key, 'missing')}, expected {wanted.get(key, 'none')}"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    ]
