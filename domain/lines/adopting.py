"""What becomes of lines that were kept before there were facts: which of them turn to another status with their next
entry, and which stay released by the verdict of then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from domain.lines.bookkeeping import keep_account
from domain.lines.old_rows import read_facts
from domain.lines.quantities import share_of
from domain.lines.shown import account_shown, complete_file
from domain.lines.words import describe_quantities
from domain.outside import shown_name
from domain.procurement import LineAccount, LineFile

MAX_NAMED = 20
"""Lines that the message about them names one by one."""


@dataclass(frozen=True)
class AdoptedLine:
    """A line whose facts make another status of it than its rows had, or would not have released it."""

    item_id: str
    name: str
    """As it may stand in a sentence."""
    status_now: str
    status_then: str
    why: str
    """What its facts say of its goods."""
    stays_released: bool = False


def look_at(file: LineFile) -> AdoptedLine | None:
    """What the next entry makes of a line without facts; None where its status stays, and its facts agree with it."""
    item = file.item
    made = complete_file(file)
    stays_released = item.is_released and not _is_released_by_facts(file)
    if item.status == made.item.status and not stays_released:
        return None
    why = _describe(file, made.item.account)
    return AdoptedLine(item.item_id, item.shown, item.status, made.item.status, why, stays_released)


def _is_released_by_facts(file: LineFile) -> bool:
    return keep_account(
        file.item.quantity, share_of(file.item.unit), read_facts(file, adopts_verdict=False)
    ).is_released


def _describe(file: LineFile, account: LineAccount | None) -> str:
    item = file.item
    undecided = [
        shown_name(one.ncr_number or one.inspection_id)
        for one in file.inspections
        if one.status == "failed" and one.disposition is None
    ]
    quantities = account_shown(item, account).quantities
    said = describe_quantities(quantities, item.unit, has_quantity=item.quantity is not None)
    return f"{said}; nobody decided about {', '.join(undecided)}" if undecided else said


class ToldLine(TypedDict):
    """A line in the entry that tells of lines which stay released."""

    item: str
    why: str


class ToldLines(TypedDict):
    """The body of that entry."""

    lines: list[ToldLine]
    count: int
    """How many there are; only MAX_NAMED of them are named."""


def tell_of(lines: Sequence[AdoptedLine]) -> ToldLines:
    """The body of the entry that tells of lines which stay released."""
    return {
        "lines": [{"item": line.name, "why": line.why} for line in lines[:MAX_NAMED]],
        "count": len(lines),
    }


def describe_told(body: ToldLines) -> str:
    """What the manager is told of lines that stay released."""
    count, named = body["count"], body["lines"]
    lines = "; ".join(f"{line['item']} ({line['why']})" for line in named)
    more = f"; and {count - len(named)} more" if count > len(named) else ""
    which = "1 line was" if count == 1 else f"{count} lines were"
    they = "It stays" if count == 1 else "They stay"
    return (
        f"Longlead now computes what a line amounts to from everything that was reported. {which} released before, "
        f"though by the reports not all of it was received and accepted. {they} released until something new is "
        f"reported against it; please look whether that is right: {lines}{more}."
    )
