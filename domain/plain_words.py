"""Replies that need no reader: every word is assent, refusal, a courtesy or a named thing, and nothing is left over.

An allow-list. A text is cut into words once; a word that stands in none of the lists below makes it no plain reply, and
so does every sign beside a full stop, a comma or an exclamation mark: a question mark above all.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from domain.actions.registry import ACCOMPANIES, ACTION_KINDS
from domain.phrases import Phrases, phrases, read_as
from domain.plain_json import PlainAction

MAX_HOLD = 500
"""Characters of a reply that says until when to hold."""
MAX_CHARACTERS = 200
"""A longer text says more than a plain reply."""

ASSENT = (
    "yes, yep, yeah, yup, ok, o k, okay, approve, approved, i approve, agree, agreed, i agree, we agree, confirm, "
    "confirmed, i confirm, accept, accepted, i accept, go, go ahead, goahead, go for it, do it, doit, do that, do so, "
    "please do, proceed, fine, fine by me, fine with me, that is fine, thats fine, its fine, sure, correct, right, "
    "alright, all right, absolutely, certainly, of course, affirmative, sounds good, looks good, very well, "
    "that works, works for me, "
    "ja, jawohl, ja gerne, gern, gerne, einverstanden, in ordnung, genehmigt, freigegeben, bestatigt, stimmt, richtig, "
    "geht klar, alles klar, machen sie das, mach das, "
    "oui, daccord, d accord, bien sur, entendu, ca marche, allez y, vas y, approuve, "
    "si, vale, de acuerdo, claro, por supuesto, adelante, conforme, aprobado, aprobada, "
    "va bene, daccordo, d accordo, certo, approvato, confermato, proceda, procedi, "
    "akkoord, prima, goedgekeurd, doe maar, ga door, "
    "sim, de acordo, aprovado"
)
REFUSAL = (
    "no, nope, nah, reject, rejected, i reject, refuse, refused, i refuse, decline, declined, i decline, no way, dont, "
    "do not, dont do it, do not do it, dont do that, do not do that, please do not, no thanks, no thank you, nothanks, "
    "donotdoit, "
    "nein, nein danke, abgelehnt, ich lehne ab, "
    "non, non merci, refuse, rejete, "
    "no gracias, rechazado, rechazada, "
    "no grazie, rifiutato, "
    "nee, nee bedankt, afgewezen, "
    "nao, nao obrigado, nao obrigada"
)
COURTESIES = (
    "please, thanks, thank you, thank you very much, thanks a lot, many thanks, thx, cheers, kind regards, "
    "best regards, regards, hello, hi, good morning, good afternoon, good evening, "
    "bitte, danke, vielen dank, danke schon, hallo, guten tag, guten morgen, mit freundlichen grussen, viele grusse, "
    "merci, merci beaucoup, svp, sil vous plait, s il vous plait, sil te plait, bonjour, cordialement, "
    "gracias, muchas gracias, por favor, hola, buenos dias, saludos, "
    "grazie, grazie mille, per favore, buongiorno, cordiali saluti, "
    "alstublieft, graag, dank u, dank je, bedankt, met vriendelijke groet, "
    "obrigado, obrigada, bom dia"
)
ALONE = frozenset({"y", "n"})
"""Letters that are an answer only by themselves: in some languages they are a word for `and`."""

DISLIKE = (
    "i do not like it, i do not like that, i do not like this, i dont like it, i dont like that, i dont like this, "
    "not that, not this, not like this, not like that, not good, not this way, not acceptable, not ok, not okay, "
    "not approved, not agreed, i disagree, we disagree, i do not agree, i dont agree, i do not approve, "
    "i dont approve, so nicht, nicht einverstanden, nicht genehmigt, pas d accord, pas daccord, no de acuerdo, "
    "no me gusta, non mi piace, non va bene, niet akkoord"
)
"""A no in more words. It is no plain answer, but where a reader takes it for a no there is nothing left over."""

_OBJECTS = (
    "it, them, that, this, these, those, all, both, the order, this order, that order, the item, the items, the line, "
    "the delivery, the shipment, sie, es, ihn, das, die bestellung, la commande, el pedido, lordine, l ordine, "
    "de bestelling"
)
_CALLED = {name: kind for name, kind in ACTION_KINDS.items() if kind.called}
"""The actions that a plain reply can name."""
_UNTIL = ("until", "till", "bis", "jusqua", "jusqu a", "hasta", "fino a", "tot")
_MORE = (
    "and, then, but, or, unless, otherwise, else, if, und, dann, aber, oder, sonst, falls, et, puis, mais, ou, sauf, "
    "y, e, o, luego, pero, si, poi, ma, en, dan, maar, of"
)
"""Words behind `until` that lead to something else than what is waited for."""

_ENDS = frozenset(".,!")
_OPEN_ENDS = frozenset(",-")

Polarity = Literal["approve", "reject"]

_ASSENT, _REFUSAL, _COURTESIES, _DISLIKE = map(phrases, (ASSENT, REFUSAL, COURTESIES, DISLIKE))
_THINGS = phrases(_OBJECTS)
_JOINING = phrases("and, und, et")
_LEADING_ON = phrases(_MORE)
_WAITING = phrases("let us wait, lets wait, let us hold")


def plain_reply(text: str) -> Polarity | None:
    """A yes or a no to a question, and nothing else; None for anything that says more, less, or both."""
    words = cut_into_words(text)
    if words is None:
        return None
    if len(words) == 1 and words[0] in ALONE:
        return "approve" if words[0] == "y" else "reject"
    said = read_as(words, {"yes": _ASSENT, "no": _REFUSAL, "courtesy": _COURTESIES})
    if said is None:
        return None
    kinds = {kind for kind, _ in said} - {"courtesy"}
    phrases = [phrase for kind, phrase in said if kind != "courtesy"]
    if len(kinds) != 1 or len(set(phrases)) < len(phrases):  # said twice it may be meant as anything
        return None
    return "approve" if kinds == {"yes"} else "reject"


def approves_by_name(text: str, recommended: Sequence[PlainAction], line_name: str | None) -> bool:
    """Whether a reply is a yes that names exactly what is recommended, and nothing is left over: `yes, replace them`.

    `recommended` are the question's recommended actions, `line_name` is the name of the line in question. What only
    goes along with the recommended step need not be named.
    """
    words = cut_into_words(text)
    names = {str(action["name"]) for action in recommended}
    if words is None or not names:
        return False
    verbs = {name: _naming(name, line_name) for name in _CALLED}
    said = read_as(words, {"yes": _ASSENT, "courtesy": _COURTESIES, "and": _JOINING, **verbs})
    if said is None or not any(kind == "yes" for kind, _ in said) or said[-1][0] == "and":
        return False
    named = {kind for kind, _ in said} & set(_CALLED)
    return bool(named) and names - ACCOMPANIES <= named <= names


def refuses(text: str) -> bool:
    """Whether every word of a text says no, or is a courtesy."""
    words = cut_into_words(text)
    if words is None:
        return False
    said = read_as(words, {"no": _REFUSAL | _DISLIKE, "courtesy": _COURTESIES | phrases("at all")})
    return said is not None and any(kind == "no" for kind, _ in said)


def asks_to_hold(text: str, line_name: str | None) -> bool:
    """Whether a text says to hold the line, perhaps until something, and nothing else. What stands behind `until` is
    free: a hold binds nobody, is kept with those words, and is asked about again."""
    lower = _lowered(text) if len(text) <= MAX_HOLD else None
    if lower is None:
        return False
    held, until = _split_at(_without_no(lower), _UNTIL)
    words = cut_into_words(held, may_be_open=True)
    if words is None or not _is_one_clause(until):
        return False
    kinds = {"courtesy": _COURTESIES, "hold": _naming("hold_item", line_name) | _WAITING}
    said = read_as(words, kinds)
    return said is not None and any(kind == "hold" for kind, _ in said)


def _without_no(lower: str) -> str:
    """The text without a no before it that is set apart: `No, hold it.` Not set apart it is `no hold`."""
    first, _, rest = lower.partition(" ")
    return rest if first[-1:] in _ENDS and (first[:-1],) in phrases("no, nein, non, nee, nao") else lower


def _is_one_clause(until: str) -> bool:
    """Whether the words behind `until` only say until when: one clause, to the end of the text."""
    clause = until.strip().rstrip(".!")
    ended = any(sign in clause for sign in ",;:?!\n") or ". " in _without_day_dots(clause)
    return not ended and not _LEADING_ON & {(word,) for word in clause.split()}


def _without_day_dots(clause: str) -> str:
    """The clause without the dot behind a number, as in `10. March`."""
    return "".join(sign for place, sign in enumerate(clause) if sign != "." or not clause[:place][-1:].isdigit())


def cut_into_words(text: str, *, may_be_open: bool = False) -> list[str] | None:
    """The words of a text in small letters, without accents and apostrophes.

    None where it has any sign that a plain reply has not: a question mark, a digit, a letter that is struck through, a
    bracket; a row of dots, or an end that is open (unless `may_be_open`).
    """
    lower = _lowered(text) if len(text) <= MAX_CHARACTERS else None
    if lower is None or ".." in "".join(lower.split()) or not lower[:1].isalpha():
        return None
    if lower[-1] in _OPEN_ENDS and not may_be_open:
        return None
    words = [""]
    for sign in lower:
        if sign.isalpha():
            words[-1] += sign
        elif sign in "'’":
            continue
        elif sign.isspace() or sign in _ENDS or sign == "-":
            words.append("")
        else:
            return None
    return [word for word in words if word]


def _lowered(text: str) -> str | None:
    """The text in small letters without the accents of its letters; None where a sign stands apart on a letter."""
    composed = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(sign) in ("Mn", "Me", "Mc") for sign in composed):
        return None
    folded = unicodedata.normalize("NFD", composed.casefold())
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Mn")


@lru_cache(maxsize=256)
def _naming(action: str, line_name: str | None) -> Phrases:
    """The phrases that name an action: its verbs alone, or with what they are about."""
    kind = _CALLED[action]
    verbs, around = phrases(kind.called), phrases(kind.called_around)
    things = {*_THINGS, *_names_of(line_name)}
    return frozenset(
        [
            *verbs,
            *((*verb, *thing) for verb in verbs for thing in things),
            *((*thing, *verb) for verb in verbs for thing in things if len(verb) == 1),
            *(_filled(phrase, thing) for phrase in around for thing in things),
        ]
    )


def _filled(phrase: tuple[str, ...], thing: tuple[str, ...]) -> tuple[str, ...]:
    place = phrase.index("{}")
    return (*phrase[:place], *thing, *phrase[place + 1 :])


def _names_of(line_name: str | None) -> Iterable[tuple[str, ...]]:
    """The line's name as words, with and without an article; nothing where it has more than letters."""
    words = cut_into_words(line_name or "", may_be_open=True)
    if not words:
        return []
    return [tuple(words), ("the", *words), ("die", *words), ("les", *words), ("los", *words)]


def _split_at(text: str, marks: Sequence[str]) -> tuple[str, str]:
    """The text before and behind the first of these words; all of it before where none stands in it."""
    places = [(place, mark) for mark in marks if (place := f" {text} ".find(f" {mark} ")) >= 0]
    if not places:
        return text, ""
    place, mark = min(places)
    return text[:place], text[place + len(mark) :]
