"""Words by which the kinds of reports are told apart, in the languages that vendors write here.

A model's reading counts only where the text itself has words for it: two readers that fail in different ways.
"""

import re
from collections.abc import Iterable

from domain.days_in_words import plain

_REPORTS = {
    "Purchase_Order_Acknowledged": r"acknowledg|confirm|accept|received your (?:order|po)|bestatig|angenommen|"
    r"confirmons|accusons|confirmation|acceptons|confirma|aceptamos|acuse|conferm|bevestig|potwierdz",
    "Shipment_Departed_Factory": r"shipped|departed|dispatched|left (?:our|the)|has left|have left|on (?:its|"
    r"their) way|picked up|loaded|versandt|verschickt|verlassen|abgegangen|unterwegs|verladen|expedi|partie?s?\b|"
    r"quitte|enlev|enviad|despachad|salio|salieron|spedit|partit|verzonden|vertrokken|wyslan",
    "ETA_Changed": r"delay|late\b|later|slip|push|postpon|resched|\beta\b|arriv|reach|deliver|new date|expected|"
    r"moved|earlier|instead|ahead|verspat|verzog|verschob|liefer|ankunft|eintreffen|treffen|retard|livr|arrive|"
    r"report|retras|demora|entreg|llegar|ritard|consegn|arrivo|vertrag|lever|aankomst|opozni|dostaw|dostarcz",
    "Shipment_Arrived_Site": r"arrived|delivered|unloaded|on site|received on|angekommen|eingetroffen|geliefert|"
    r"abgeladen|arrive|livre|decharge|llegado|llego|entregad|descargad|arrivat|consegnat|aangekomen|geleverd|dotar",
    "Inspection_Passed": r"inspect|passed|accepted|abgenommen|bestanden|abnahme|inspection|conforme|inspecc|"
    r"ispezion|keuring",
    "Inspection_Failed": r"inspect|fail|reject|defect|ncr\b|mangel|abnahme|durchgefallen|non conforme|refus|"
    r"inspecc|rechaz|ispezion|afgekeurd",
    "Submittal_Approved": r"submittal|shop drawing|approv|freigegeben|freigabe|genehmigt|approuv|aprobad|approvat|"
    r"goedgekeurd",
    "Submittal_Rejected": r"submittal|shop drawing|reject|resubmit|abgelehnt|zuruckgewiesen|rejet|refus|rechaz|"
    r"rifiutat",
}
_REPORT_WORDS = {kind: re.compile(rf"\b(?:{words})") for kind, words in _REPORTS.items()}

_HEDGED = re.compile(
    r"\?|\b(?:may(?! \d)|might|maybe|perhaps|possibly|probably|hope\w*|should|could|would|if|unless|tentativ\w*|"
    r"about|approx\w*|around|roughly|early|mid|end of|latest|earliest|before|after|or|week of|try|trying|target\w*|"
    r"aim\w*|subject to|provided|pending|cannot|can't|won't|will not|not sure|unclear|unknown|estimat\w*|plan\w*|"
    r"vielleicht|eventuell|evtl|moglicherweise|hoffen\w*|hoffentlich|sollte\w*|konnte\w*|falls|sofern|ca|circa|"
    r"etwa|voraussichtlich|vermutlich|wahrscheinlich|spatestens|fruhestens|ende|anfang|oder|peut-etre|probablement|"
    r"espere\w*|devrait|devraient|pourrait|si|environ|vers|fin|debut|au plus tard|ou|quizas|tal vez|probablemente|"
    r"espera\w*|deberia|podria|aproximadamente|alrededor|finales|o|forse|speriamo|dovrebbe|potrebbe|misschien|"
    r"hopelijk|ongeveer|moze|"
    r"not|never|no longer|were to|was to|was due|were due|had been|doubt\w*|unconfirmed|reportedly|rumou?r\w*|"
    r"said|says|told us|according to|once|as soon as|when|upon|between|from \d++\w*+ to|test|example|"
    r"nicht|kein\w*|niemals|sobald|nachdem|wenn|zwischen|laut|angeblich|hatte\w*|ne|pas|jamais|des que|lorsque|entre|"
    r"selon|devai\w*|no|nunca|cuando|segun|non|quando|secondo|niet|zodra|tussen|volgens|nie|gdy|jesli|jezeli|podobno)\b"
)
_PARTIAL = re.compile(
    r"\b(?:partial\w*|part of|parts? of|first (?:\w+ )?(?:batch|lot|truck|load|shipment|delivery|half|\d+)|second|"
    r"rest|remain\w*|remainder|half|\d+ (?:of|out of|from) (?:the |your )?\d+|balance|split|teil\w*|"
    r"erste\w* (?:teil|lkw|charge)|rest\w*|halfte|partiel\w*|une partie|premier\w* (?:lot|camion)|moitie|solde|"
    r"parcial\w*|primer\w* lote|mitad)\b"
)
_ELSEWHERE = re.compile(
    r"\b(?:at|to|in|into|from|im|am|an|au|a|en|in|al|w) (?:(?:the|our|your|their|den|der|dem|le|la|el|il) )?(?:\w+ )?"
    r"(?:port|harbou?r|airport|terminal|warehouse|depot|hub|border|customs|forwarder\w*|carrier\w*|hafen|flughafen|"
    r"lager|zoll\w*|spediteur\w*|entrepot|douane|aeroport|puerto|almacen|aduana|aeropuerto|porto|magazzino|dogana|"
    r"haven|magazijn)\b|"
    r"\b(?:for|fur|pour|para|per|voor) (?:[\w-]+ ){0,4}(?:project|site|building|branch|plant|projekt|baustelle|"
    r"projet|chantier|proyecto|obra|progetto|cantiere|bouwplaats)\b"
)
_OF_A_LINE = re.compile(r"(?<![\w-])([\w-]++) (?:of|for|von|fur|de|des|du|della|delle|di|van|voor) ")
_ARTICLE = re.compile(r"(?:the|your|our|all|den|die|das|der|les|la|las|los|le|il|gli) ")
_WORD_END = re.compile(r"(?<=\w)(?!\w)")
_THE_GOODS = re.compile(
    r"\d|^(?:orders?|po|number|no|deliver(?:y|ies)|arrivals?|shipments?|departures?|dispatch|loads?|supply|delays?|"
    r"dates?|eta|news|updates?|notice|rest|all|both|bestellung|auftrag|lieferung|ankunft|termin|commande|livraison|arrivee|pedido|"
    r"entrega|llegada|ordine|consegna|arrivo|levering|aankomst)$"
)
_EXCEPTION = re.compile(
    r"\b(?:except\w*|however|but|only|price|surcharge|increase\w*|\d+ ?%|backorder\w*|substitut\w*|deviat\w*|"
    r"differ\w*|instead|unable|cannot|short\w*|change\w*|allerdings|jedoch|aber|nur|preis\w*|aufschlag|zuschlag|"
    r"statt|abweich\w*|toutefois|mais|sauf|seulement|prix|hausse|excepto|pero|solo|precio|recargo|sin embargo)\b"
)

