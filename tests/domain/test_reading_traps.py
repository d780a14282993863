"""Sentences that a reader who copies every word rightly would still take for a report: the rules put them to a person,
however sure the model is."""

from datetime import date

import pytest

from domain.policy import Policy
from domain.procurement import Commercial, Item, LineFile, OrderLine, PurchaseOrder, VendorRow
from domain.reading import Mail, MailReading, Report, judged
from domain.text import slug
from evals.reading.cases import NAMES

TRAPS = (
    # It depends on something, or somebody else says so.
    "The Steel Beams will arrive on 12 March 2026, if customs clears them.",
    "The Steel Beams will arrive on 12 March 2026 once you have paid the deposit.",
    "Subject to payment the Steel Beams will arrive on 12 March 2026.",
    "Should the strike end, the Steel Beams will arrive on 12 March 2026.",
    "As soon as the road is open, so on 12 March 2026, the Steel Beams arrive.",
    "The haulier said the Steel Beams will arrive on 12 March 2026, we doubt it.",
    "Laut Spediteur treffen die Steel Beams am 12. März 2026 ein.",
    "Sobald die Zahlung eingegangen ist, am 12. März 2026, liefern wir die Steel Beams.",
    # It is not so, or was meant to be, or would be.
    "The Steel Beams will not arrive on 12 March 2026.",
    "The Steel Beams won't arrive on 12 March 2026.",
    "The Steel Beams were to arrive on 12 March 2026.",
    "Please do not record 12 March 2026 as the new arrival of the Steel Beams.",
    "If you had ordered earlier, the Steel Beams would arrive on 12 March 2026.",
    "The Steel Beams would arrive on 12 March 2026 by air freight, at EUR 4,000 extra.",
    "This is a test: the Steel Beams will arrive on 12 March 2026.",
    "Les Steel Beams ne seront pas livrées le 12 mars 2026.",
    "Die Steel Beams treffen nicht am 12. März 2026 ein.",
    # It is no certain day.
    "The Steel Beams may arrive on 12 March 2026.",
    "We hope to deliver the Steel Beams on 12 March 2026.",
    "We are aiming for an arrival of the Steel Beams on 12 March 2026.",
    "The Steel Beams will arrive on 12 March 2026 or a week later.",
    "The Steel Beams will arrive between 10 and 12 March 2026.",
    "The Steel Beams will arrive around 12 March 2026.",
    "The Steel Beams will arrive by 12 March 2026 at the latest.",
    "At the earliest the Steel Beams will arrive on 12 March 2026.",
    "Is it true that the Steel Beams will arrive on 12 March 2026?",
    # It is not the line that arrives, not all of it, or not here.
    "A sample of the Steel Beams will arrive on 12 March 2026.",
    "The drawings for the Steel Beams will arrive on 12 March 2026.",
    "The bolts for your Steel Beams will arrive on 12 March 2026.",
    "The erectors of the Steel Beams will arrive on 12 March 2026.",
    "Die Zeichnungen für die Steel Beams treffen am 12. März 2026 ein.",
    "The first truck with the Steel Beams will arrive on 12 March 2026.",
    "The Steel Beams will arrive at the port of Hamburg on 12 March 2026.",
    "The Steel Beams will reach our warehouse on 12 March 2026 and arrive in your warehouse later.",
    "The Steel Beams for your Harbour project will arrive on 12 March 2026.",
)
PLAIN = (
    "The Steel Beams will now arrive on 12 March 2026.",
    "Delay: the delivery of the Steel Beams is on 12 March 2026.",
    "New date for your order of Steel Beams: they arrive on 12 March 2026.",
    "PO-1002 for the Steel Beams arrives on 12 March 2026.",
    "Die Lieferung der Steel Beams kommt am 12. März 2026 an.",
)
ORDERS = (
    "We can not confirm your order for the Steel Beams with delivery on 12 March 2026.",
    "We confirm your order for the Steel Beams, delivery on 12 March 2026, provided the drawings come this week.",
    "We confirm your order for the Steel Beams at the new price, delivery on 12 March 2026.",
    "We confirm your order for 3 instead of 4 Steel Beams, delivery on 12 March 2026.",
)


FILE = LineFile(
    item=Item(
        item_id="steel-beams",
        name="Steel Beams",
        vendor_id="acme",
        currency="EUR",
        commercial=Commercial.ORDERED,
        round=1,
    ),
    vendor=VendorRow(vendor_id="acme", name="Acme", contact="jo@acme.example"),
    orders=[PurchaseOrder(number="PO-1002", currency="EUR")],
    order_lines=[OrderLine(number="PO-1002", line=1, item_id="steel-beams", round=1)],
)


def _doubts(text: str, event_type: str) -> list[str]:
    words = next(words for words in ("12 March 2026", "12. März 2026", "12 mars 2026") if words in text)
    report = Report(
        quote=text,
        event_type=event_type,  # type: ignore[arg-type]
        item="Steel Beams",
        day_words=words,
        day="2026-03-12",
        departed_words=None,
        departed=None,
        exceptions=[],
        confidence=1.0,
    )
    mail = Mail(
        text=text,
        sender="jo@acme.example",
        written_on=date(2026, 2, 4),
        occurred_at="2026-02-04T12:00:00+00:00",
        names=[(slug(name), name) for name in NAMES],
        policy=Policy(),
        address="jo@acme.example",
    )
    return judged(mail, MailReading(reports=[report]), {"steel-beams": FILE}, 5).doubts


@pytest.mark.parametrize("text", TRAPS)
def test_what_only_looks_like_a_report_is_put_to_a_person(text: str) -> None:
    assert _doubts(text, "ETA_Changed")


@pytest.mark.parametrize("text", ORDERS)
def test_what_only_looks_like_an_acknowledgement_is_put_to_a_person(text: str) -> None:
    assert _doubts(text, "Purchase_Order_Acknowledged")


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_report_is_taken_in(text: str) -> None:
    assert _doubts(text, "ETA_Changed") == []
