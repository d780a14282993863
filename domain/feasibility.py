"""Can it be done now? The actions of a decision are tried in order on the lines' files before any of them is done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.actions import ACTION, Action, OrderArguments, items_named, plain
from domain.actions.registry import ACTION_KINDS
from domain.actions.shapes import DISPOSITIONS, DispositionArguments, ReplacementArguments
from domain.dispositions import check_quantity, find_meant
from domain.plain_json import PlainAction
from domain.procurement import LineFile
from domain.text import ON_FILE


@dataclass(frozen=True)
class Obstacle:
    """The first action of a list that cannot be done, and why, in a site manager's words."""

    number: int
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


def find_obstacle(
    files: Mapping[str, LineFile], actions: Sequence[PlainAction], *, asked_about: Collection[str] | None = None
) -> Obstacle | None:
    """The first of these actions that cannot be done after those before it; None where all can.

    A line whose file is not given is not checked. `asked_about`: numbers of the NCRs that the answered question is
    about; None where it is about none.
    """
    now = dict(files)
    for number, plain_action in enumerate(actions):
        typed = ACTION.validate_python(plain_action, context=ON_FILE)
        for item_id in items_named(plain(typed)):
            file = now.get(item_id)
            if file is None:
                continue
            if (why := check_action(file, typed, asked_about)) is not None:
                return Obstacle(number, typed.name, why)
            now[item_id] = apply_action(file, typed)
    return None


def check_action(file: LineFile, made: Action, asked_about: Collection[str] | None = None) -> str | None:
    """Why an action on a line cannot be done as its facts now are; None where it can."""
    kind = ACTION_KINDS[made.name]
    if file.item.removed and not kind.is_possible_when_removed:
        return f"{file.item.shown} was taken out of the log"
    if isinstance(made.arguments, OrderArguments):
        quantity = made.arguments.quantity
        if quantity is not None and quantity <= 0:
            return f"the quantity must be above 0, not {quantity}"
    why = kind.check(file, made.arguments)
    if (
        why is None
        and isinstance(made.arguments, DISPOSITIONS)
        and (file.has_rejected or made.arguments.ncr_number is not None)
    ):
        return _check_ncrs(file, made.arguments, asked_about)
    return why


def _check_ncrs(
    file: LineFile, given: DispositionArguments | ReplacementArguments, asked_about: Collection[str] | None
) -> str | None:
    """Why a decision about rejected goods does not say which, or of how much; None where it does."""
    try:
        meant = find_meant(file, given.ncr_number, asked_about)
    except ValueError as error:
        return str(error)
    # More may be ordered than is replaced.
    return check_quantity(file, meant, given.quantity) if isinstance(given, DispositionArguments) else None


def apply_action(file: LineFile, made: Action) -> LineFile:
    """The line's file as later actions of the same decision find it."""
    return ACTION_KINDS[made.name].change(file, made.arguments)
