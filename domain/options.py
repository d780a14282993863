"""Ranked ways out for every kind of question, from the facts and without any model. The first is recommended.

Every option is a what-if: when usable material would be there, how many calendar days late that is, what it costs
(or `unknown`), and what was assumed.
"""

from collections.abc import Callable, Sequence

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.options_on_changes import change_order
from domain.options_on_deliveries import facts_contradict, inspection_failed, schedule_conflict
from domain.options_on_orders import (
    acknowledgement_exception,
    milestone_overdue,
    order_beyond_authority,
    order_incomplete,
)
from domain.options_on_reports import event_failed, event_unclear, item_unknown
from domain.options_on_trust import decision_overruled, delegation_request
from domain.parties import merely_tells
from domain.procurement import VendorRow
from domain.situation import Situation, remove_line


def options_for(kind: str, situation: Situation) -> list[Option]:
    """The ranked options for every kind that the spine raises, whoever is asked."""
    return _BY_KIND[kind](situation)


def for_party(
    options: Sequence[Option], party: str, building: Building, vendor: VendorRow | None = None
) -> list[Option]:
    """The options without those that would merely write to the party that is asked."""
    return [option for option in options if not merely_tells(option.actions, party, building, vendor)]


def _hold_expired(s: Situation) -> list[Option]:
    """What the line was, or now is, held for; then going on, or holding it again."""
    item = s.file.item
    release = s.option(
        "End the hold and go on",
        [action("dismiss_event", note="the hold has ended")],
        cost="none",
        assumptions=["nothing stands against it any more"],
    )
    if item.quality == "failed":
        matter = inspection_failed(s)
    elif item.submittal == "approved" and item.commercial == "unordered":
        matter = order_beyond_authority(s)
    elif item.schedule_band == "conflict":
        matter = schedule_conflict(s)
    else:
        return [release, s.ask_vendor(f"How does {item.shown} stand?"), s.hold("held again"), remove_line(s)]
    return [*(o for o in matter if o.actions[0]["name"] != "hold_item"), release, s.hold("held again")]


_BY_KIND: dict[str, Callable[[Situation], list[Option]]] = {
    "inspection_failed": inspection_failed,
    "schedule_conflict": schedule_conflict,
    "order_beyond_authority": order_beyond_authority,
    "order_incomplete": order_incomplete,
    "acknowledgement_exception": acknowledgement_exception,
    "item_unknown": item_unknown,
    "event_unclear": event_unclear,
    "facts_contradict": facts_contradict,
    "event_failed": event_failed,
    "hold_expired": _hold_expired,
    "milestone_overdue": milestone_overdue,
    "change_order": change_order,
    "decision_overruled": decision_overruled,
    "delegation_request": delegation_request,
}
