"""Words by which a person's reply is told apart: yes, no, conditions, and what each action is called.

A model's reading of a reply counts only where the reply itself has words for it, and none for anything else.
"""

import re

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

_ACTIONS = {
    "issue_purchase_order": r"\b(?:issue|place|release|send)\b.{0,20}\b(?:po|order)|\border (?:it|them|anyway|now)|"
    r"\bbestell\w*|\bcommand(?:e|ez|er)\b|\b(?:pide|pedir|pidalo)\b",
    "reorder_item": r"\b(?:re-?order\w*|replac\w+|new one|order (?:it |them )?again|ersetz\w*|ersatz|austausch\w*|"
    r"remplac\w*|reemplaz\w*)\b",
    "cancel_purchase_order": r"\b(?:cancel\w*|stornier\w*|annul\w*|cancela\w*)\b",
    "change_required_by": r"\b(?:required|needed?|need it|move|push|shift|postpone|new date|slip|verschieb\w*|"
    r"brauchen|benotig\w*|repouss\w*|reporte\w*|necesit\w*|aplaz\w*|accept the (?:slip|delay))\b",
    "change_project_end": r"\b(?:project end|completion|end date|finish date|projektende|fin du projet)\b",
    "remove_item": r"\b(?:remov\w+|take (?:it|them|the \w+) out|drop (?:it|them)|out of the schedule|delete|"
    r"no longer need\w*|without (?:it|them)|streich\w*|herausnehm\w*|entfern\w*|retire\w*|supprim\w*|quit\w*|"
    r"elimin\w*)\b",
    "expedite_order": r"\b(?:expedit\w*|speed\w*|rush|air ?freight|by air|faster|overtime|express|beschleunig\w*|"
    r"luftfracht|par avion|accelere\w*|acelera\w*|urgente)\b",
    "repair_item": r"\b(?:repair\w*|fix(?:ed)?|mend\w*|touch\w* up|rework\w*|reparier\w*|nachbesser\w*|repar\w*)\b",
    "return_item": r"\b(?:return\w*|(?:send|sent) (?:it |them )?back|back to the (?:vendor|factory)|zuruck\w*|"
    r"renvoy\w*|devuelv\w*|devolver)\b",
    "accept_as_is": r"\b(?:as is|as it is|as they are|accept (?:it|them)|use (?:it|them)|keep (?:it|them)|"
    r"we can live with|so nehmen|so lassen|tel quel|en l'etat|tal cual|asi como)\b",
    "hold_item": r"\b(?:hold|held|wait\w*|pause|later|not yet|not now|until|till|warte\w*|abwarten|halte?\b|"
    r"attend\w*|espera\w*)\b",
    "schedule_inspection": r"\b(?:re-?inspect\w*|inspect\w*|inspektion|prufung|abnahme|prufen|inspeccion\w*)\b",
    "notify_team": r"\b(?:tell|told|inform\w*|notif\w+|let \w+(?: \w+)? know|sag\w* \w+ bescheid|informier\w*|prevenez|"
    r"avis\w*)\b",
    "request_information": r"\b(?:ask|find out|get a quote|request|frag\w*|demand\w*|pregunt\w*)\b",
    "dismiss_event": r"\b(?:leave it|ignore it|nothing (?:needs|to do)|forget it|dismiss|no action|nichts tun|"
    r"ignorier\w*|rien a faire|nada)\b",
}
_ACTION_WORDS = {name: re.compile(words) for name, words in _ACTIONS.items()}
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
