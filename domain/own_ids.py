"""Ids that begin with a building's own name: of its questions, rules and delegations, and of what its entries restate.

A fork's begin with the fork's name. Held side by side, what differs by them alone is the same.
"""

import re
from collections.abc import Callable

_KINDS = {"": "question ", "r": "rule ", "d": "delegation "}


def without_owner(*building_ids: str) -> Callable[[str], str]:
    """Takes the names of these buildings out of the ids in a text: `office-3-0` becomes `question 3-0`, `office-r17`
    becomes `rule r17`, `office:3:restate_event` becomes `3:restate_event`."""
    owner = "|".join(re.escape(one) for one in sorted(building_ids, key=len, reverse=True))
    ids = re.compile(rf"(?<![\w-])(?:{owner})(?:-(?P<name>\d+-\d+|(?P<kind>[rd])\d+)(?![\w-])|:(?=\d+:))")

    def neutral(found: re.Match[str]) -> str:
        name = found["name"]
        return "" if name is None else f"{_KINDS[found['kind'] or '']}{name}"

    return lambda text: ids.sub(neutral, text)
