"""Recording submittals: approved, refused, repeated, revised. The verdict on the newest revision counts; of one
revision, the newest saying."""

from collections.abc import Iterable

from domain.actions import action
from domain.buildings import MANAGER
from domain.counts import write_count
from domain.events import SubmittalApproved, SubmittalRejected
from domain.lines.facts import Fact, Submitted
from domain.lines.projection import adopt, changed_rows, facts_of, with_facts
from domain.lines.stored import fact_row
from domain.lines.submittals import newest_verdict
from domain.lines.taking_in import Report, set_aside
from domain.outside import quoted
from domain.plain_json import JsonObject
from domain.procurement import LineFile, Row, Submittal
from domain.recording import Recorded


def record_approval(file: LineFile, event: SubmittalApproved, report: Report) -> Recorded:
    """A first approval opens the way to the order; a repeat is noted; a new revision after ordering is asked."""
    item = file.item
    fact = _verdict(report, event, is_approved=True, document=event.document_name)
    standing = newest_verdict(_submittals(file))
    rows = _kept(file, fact, report, document_url=event.document_url)
    if standing is not None and (repeated := _repeats(item.shown, standing, fact, file, "approved")):
        return Recorded(repeated, rows, repeat=True)
    recorded = Recorded(f"{item.shown}: submittal approved", rows)
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


def record_rejection(file: LineFile, event: SubmittalRejected, report: Report) -> Recorded:
    """The refusal is recorded and the responsible person told, with the day by which it must be ordered."""
    item = file.item
    fact = _verdict(report, event, is_approved=False)
    standing = newest_verdict(_submittals(file))
    if standing is not None and (repeated := _repeats(item.shown, standing, fact, file, "rejected")):
        return Recorded(repeated, _kept(file, fact, report), repeat=True)
    if item.is_ordered:
        detail = f"{item.shown}: its submittal was rejected, but it is already ordered"
        known: JsonObject = {
            "commercial": item.commercial,
            "ordered_revision": item.submittal_revision,
            "reason": event.reason,
        }
        return set_aside(file, fact, report, detail, {"known": known})
    by = (
        f"It must be ordered by {item.order_by.isoformat()} (required by {item.required_by} less "
        f"{write_count(item.lead_time_days or 0, 'calendar day')} of lead time)."
        if item.order_by
        else "Its order-by date is unknown: required-by date or lead time is missing."
    )
    message = f"The submittal of {item.shown} was rejected: {quoted(event.reason)}. {by}"
    return Recorded(
        f"{item.shown}: submittal rejected",
        _kept(file, fact, report),
        say=[action("notify_team", team=MANAGER, message=message, item=item.item_id)],
    )


def _verdict(
    report: Report, event: SubmittalApproved | SubmittalRejected, *, is_approved: bool, document: str | None = None
) -> Submitted:
    day = report.said_at.date()
    return Submitted(**report.said, day=day, is_approved=is_approved, revision=event.revision, document=document)


def _submittals(file: LineFile) -> Iterable[Fact]:
    return facts_of(adopt(file))


def _kept(file: LineFile, fact: Submitted, report: Report, *, document_url: str | None = None) -> list[Row]:
    known = adopt(file)
    row = fact_row(fact, file.item.item_id, str(report.seq), report.seq, document_url=document_url)
    return changed_rows(known, with_facts(known, [row], report.seq))


def _repeats(shown: str, standing: Submitted, fact: Submitted, file: LineFile, word: str) -> str | None:
    """Why a verdict changes nothing: it was known, or it is older than the one that stands. None where it is news."""
    after = newest_verdict([*_submittals(file), fact])
    if after is not None and after.key != fact.key:
        return f"{shown}: {_older(standing, fact)}; noted"
    revision = standing.revision if fact.revision is None else fact.revision
    same = (standing.is_approved, standing.revision) == (fact.is_approved, revision)
    return f"{shown}: the submittal is already {word}; noted" if same else None


def _older(standing: Submitted, fact: Submitted) -> str:
    if fact.revision is not None and standing.revision is not None and fact.revision < standing.revision:
        return f"revision {fact.revision} is older than revision {standing.revision}"
    return f"the verdict of {fact.said_at.date()} is older than the one of {standing.said_at.date()}"
