"""Ways out of questions on what the agent decides alone: a decision that was overruled, a delegation it asks for."""

from domain.actions import action
from domain.approvals import Option
from domain.situation import Situation, remove_line

DELEGATED_DAYS = 90
"""The shorter delegation that is offered."""


def decision_overruled(s: Situation) -> list[Option]:
    """What is to become of what was decided alone and found wrong."""
    done = {made["name"] for made in s.subject["actions"]}
    leave = s.option(
        "Leave it as it was decided",
        [action("dismiss_event", note="left as it was decided")],
        cost="none",
        assumptions=["what was done stands; only the rule behind it asks again"],
    )
    hold = s.hold("what was decided is being undone")
    if not done & {"reorder_item", "issue_purchase_order"}:
        return [hold, leave, s.ask_vendor(f"How does {s.file.item.shown} stand?"), remove_line(s)]
    cancel = s.option(
        "Cancel the order that was placed",
        [action("cancel_purchase_order", item=s.item_id, reason="ordered by mistake")],
        assumptions=["the vendor accepts the cancellation without charge"],
    )
    return [cancel, leave, hold, remove_line(s)]


def delegation_request(s: Situation) -> list[Option]:
    """Allow it for good, for a while, or not."""
    asked = s.subject["delegation"]
    limit = asked.get("amount_limit") or s.building.policy.po_limit
    money_bound = "no amount is set" if limit is None else f"at most {limit} {s.building.currency} for one decision"
    whole = s.option(
        "Delegate it until it is revoked",
        [action("grant_delegation", **asked)],
        cost="none now",
        assumptions=[money_bound, "you are told of every decision; overruling one suspends the delegation"],
    )
    short = s.option(
        f"Delegate it for {DELEGATED_DAYS} days",
        [action("grant_delegation", **{**asked, "days": DELEGATED_DAYS})],
        cost="none now",
        assumptions=[money_bound, f"it ends by itself after {DELEGATED_DAYS} days"],
    )
    no = s.option(
        "No: go on asking",
        [action("dismiss_event", note="not delegated")],
        cost="none",
        assumptions=["the rule goes on recommending, and does not ask for this again"],
    )
    return [whole, short, no]
