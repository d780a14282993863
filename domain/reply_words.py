"""Words by which a person's reply is told apart: yes, no, conditions, and what each action is called.

A model's reading of a reply counts only where the reply itself has words for it, and none for anything else.
"""

import re

from domain.actions.registry import ACTION_KINDS
from domain.days_in_words import plain

_YES = re.compile(
    r"\b(?:yes|yep|yeah|ok|okay|agreed?|approved?|go ahead|fine|sure|do it|please do|sounds good|confirmed?|"
    r"correct|right|ja|einverstanden|gerne|genehmigt|oui|d'accord|si|vale|de acuerdo|va bene|akkoord)\b"
)
_NO = re.compile(
    r"\b(?:no|nope|not|don't|do not|never|reject|refuse|decline|instead|rather|nein|nicht|kein\w*|stattdessen|"
    r"lieber|non|pas|plutot|niet|geen)\b"
)
_CONDITION = re.compile(
    r"\b(?:if|unless|provided|as long as|when|once|depends|depending|wenn|falls|sofern|sobald|si (?:le|la|les|el|"
    r"los)|a condition|cuando|siempre que)\b"
)
_UNTIL = re.compile(r"\b(?:until|till|before|bis|jusqu|hasta|wait|hold|warte\w*|attend\w*|espera\w*)\b")

_ACTION_WORDS = {name: re.compile(kind.spoken) for name, kind in ACTION_KINDS.items() if kind.spoken is not None}
_NUMBER = re.compile(r"\d")


_MILD = re.compile(
    r"\b(?:no (?:objections?|problems?|issues?|worries|concerns?|doubts?|questions?)|why not|"
    r"kein\w* (?:einwand\w*|problem)|pas de (?:probleme|souci)|sin problema|nessun problema|"
    r"geen (?:probleem|bezwaar))\b"
)


def says_yes(text: str) -> bool:
    return bool(_YES.search(plain(text)))


def says_no(text: str) -> bool:
    return bool(_NO.search(plain(text)))


def is_mild(text: str) -> bool:
    """Whether it has a no in it that may mean yes."""
    return bool(_MILD.search(plain(text)))


def sets_condition(text: str) -> bool:
    """Whether something is to happen only in a case that is not known: that is not an answer yet."""
    return bool(_CONDITION.search(plain(text)))


def says_until(text: str) -> bool:
    return bool(_UNTIL.search(plain(text)))


def actions_spoken_of(text: str) -> frozenset[str]:
    """The actions that a text has words for."""
    flat = plain(text)
    return frozenset(name for name, words in _ACTION_WORDS.items() if words.search(flat))


def has_number(text: str) -> bool:
    """Whether there is an amount, a quantity or a number in it."""
    return bool(_NUMBER.search(text))
