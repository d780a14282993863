"""Ways out of a question as they are put to the party that is asked."""

from collections.abc import Sequence

from domain.approvals import Option
from domain.buildings import Building
from domain.parties import merely_tells
from domain.procurement import VendorRow


def for_party(
    options: Sequence[Option], party: str, building: Building, vendor: VendorRow | None = None
) -> list[Option]:
    """The options without those that would merely write to the party that is asked."""
    return [option for option in options if not merely_tells(option.actions, party, building, vendor)]
