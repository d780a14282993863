"""What questions on a report share: the report itself, and the ways out that any unclear report has."""

from domain.actions import action
from domain.approvals import Option
from domain.buildings import MANAGER
from domain.outside import quoted, shown_name
from domain.parties import merely_tells
from domain.plain_json import JsonObject
from domain.questions.kinds import Subject
from domain.situation import Situation


class ReportSubject(Subject):
    """The report as it came in."""

    event_id: str | None = None
    event_type: str | None = None
    source: str | None = None
    sender: str | None = None
    """Who wrote a message; a typed event has none."""
    text: str | None = None


def whatever_it_says(s: Situation, subject: ReportSubject) -> list[Option]:
    """Ask, leave it, note it. Where the manager is the one who is asked, noting it comes first: what nobody else is to
    look into should at least not be lost by a plain yes."""
    ask, asked = _ask_sender(s, subject), s.building.approver_for(None) or MANAGER
    if merely_tells(ask.actions, asked, s.building):
        return [_later(s, subject), dismiss(s)]
    return [ask, dismiss(s), _later(s, subject)]


def event_told(event: JsonObject) -> str:
    """An event in one line: its type, its line and its day."""
    days = ("eta", "promised_date", "date_arrived", "inspection_date")
    day = next((f" {event[field]}" for field in days if event.get(field)), "")
    return f"{str(event['event_type']).replace('_', ' ')} of {shown_name(str(event['item']))}{day}"


def _ask_sender(s: Situation, subject: ReportSubject) -> Option:
    said = quoted("" if subject.text is None else subject.text, 500)
    who = subject.sender or subject.source or "sender"
    return s.option(
        "Have the project manager clear it up with the sender",
        [
            action(
                "notify_team",
                team=MANAGER,
                message=f"Please clear up with {shown_name(str(who))} what was meant: {said}",
            )
        ],
        cost="none",
        assumptions=["the sender sends it again, as a typed event or in other words"],
    )


def dismiss(s: Situation) -> Option:
    return s.option(
        "Leave it: nothing needs doing",
        [action("dismiss_event", note="nothing needs doing")],
        cost="none",
        assumptions=["it has no consequence for the procurement log"],
    )


def _later(s: Situation, subject: ReportSubject) -> Option:
    return s.option(
        "Record it as a note of the team",
        [
            action(
                "restate_event",
                event={"event_type": "Human_Input", "text": (subject.text or "-")[:5000]},
            )
        ],
        cost="none",
        assumptions=["shown as evidence where it names a line"],
    )
