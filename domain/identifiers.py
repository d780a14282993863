"""Names of orders, questions, reports and shipments in a text; and their list, short enough for a prompt."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from domain.summaries import Identifier
from domain.tokens import count_tokens

IDENTIFIERS_TOKENS = 3_000

_NAMED = re.compile(r"\b(?P<kind>PO|NCR)(?:[-_](?=[\w.-]{0,60}\d)[\w.-]{0,60}\w| ?\d(?:[\w.-]{0,60}\w)?)\b")
_QUESTION = re.compile(r"-\d{1,18}-\d{1,18}(?![\w-])")
_JOINED = re.compile(r"[\w-]")
KINDS = {"PO": "order", "NCR": "report"}
TITLES = {"order": "orders", "question": "questions", "report": "nonconformance reports", "shipment": "shipments"}


def named_in(text: str, building_id: str, seq: int, item_id: str | None = None) -> list[Identifier]:
    """The orders, reports and questions that a text names by our own kinds of numbers."""
    found = [(KINDS[match["kind"]], match.group()) for match in _NAMED.finditer(text)]
    found += [("question", question_id) for question_id in _questions_in(text, building_id)]
    return [Identifier(kind=kind, value=value, item_id=item_id, seq=seq) for kind, value in dict.fromkeys(found)]


def _questions_in(text: str, building_id: str) -> Iterator[str]:
    """Ids of the building's questions, which are its own id and two numbers."""
    place = text.find(building_id)
    while place >= 0:
        end = place + len(building_id)
        numbers = _QUESTION.match(text, end)
        if numbers and not (place and _JOINED.match(text[place - 1])):
            yield building_id + numbers.group()
        place = text.find(building_id, end)


def listed(identifiers: Sequence[Identifier], budget: int = IDENTIFIERS_TOKENS) -> list[str]:
    """One line for each kind: the newest as they are, older ones that do not fit as ranges of numbers."""
    kinds: dict[str, list[Identifier]] = defaultdict(list)
    for identifier in sorted(identifiers, key=lambda one: (-one.seq, one.value)):
        kinds[identifier.kind].append(identifier)
    share = budget // max(len(kinds), 1)
    return [f"{TITLES.get(kind, kind)}: {_shortened(kinds[kind], share - 6)}" for kind in sorted(kinds)]


def _shortened(identifiers: Sequence[Identifier], budget: int) -> str:
    full = [_with_item(identifier) for identifier in identifiers]
    if count_tokens(", ".join(full)) <= budget:
        return ", ".join(full)
    ranges = _ranges(identifier.value for identifier in identifiers)
    shown: list[str] = []
    room = budget - 8
    for text in ranges:
        room -= count_tokens(text) + 1
        if room < 0:
            return ", ".join([*shown, f"and {len(ranges) - len(shown)} more"])
        shown.append(text)
    return ", ".join(shown)


def _with_item(identifier: Identifier) -> str:
    return identifier.value if identifier.item_id is None else f"{identifier.value} ({identifier.item_id})"


def _ranges(values: Iterable[str]) -> list[str]:
    """`PO-a-0001 to 0007`: runs of numbers behind the same stem."""
    stems: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for value in sorted(set(values)):
        stem = value.rstrip("0123456789")
        number = value[len(stem) :]
        stems[stem].append((int(number), number) if number else (0, ""))
    return [text for stem, numbers in stems.items() for text in _runs(stem, sorted(numbers))]


def _runs(stem: str, numbers: list[tuple[int, str]]) -> list[str]:
    ends = [place for place, (one, two) in enumerate(pairwise(numbers), 1) if two[0] != one[0] + 1]
    bounds = pairwise([0, *ends, len(numbers)])
    runs = [numbers[start:end] for start, end in bounds]
    return [f"{stem}{run[0][1]}" if len(run) == 1 else f"{stem}{run[0][1]} to {run[-1][1]}" for run in runs]
