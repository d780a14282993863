"""The text of a mail: what its writer says now, what is only quoted from before, and whom it speaks to."""

import re
from collections.abc import Iterable

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
    return [part for line in text.splitlines() for part in re.split(r"(?<=[.!?;])\s+(?=\D)", line.strip()) if part]


def says(text: str, words: str) -> bool:
    """Whether the words stand in the text, case and spacing apart."""
    return bool(words.strip()) and _flat(words) in _flat(text)


def _flat(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:!\"'")


def lines_named(text: str, names: Iterable[tuple[str, str]]) -> list[str]:
    """The ids of the lines that a text names in full, by name or id.

    A name that stands only within a longer one (`Doors` in `Fire Doors`) is not named.
    """
    rest, found = _boundaries(text), []
    known = {(_boundaries(word), one) for one, name in names for word in (name, one)}
    for wanted, item_id in sorted(known, key=_longest_first):
        if wanted.strip() and wanted in rest:
            rest = rest.replace(wanted, "  ")
            found.append(item_id)
    return list(dict.fromkeys(found))


def _boundaries(text: str) -> str:
    """Words with one space around each, so that a name is found as whole words only."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return f" {' '.join(words)} "


def _longest_first(named: tuple[str, str]) -> tuple[int, str]:
    return (-len(named[0]), named[1])
