"""The words of a plain report: a mail that says anything beside them is read by a person.

An allow-list, in the languages that vendors write here. A word stands alone in it only where it can neither deny, doubt
nor condition what it stands beside; `was` and `our` stand only in phrases.
"""

from collections.abc import Iterable

from domain.days_found import days_mentioned
from domain.days_in_words import plain
from domain.phrases import Phrases, left_over, phrases
from domain.plain_words import COURTESIES

_WORDS = (
    # English
    "the, of, for, your, and, on, at, to, all, both, it, they, we, you, is, are, be, will, now, new, later, late, "
    "today, day, date, order, orders, purchase order, po, item, items, line, lines, delivery, deliveries, "
    "delivery date, shipment, shipping, arrival, arrival date, eta, update, news, good news, note, delay, "
    "delayed, delays, delayed to, postponed, postponed to, moved, moved to, pushed to, rescheduled to, slips to, "
    "slipped to, arrive, arrives, arriving, reach you, reaches you, will reach you, reach site, deliver, "
    "delivers, be delivered, are delivered, is delivered, will be delivered, on site, at your site, to your site, "
    "to site, instead of, rather than, as well, confirm, confirmed, we confirm, hereby confirm, acknowledge, we "
    "acknowledge, received your order, have received your order, accept your order, shipped, dispatched, was "
    "shipped, were shipped, was dispatched, were dispatched, has shipped, have shipped, has left, have left, has "
    "been shipped, have been shipped, has been dispatched, have been dispatched, left our factory, left our "
    "plant, left our works, has left our factory, have left our factory, has left our plant, have left our plant, "
    "departed, has departed, have departed, on its way, on their way, expected arrival, expected on site, with "
    "delivery, with arrival, without exceptions, without exception, no exceptions, for delivery, sorry, sorry for "
    "the delay, we are sorry, we are sorry for the delay, we apologise, we apologize, we apologise for the delay, "
    "we apologise for the inconvenience, apologies, apologies for the delay, our apologies, please note, please "
    "be informed, for your information, fyi, unfortunately, a short note on, dear all, dear sir or madam, dear "
    "sirs, dear team, dear project team, already, a delay, a small delay, small delay, an update, an update on, "
    "short note on, the delivery of, in your order, "
    # German
    "der, die, das, den, dem, am, zum, auf, fur, ihre, ihrer, ihren, ihr, bestellung, auftrag, lieferung, "
    "liefertermin, neuer, neue, neues, termin, ankunft, ist, sind, wird, werden, treffen, trifft, eintreffen, "
    "kommen, kommt, ankommen, kommt an, geliefert, wird geliefert, werden geliefert, verspaten sich, verspatet "
    "sich, sich, leider, verspatung, verzogerung, verschoben auf, wird verschoben auf, verschiebt sich auf, "
    "verschieben sich auf, und, wir bestatigen, bestatigen, hiermit bestatigen wir, versandt, verschickt, wurde "
    "versandt, wurden versandt, heute versandt, haben unser werk verlassen, hat unser werk verlassen, statt, "
    "anstatt, entschuldigung, wir bitten um entschuldigung, sehr geehrte damen und herren, guten tag, ohne "
    "abweichungen, auftragsbestatigung, treffen am ein, kommen an, "
    # French
    "le, la, les, de, du, des, votre, vos, commande, livraison, arrivee, date, nouvelle, est, sont, sera, seront, "
    "au, aux, retardee, retardees, retarde, retardes, est retardee au, reportee au, livree, livrees, livres, "
    "livre, arrive, arrivent, arrivera, arriveront, expediee, expediees, expedies, ont ete expediees, ont ete "
    "expedies, a ete expediee, a ete expedie, nous confirmons, et, au lieu du, malheureusement, desoles, desole, "
    "pour, arrivee prevue, sans exception, madame, monsieur, madame monsieur, la livraison des, l arrivee, "
    # Spanish
    "el, los, las, su, sus, pedido, entrega, llegada, fecha, nueva, llegara, llegaran, llega, llegan, fueron "
    "despachados, fue despachado, fueron enviados, fue enviado, se retrasa, se retrasan, retrasada, retrasado, "
    "retraso, del, y, confirmamos, lamentamos, en lugar del, para, es, sera, sin excepciones, estimados, "
    # Italian
    "il, gli, della, delle, dei, ordine, consegna, arrivo, ritardo, in ritardo, arriva, arriveranno, arrivera, "
    "confermiamo, spedito, spediti, sono stati spediti, e stato spedito, nuova, data, previsto arrivo, invece "
    "del, per, purtroppo, sara, saranno, l ordine, dell ordine, l arrivo, "
    # Dutch
    "de, het, van, uw, bestelling, levering, aankomst, nieuwe, datum, wordt, worden, is vertraagd, vertraagd, "
    "naar, op, komt aan, komen aan, geleverd, verzonden, zijn verzonden, is verzonden, wij bevestigen, we "
    "bevestigen, helaas, goedemiddag, goedemorgen, beste, in plaats van, voor, en, zonder afwijkingen, "
)
_SIGNS = frozenset(".,;:!()-/&'\n\r\t ")
_KNOWN: Phrases = phrases(_WORDS) | phrases(COURTESIES) | phrases("sehr geehrte, geachte heer mevrouw")
_PARTICLES = {"an": frozenset({"kommt", "kommen"}), "ein": frozenset({"trifft", "treffen"})}
"""German verbs come in two parts: `trifft am 12. Mai ein`. Without the verb the part is an article."""


def unaccounted_words(text: str, names: Iterable[str]) -> list[str]:
    """The words and signs of a mail that belong to no plain report, in order. `names` are those of the lines and
    orders that it reports of, of its vendor and its sender."""
    rest = " ".join(plain(text).split())
    for mention in sorted(days_mentioned(text), key=lambda mention: -len(mention.words)):
        rest = rest.replace(mention.words, " ")
    signs = sorted({sign for sign in rest if not (sign.isalpha() or sign.isdigit() or sign in _SIGNS)})
    words = _words(rest)
    apart = frozenset((particle,) for particle, verbs in _PARTICLES.items() if verbs & set(words))
    named = frozenset(tuple(one) for name in names if (one := _words(plain(name))))
    return [*signs, *left_over(words, _KNOWN | named | apart)]


def _words(text: str) -> list[str]:
    """Runs of letters and digits."""
    return "".join(sign if sign.isalnum() else " " for sign in text).split()
