"""Finding the lines that a text names, in time that grows with the text and the log, and not with their product."""

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable

from domain.text import folded

MAX_HEARD = 60_000
"""Folded characters of a text in which names are looked for; some letters become many when they are folded."""
MAX_COMPARED = 40
"""Names that are compared letter by letter for the closest ones; the others have fewer pairs of letters in common."""
_HEAD = 4
"""Characters of a name under which it is filed."""


class LineNames:
    """The ids and names of a building's lines. Case and spacing do not count (api.md)."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self.names = list(names)
        self._ids = {item_id for item_id, _ in self.names}
        self._by_name: dict[str, set[str]] = defaultdict(set)
        self._by_id: dict[str, set[str]] = defaultdict(set)
        for item_id, name in self.names:
            self._file(item_id, name)

    def add(self, item_id: str, name: str) -> None:
        """A further line."""
        self.names.append((item_id, name))
        self._ids.add(item_id)
        self._file(item_id, name)

    def drop(self, item_id: str, name: str) -> None:
        """A line that is gone, or that this was the name of."""
        self.names = [line for line in self.names if line[0] != item_id]
        self._ids.discard(item_id)
        self._by_id[folded(item_id)].discard(item_id)
        self._by_name[folded(name)].discard(item_id)

    def _file(self, item_id: str, name: str) -> None:
        self._by_id[folded(item_id)].add(item_id)
        self._by_name[folded(name)].add(item_id)

    def find(self, named: str) -> str | None:
        """The id of the line that is named, by id or by name. Never a near miss; an exact id wins over a name, and a
        name over an id in another spelling."""
        if named in self._ids:
            return named
        fold = folded(named)
        matches = self._by_name.get(fold) or self._by_id.get(fold) or _NONE
        return next(iter(matches)) if len(matches) == 1 else None

    def find_clash(self, item_id: str | None, name: str, own: str | None = None) -> str | None:
        """The id of another line that this name, or this id where one is given, would be taken for; `own`: the id that
        the line has. An id that is another line's name is none: `find` lets the id win."""
        others = set(self._by_name.get(folded(name), _NONE))
        if item_id is not None:
            others |= self._by_id.get(folded(item_id), _NONE)
        return min(others - {item_id, own}, default=None)

    def is_name_of(self, item_id: str, named: str) -> bool:
        """Whether this is the line's id or its name, and not merely like its id."""
        return named == item_id or item_id in self._by_name.get(folded(named), _NONE)

    def is_no_name(self, item_id: str, own: str) -> bool:
        """Whether an id that is made for the line of this name is none of another line's names."""
        fold = folded(item_id)
        return fold == folded(own) or not self._by_name.get(fold)

    def mentioned_in(self, text: str) -> list[str]:
        """The ids of the lines whose names or ids a text contains, in the log's order."""
        heard = folded(text)[:MAX_HEARD]
        lengths: dict[str, set[int]] = defaultdict(set)
        for fold in {*self._by_name, *self._by_id}:
            if fold:
                lengths[fold[:_HEAD]].add(len(fold))
        found: set[str] = set()
        for size in {len(head) for head in lengths}:
            for place in range(len(heard) - size + 1):
                for length in lengths.get(heard[place : place + size], ()):
                    part = heard[place : place + length]
                    found |= self._by_name.get(part, _NONE) | self._by_id.get(part, _NONE)
        return list(dict.fromkeys(item_id for item_id, _ in self.names if item_id in found))

    def closest(self, named: str, most: int = 3) -> list[list[str]]:
        """The lines whose names are most alike, best first, as [item_id, name]."""
        wanted = folded(named)
        near = self.names
        if len(near) > MAX_COMPARED:
            pairs = _pairs(wanted)
            near = sorted(near, key=lambda one: -max(_in_common(pairs, folded(text)) for text in one))[:MAX_COMPARED]

        def likeness(candidate: tuple[str, str]) -> float:
            return max(difflib.SequenceMatcher(None, wanted, folded(text)).ratio() for text in candidate)

        return [list(candidate) for candidate in sorted(near, key=likeness, reverse=True)[:most]]


_NONE: frozenset[str] = frozenset()


def _pairs(text: str) -> Counter[str]:
    return Counter(text[place : place + 2] for place in range(len(text) - 1))


def _in_common(pairs: Counter[str], text: str) -> float:
    """The share of pairs of neighbouring letters that two texts have in common, 0 to 1."""
    other = _pairs(text)
    return 2 * (pairs & other).total() / max(1, pairs.total() + other.total())
