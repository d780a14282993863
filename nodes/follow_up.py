"""Entries that Longlead writes to itself: a hold ran out, an answer is overdue, an event could not be
processed, a person overruled what a rule decided, a building went live, a vendor was changed, an upgrade adopted
lines."""

from functools import partial

from domain.buildings import Building
from domain.events import Entry
from domain.milestones import record_overdue
from domain.outside import shown_name
from domain.plain_json import number_in
from domain.plan import RaisedQuestion
from domain.procurement import LineFile
from domain.recording import Recorded
from nodes.entry import entry_in, found, item_in
from nodes.state import BuildingState
from tools.adopted import tell_of_adopted
from tools.approvals import remind
from tools.context import Toolbox
from tools.going_live import end_first_day, go_live
from tools.recording import Finding, record
from tools.rules import overruled
from tools.vendors import look_again


async def follow_up(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    if entry.event_type == "Hold_Expired":
        asked = RaisedQuestion(kind="hold_expired", item_id=state.get("item_id"))
        return found(Finding(note="the hold has run out", ask=[asked]))
    if entry.event_type == "Approval_Overdue":
        reminded = await remind(toolbox, entry)
        return found(Finding(note="nobody needs reminding" if "moot" in reminded else "the answer is overdue"))
    if entry.event_type == "Milestone_Overdue":
        return found(await record(toolbox, entry, item_in(state), partial(_owed, entry)))
    if entry.event_type == "Rule_Overruled":
        settled = await overruled(toolbox, entry)
        return {**found(Finding(note="decision overruled")), "settled": settled.plain(), "item_id": settled.item_id}
    if entry.event_type == "Building_Went_Live":
        return found(await go_live(toolbox, entry))
    if entry.event_type == "First_Day_Ended":
        return found(await end_first_day(toolbox, entry))
    if entry.event_type == "Vendor_Changed":
        return found(await look_again(toolbox, entry))
    if entry.event_type == "Lines_Adopted":
        return found(await tell_of_adopted(toolbox, entry))
    asked = RaisedQuestion(kind="event_failed", subject=entry.body)
    return found(
        Finding(note=f"event {shown_name(str(entry.body.get('event_id')))} could not be processed", ask=[asked])
    )


def _owed(entry: Entry, file: LineFile, building: Building) -> Recorded:
    round_, milestone = number_in(entry.body, "round"), str(entry.body["milestone"])
    return record_overdue(file, building, round_ or 0, milestone, entry.today(building.zone), entry.seq)
