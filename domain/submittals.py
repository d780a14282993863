"""Recording submittals: approved, refused, repeated, revised."""

from domain.actions import action
from domain.buildings import MANAGER
from domain.events import SubmittalApproved, SubmittalRejected
from domain.outside import quoted
from domain.procurement import Commercial, LineFile, Submittal
from domain.recording import Recorded, saved


def record_approval(file: LineFile, event: SubmittalApproved, seq: int) -> Recorded:
    """A first approval opens the way to the order; a repeat is noted; a new revision after ordering is asked."""
    item = file.item
    revision = event.revision if event.revision is not None else item.submittal_revision
    same = item.submittal == Submittal.APPROVED and revision == item.submittal_revision
    if same:
        return Recorded.repeated(f"{item.shown}: the submittal is already approved; noted")
    older = (
        item.submittal_revision is not None and event.revision is not None and event.revision < item.submittal_revision
    )
    if older:
        return Recorded.repeated(
            f"{item.shown}: revision {event.revision} is older than revision {item.submittal_revision}; noted"
        )
    changed = item.model_copy(
        update={
            "submittal": Submittal.APPROVED,
            "submittal_revision": revision,
            "document_url": event.document_url,
            "caused_seq": seq,
        }
    )
    if item.commercial == Commercial.CANCELLED:  # the need stands, and what may be ordered is approved again
        changed = changed.model_copy(update={"commercial": Commercial.UNORDERED})
    recorded = Recorded(f"{item.shown}: submittal approved", saved(file, changed))
    if item.is_ordered and item.submittal == Submittal.APPROVED:
        recorded.note = f"{item.shown}: revision {event.revision} approved after the order"
        recorded.ask.append(
            (
                "order_beyond_authority",
                {
                    "change_order": True,
                    "revision": event.revision,
                    "ordered_revision": item.submittal_revision,
                    "document_url": event.document_url,
                    "document_name": event.document_name,
                    "policy_line": "a change order always needs a person",
                },
            )
        )
    return recorded


def record_rejection(file: LineFile, event: SubmittalRejected, seq: int) -> Recorded:
    """The refusal is recorded and the responsible person told, with the day by which it must be ordered."""
    item = file.item
    if item.is_ordered:
        return Recorded.contradicts(
            f"{item.shown}: its submittal was rejected, but it is already ordered",
            {
                "commercial": item.commercial,
                "ordered_revision": item.submittal_revision,
                "reason": event.reason,
            },
        )
    repeated = item.submittal == Submittal.REJECTED and event.revision == item.submittal_revision
    if repeated:
        return Recorded.repeated(f"{item.shown}: the submittal was already rejected; noted")
    changed = item.model_copy(
        update={
            "submittal": Submittal.REJECTED,
            "submittal_revision": event.revision if event.revision is not None else item.submittal_revision,
            "caused_seq": seq,
        }
    )
    by = (
        f"It must be ordered by {item.order_by.isoformat()} (required by {item.required_by} less "
        f"{item.lead_time_days} calendar days of lead time)."
        if item.order_by
        else "Its order-by date is unknown: required-by date or lead time is missing."
    )
    message = f"The submittal of {item.shown} was rejected: {quoted(event.reason)}. {by}"
    return Recorded(
        f"{item.shown}: submittal rejected",
        saved(file, changed),
        say=[action("notify_team", team=MANAGER, message=message, item=item.item_id)],
    )
