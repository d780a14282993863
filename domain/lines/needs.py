"""What is needed of a line by which day, and which of its supply covers it: in the rows as the projection made them.

A change of the schedule touches thousands of lines. `with_needs` needs nothing but the line, so none of their files is
read for that.
"""

from collections.abc import Sequence
from datetime import date

from domain.field_markers import line_fields
from domain.lines.coverage import LONG_HERE, Covered, Need, match_needs
from domain.lines.lots import NOTHING, LotState
from domain.lines.quantities import ONE_LOT, share_of
from domain.procurement import CoveredNeed, Item, LineAccount
from domain.schedule import band

_COUNTED = tuple(name for name, field in line_fields(Item).items() if field.counts)
_BANDS = ("clear", "tight", "conflict")


def needs_of(item: Item) -> list[Need]:
    """What is needed of the line by which day. Several needs without quantities are one, on the first of their days."""
    parts = [
        Need(need.quantity, need.required_by, need.buffer_days) for need in item.needs if need.quantity is not None
    ]
    if parts and len(parts) == len(item.needs):
        return parts
    needed = item.needed_quantity
    return [Need(ONE_LOT if needed is None else needed, item.required_by, item.buffer_days)]


def counts_otherwise(before: Item, after: Item) -> bool:
    """Whether a change of the line changes more than its days: how much is needed, in which unit it is counted, or when
    it is expected where nobody has said so. Then its facts are gone through again."""
    if before.needed_quantity != after.needed_quantity:
        return True
    return any(getattr(before, name) != getattr(after, name) for name in _COUNTED)


def with_needs(item: Item) -> Item:
    """The line with its supply matched with its needs again, and its band. Pure; the same as the projection makes it,
    unless the line `counts_otherwise`."""
    if item.account is None:
        made = [band(item.expected, need.required_by, need.buffer_days) for need in needs_of(item)]
        return item.model_copy(update={"schedule_band": _worst(made)})
    needs, account = needs_of(item), item.account
    needed = sum((need.quantity for need in needs), NOTHING)
    allowed = needed * item.tolerance
    known = match_needs(needs, [(part.on, part.quantity) for part in account.supply], allowed)
    forecast = match_needs(needs, [(part.forecast_on, part.quantity) for part in account.supply], allowed)
    days = [one.known_on for one in known if one.known_on not in (None, LONG_HERE)]
    accepted = account.quantities.get(str(LotState.ACCEPTED), NOTHING)
    update = {
        "needs": [_covered(one, later) for one, later in zip(known, forecast, strict=True)],
        "quantities": account.quantities | {"needed": needed, "open": max(NOTHING, needed - accepted)},
        "expected_on": max(days, default=None),
    }
    worst = _worst([band(one.known_on, one.need.required_by, one.need.buffer_days) for one in known])
    if worst == _BANDS[0] and any(one.on is None for one in known):
        worst = None  # a part in time never says that the rest is, as long as nobody has given it a day
    return item.model_copy(update={"account": account.model_copy(update=update), "schedule_band": worst})


def _covered(known: Covered, forecast: Covered) -> CoveredNeed:
    return CoveredNeed(
        quantity=known.need.quantity,
        required_by=known.need.required_by,
        buffer_days=known.need.buffer_days,
        covered_on=_known_day(forecast.on),
        expected_on=_known_day(known.known_on),
        days_late=None if forecast.on == LONG_HERE else forecast.days_late,
        late_quantity=known.late,
    )


def _known_day(day: date | None) -> date | None:
    return None if day == LONG_HERE else day


def _worst(bands: Sequence[str | None]) -> str | None:
    return max((one for one in bands if one is not None), key=_BANDS.index, default=None)


def untouched_account(item: Item) -> LineAccount:
    """What a line amounts to of which nothing was ordered and nothing was reported."""
    quantities = dict.fromkeys(map(str, LotState), NOTHING)
    made = with_needs(
        item.model_copy(update={"account": LineAccount(quantities=quantities, tolerance=share_of(item.unit))})
    ).account
    assert made is not None
    return made
