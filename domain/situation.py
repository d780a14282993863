"""What options are computed from, and the ways out that every kind of question shares: hold, ask, take the line out."""

from datetime import date

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.plain_json import PlainAction
from domain.procurement import ContactRole, LineFile
from domain.schedule import add_working_days, days_late


class Situation:
    """The facts that options are computed from: the line's file, the building, the business day."""

    def __init__(self, file: LineFile | None, building: Building, today: date) -> None:
        self._file = file
        self.building = building
        self.today = today

    @property
    def file(self) -> LineFile:
        if self._file is None:
            raise LookupError("this kind of question is about a line, and none was given")
        return self._file

    @property
    def file_if_any(self) -> LineFile | None:
        return self._file

    @property
    def item_id(self) -> str:
        return self.file.item.item_id

    def option(
        self,
        title: str,
        actions: list[PlainAction],
        *,
        arrival: date | None = None,
        cost: str = "unknown",
        assumptions: list[str] | None = None,
    ) -> Option:
        return Option(
            title=title,
            actions=actions,
            arrival=None if arrival is None else arrival.isoformat(),
            days_late=self._days_late(arrival) if self._file else None,
            cost=cost,
            assumptions=assumptions or [],
        )

    def _days_late(self, arrival: date | None) -> int | None:
        item = self.file.item
        is_as_known = arrival is not None and arrival == item.expected
        return item.days_late if is_as_known else days_late(arrival, item.required_by)

    def hold(self, note: str = "held until somebody decides") -> Option:
        review = add_working_days(self.today, self.building.policy.hold_review_after_days, self.building.working_week)
        return self.option(
            "Hold: do nothing for now",
            [action("hold_item", item=self.item_id, until=review, note=note)],
            cost="none now",
            assumptions=[f"asked again on {review}"],
        )

    def ask_vendor(
        self,
        question: str,
        title: str = "Ask the vendor first",
        *,
        and_hold: bool = False,
        contact: ContactRole | None = None,
    ) -> Option:
        """A question to the vendor; with `and_hold` the line waits, and is asked about again after a while. `contact`:
        whom there, where it is not whoever the line's state calls for."""
        whom = {} if contact is None else {"contact": contact}
        asked = [action("request_information", item=self.item_id, to="vendor", question=question, **whom)]
        waiting = self.hold("waiting for the vendor")
        return self.option(
            title,
            [*asked, *waiting.actions] if and_hold else asked,
            cost="none",
            assumptions=waiting.assumptions if and_hold else ["nothing else changes until the vendor answers"],
        )


def remove_line(s: Situation) -> Option:
    """Do without the line."""
    return s.option(
        "Take the line out",
        [action("remove_item", item=s.item_id, note="no longer needed")],
        assumptions=["the work can do without it, or another line replaces it"],
    )


def order_and_track(item_id: str) -> list[PlainAction]:
    """The actions that place an order."""
    return [action("issue_purchase_order", item=item_id), action("start_tracking", item=item_id)]
