"""The story's calendar: its working week without its holidays."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from domain.buildings import WEEKDAYS

END_OF_DAY = time(23, 59)


@dataclass(frozen=True)
class WorkingDays:
    """The days on which people work at the site."""

    week: frozenset[str]
    holidays: frozenset[date]

    def includes(self, day: date) -> bool:
        """Whether it is a working day."""
        return WEEKDAYS[day.weekday()] in self.week and day not in self.holidays

    def deadline(self, day: date, within: int) -> datetime:
        """The end of the working day that is `within` working days after this day."""
        while within > 0:
            day += timedelta(days=1)
            within -= self.includes(day)
        return datetime.combine(day, END_OF_DAY)