_NO_EXCEPTION = re.compile(
    r"\b(?:no|without(?: any)?|ohne|keine|sans|sin|senza) (?:exception|change|abweichung|anderung|excepcion)\w*"
)

_TAKES_BACK = re.compile(
    r"\b(?:forget|disregard|ignore|withdraw\w*|withdrew|retract\w*|revoke\w*|take back|supersede\w*|void)\b.{0,40}"
    r"\b(?:notice|e-?mails?|message|letter|update|announcement|confirmation|dates?|what (?:i|we))\b|"
    r"\b(?:stands\b|still (?:stand|hold|valid)|as (?:originally|first|before|previously)|"
    r"sent (?:by|in) (?:mistake|error)|gegenstandslos|widerruf\w*|zuruckgenommen|bleibt (?:es )?bei|"
    r"ne tenez pas compte|sans objet|queda sin efecto|come non (?:inviata|scritta))\b"
)


def has_words_for(event_type: str, text: str) -> bool:
    """Whether the text speaks of what such an event reports."""
    return bool(_REPORT_WORDS[event_type].search(plain(text)))


def is_hedged(sentence: str) -> bool:
    """Whether a sentence asks, hopes, or sets a condition, instead of saying that something is so."""
    return bool(_HEDGED.search(plain(sentence)))


def is_elsewhere(sentence: str) -> bool:
    """Whether it speaks of a place on the way, or of another site than the one that reads it."""
    return bool(_ELSEWHERE.search(plain(sentence)))


def speaks_of_more_than(sentence: str, names: "Iterable[str] | LineWords") -> bool:
    """Whether it speaks of something of a line instead of the line: its drawings, a sample, who installs it. Before `of
    the Windows` only the goods' own order, delivery or date may stand."""
    known = names if isinstance(names, LineWords) else LineWords(names)
    flat = plain(sentence)
    return any(
        not _THE_GOODS.search(found[1].strip("-")) and known.follows(flat, found.end())
        for found in _OF_A_LINE.finditer(flat)
    )


class LineWords:
    """The names of lines in plain words, for finding which of them stands at a place of a text."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(map(plain, names)) - {""}
        self._longest = max(map(len, self._names), default=0)

    def follows(self, flat: str, place: int) -> bool:
        """Whether a line's name begins at this place of a plain text, articles apart."""
        while not self._begins(flat, place):
            article = _ARTICLE.match(flat, place)
            if article is None:
                return False
            place = article.end()
        return True

    def _begins(self, flat: str, place: int) -> bool:
        ahead = flat[place : place + self._longest + 1]
        return any(ahead[: end.start()] in self._names for end in _WORD_END.finditer(ahead))


def is_partial(text: str) -> bool:
    """Whether it speaks of a part of what was ordered."""
    return bool(_PARTIAL.search(plain(text)))


def takes_back(text: str) -> bool:
    """Whether it takes an earlier message back: what holds then is not in this one alone."""
    return bool(_TAKES_BACK.search(plain(text)))


def takes_exception(text: str) -> bool:
    """Whether an acknowledgement seems to depart from the order."""
    return bool(_EXCEPTION.search(_NO_EXCEPTION.sub("", plain(text))))
