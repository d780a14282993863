"""Say what a report really was."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape
from domain.buildings import Strict
from domain.events import Event


class RestateArguments(Strict):
    event: Event = Field(description="The event as it should have been sent.")


class RestateEvent(ActionShape):
    """Say what an unclear event really was: it enters the inbox as the event given."""

    name: Literal["restate_event"]
    arguments: RestateArguments


KIND = ActionKind[RestateArguments](
    shape=RestateEvent,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("event",),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="take the report as {event}",
    done="took the report as another event: entry {seq}",
    called="",
    called_around="",
    spoken=None,
    from_reply=None,
)
