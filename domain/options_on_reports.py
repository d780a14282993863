"""Ways out of questions on a report itself: which line it means, what it says, why it could not be processed."""

from typing import Any

from domain.actions import action
from domain.approvals import Option
from domain.buildings import MANAGER
from domain.outside import quoted, shown_name
from domain.parties import merely_tells
from domain.situation import Situation


def item_unknown(s: Situation) -> list[Option]:
    """The lines that come near, the closest first; or ask, leave it, note it."""
    body = s.subject["event"]
    matches = [
        s.option(
            f"It is {shown_name(name)}",
            [action("restate_event", event={**body, "item": item_id})],
            cost="none",
            assumptions=[f"{quoted(body['item'])} was meant as {quoted(name)}"],
        )
        for item_id, name in s.subject.get("closest", [])
    ]
    return [*matches, *_whatever_it_says(s)]


def event_unclear(s: Situation) -> list[Option]:
    """What a model read, where one did; or ask, leave it, note it."""
    events = (s.subject.get("reading") or {}).get("events") or []
    return [*([_as_read(s, events)] if events else []), *_whatever_it_says(s)]


def _whatever_it_says(s: Situation) -> list[Option]:
    """Ask, leave it, note it. Where the manager is the one who is asked, noting it comes first: what nobody else is to
    look into should at least not be lost by a plain yes."""
    ask, asked = _ask_sender(s), s.building.approver_for(None) or MANAGER
    if merely_tells(ask.actions, asked, s.building):
        return [_later(s), _dismiss(s)]
    return [ask, _dismiss(s), _later(s)]


def _as_read(s: Situation, events: list[dict[str, Any]]) -> Option:
    """What a model read, with what it was not sure of."""
    doubts = [str(doubt) for doubt in s.subject["reading"].get("doubts", [])]
    return s.option(
        f"Take it in as a model read it: {'; '.join(map(event_told, events))}"[:500],
        [action("restate_event", event=event) for event in events],
        cost="none",
        assumptions=[f"not certain: {doubt}" for doubt in doubts],
    )


def event_told(event: dict[str, Any]) -> str:
    """An event in one line: its type, its line and its day."""
    days = ("eta", "promised_date", "date_arrived", "inspection_date")
    day = next((f" {event[field]}" for field in days if event.get(field)), "")
    return f"{event['event_type'].replace('_', ' ')} of {shown_name(event['item'])}{day}"


def _ask_sender(s: Situation) -> Option:
    said = quoted(s.subject.get("text", ""), 500)
    who = s.subject.get("sender") or s.subject.get("source") or "sender"
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


def _dismiss(s: Situation) -> Option:
    return s.option(
        "Leave it: nothing needs doing",
        [action("dismiss_event", note="nothing needs doing")],
        cost="none",
        assumptions=["it has no consequence for the procurement log"],
    )


def _later(s: Situation) -> Option:
    return s.option(
        "Record it as a note of the team",
        [
            action(
                "restate_event",
                event={"event_type": "Human_Input", "text": str(s.subject.get("text", "-"))[:5000] or "-"},
            )
        ],
        cost="none",
        assumptions=["shown as evidence where it names a line"],
    )


def event_failed(s: Situation) -> list[Option]:
    """Have it looked at, send it again, or leave it."""
    event = shown_name(str(s.subject.get("event_id")))
    tell = s.option(
        "Have the engineers look at it",
        [
            action(
                "notify_team",
                team="engineering",
                message=f"Event {event} could not be processed: {quoted(s.subject.get('error'), 1_000)}",
            )
        ],
        cost="none",
        assumptions=["after a fix it is processed with `longlead events retry`"],
    )
    again = s.option(
        "Send it again as it was",
        [action("restate_event", event=s.subject["event"])] if s.subject.get("event") else [],
        cost="none",
        assumptions=["what went wrong was passing"],
    )
    return [tell, *([again] if again.actions else []), _dismiss(s)]
