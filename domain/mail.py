"""The text of a mail: what its writer says now, what is only quoted from before, and whom it speaks to."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_QUOTED = re.compile(
    r"""(?imx) ^[ \t]*(?:
        > .*
      | -{2,}\s*(?:original\ message|forwarded\ message|urspr\w+\ nachricht|weitergeleitete\ nachricht
                 |message\ d'origine|message\ transf\w+|mensaje\ original|mensaje\ reenviado).*
      | (?:from|von|de|da|van)\s*:\s.*@.*
      | (?:on|am|le|el)\ .{4,80}\ (?:wrote|schrieb|a\ écrit|escribió).*:
      | (?:begin\ forwarded\ message).*
    )$"""
)

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=\D)")
_WORD = re.compile(r"[^\W_]+")

_TO_THE_AGENT = re.compile(
    r"""(?ix)
      \b(?:ignore|disregard|forget|override|bypass)\b .{0,40} \b(?:rule|instruction|polic|prompt|limit|previous|above)
    | \b(?:ignorier|vergiss|missacht)\w* .{0,40} \b(?:regel|anweisung|vorgabe)
    | \b(?:ignorez|oubliez|ignora|olvida)\w* .{0,40} \b(?:règle|regle|instruction|instruccion|regla)
    | \b(?:system|assistant|developer)\s*(?:prompt|message|:|\]) | \byou\ are\ (?:now|an?\ (?:ai|agent|assistant))
    | \bas\ an\ (?:ai|agent)\b | \b(?:ai|procurement)\ agent\b | <\|?\w*(?:im_start|system|assistant|endoftext)
    | \b(?:auto[- ]?approve|pre-?approved|without\ (?:asking|approval|review))\b | "(?:event_type|reports|actions)"\s*:
    | \b(?:issue|create|place|release)\b .{0,20} \b(?:po|purchase\ order)s?\b .{0,40}
      \b(?:million|\d{5,}|now|immediately)
    | \b(?:note|notice|message|instruction|attention|hint)s?\ (?:to|for)\ (?:all\ |any\ |the\ |your\ )?
      (?:automat\w+|ai\b|bots?\b|robots?\b|machines?\b|software\b|systems?\b|parsers?\b|language\ models?|llms?\b)
    | \bautomat(?:ed|ic)\ (?:reader|agent|assistant|recipient|processing)s?\b
    | \b(?:treat|mark|consider|set|register)\b .{0,60} \bas\ (?:\w+\ )?
      (?:acknowledged|passed|approved|accepted|received|released|settled|closed|paid)\b
    | \b(?:drop|lift|remove|release|cancel|ignore)\ (?:every|all|any)\ (?:\w+\ )?
      (?:hold|order|question|approval|check)s?\b
    """
)


def newest_part(text: str) -> str:
    """What stands above the first quoted line; all of it where nothing is quoted."""
    found = _QUOTED.search(text)
    return text if found is None else text[: found.start()]


def speaks_to_the_agent(text: str) -> bool:
    """Whether it tells whoever reads it what to do, as no vendor's report does. Such a mail is put to a person."""
    return bool(_TO_THE_AGENT.search(text))


def sentences(text: str) -> list[str]:
    """The text cut at the ends of sentences and lines."""
    return [part for line in text.splitlines() for part in _SENTENCE_END.split(line.strip()) if part]


def says(text: str, words: str) -> bool:
    """Whether the words stand in the text, case and spacing apart."""
    return bool(words.strip()) and _flat(words) in _flat(text)


@lru_cache(maxsize=256)  # one quote is held against every sentence
def _flat(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:!\"'")


def lines_named(text: str, names: Iterable[tuple[str, str]]) -> list[str]:
    """The ids of the lines that a text names in full, by name or id.

    A name that stands only within a longer one (`Doors` in `Fire Doors`) is not named.
    """
    known: dict[tuple[str, ...], list[str]] = {}
    lengths: dict[str, set[int]] = {}
    for item_id, name in names:
        for words in {_words(name), _words(item_id)} - {()}:
            known.setdefault(words, []).append(item_id)
            lengths.setdefault(words[0], set()).add(len(words))
    return _named_in(_words(text), known, lengths)


def _named_in(
    words: tuple[str, ...], known: Mapping[tuple[str, ...], list[str]], lengths: Mapping[str, set[int]]
) -> list[str]:
    """The ids of the names that stand among the words; a longer name takes its words from the shorter ones."""
    places = [
        (words[place : place + length], place)
        for place, word in enumerate(words)
        for length in lengths.get(word, ())
        if words[place : place + length] in known
    ]
    taken = bytearray(len(words))
    found: list[str] = []
    for name, place in sorted(places, key=lambda one: (-len(" ".join(one[0])), sorted(known[one[0]]), one[1])):
        span = slice(place, place + len(name))
        if not any(taken[span]):
            taken[span] = b"\x01" * len(name)
            found += sorted(known[name])
    return list(dict.fromkeys(found))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))
