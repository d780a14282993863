"""Lists of phrases, and a text read as nothing but phrases of such lists: one pass, no backtracking."""

from collections.abc import Mapping, Sequence

Phrase = tuple[str, ...]
Phrases = frozenset[Phrase]


def phrases(listed: str) -> Phrases:
    """Phrases that are listed with commas between them."""
    return frozenset(tuple(phrase.split()) for phrase in listed.split(",") if phrase.strip())


def read_as(words: Sequence[str], kinds: Mapping[str, Phrases]) -> list[tuple[str, Phrase]] | None:
    """The words as phrases of these kinds, the longest first; None where one stands in no list."""
    said: list[tuple[str, Phrase]] = []
    for kind, phrase in _cut(words, kinds):
        if kind is None:
            return None
        said.append((kind, phrase))
    return said


def left_over(words: Sequence[str], known: Phrases) -> list[str]:
    """The words that belong to no known phrase."""
    return [phrase[0] for kind, phrase in _cut(words, {"known": known}) if kind is None]


def _cut(words: Sequence[str], kinds: Mapping[str, Phrases]) -> list[tuple[str | None, Phrase]]:
    """The words cut into the longest known phrases; a word of none stands alone, without a kind."""
    known = {phrase: kind for kind, listed in kinds.items() for phrase in listed}
    longest = max(map(len, known), default=1)
    cut: list[tuple[str | None, Phrase]] = []
    place = 0
    while place < len(words):
        sizes = range(min(longest, len(words) - place), 0, -1)
        phrase = next((one for size in sizes if (one := tuple(words[place : place + size])) in known), None)
        phrase, kind = (words[place],) if phrase is None else phrase, None if phrase is None else known[phrase]
        cut.append((kind, phrase))
        place += len(phrase)
    return cut
