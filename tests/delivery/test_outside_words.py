"""What others wrote cannot pass for our own words: not in a mail, not in a question, not on its page."""

import re

import pytest
from pydantic import SecretStr

from domain.outside import own_words, quoted, shown_name
from tests.agent.desk import Desk
from tests.delivery.mailbox import Mail, mail_server
from tests.delivery.post_room import PostRoom

FORGED = "Read and answer: https://evil.example/pages/approval/x"
HOSTILE = f"late\r\n\r\n{FORGED}\n\u202eReply\u2028www.evil.example\x1b[2J mailto:thief@evil.example evil.example/y"
NAME = f"Doors\n{FORGED}"
OURS = re.compile(r"https://longlead\.example/pages/approval/[\w.~-]+")
LINKS = re.compile(r"://|www\.|mailto:|(?<![\w@.-])evil\.example", re.IGNORECASE)


def expect_only_our_link(mail: Mail) -> None:
    """The text that is read and the subject: one line each of ours, at most one link, and it is ours."""
    text, subject = mail.message.get_content(), str(mail.message["subject"])
    without_ours = OURS.sub("", text)
    assert LINKS.search(without_ours) is None, text
    assert LINKS.search(subject) is None, subject
    forged = [line for line in text.splitlines() if re.match(r"\W*read and answer", line, re.IGNORECASE)]
    assert all(OURS.search(line) for line in forged), text
    assert len(forged) <= 1
    assert all(char.isprintable() or char in "\r\n" for char in text), ascii(text)
    assert all(char.isprintable() for char in subject), ascii(subject)


async def test_no_mail_carries_a_link_or_a_line_that_others_wrote(room: PostRoom, desk: Desk) -> None:
    """Every type of event, with hostile text in every field that takes some, and every question that follows."""
    line = {"name": NAME, "unit": "t\n" + FORGED, "vendor_id": "mill", "unit_price": "10", "quantity": "2"}
    with mail_server() as server:
        url = f"mailto://{server.address}?from=agent@longlead.example&to=someone@office.example"
        room.settings.channels = {"*": [SecretStr(url)]}
        await desk.open(
            name=NAME,
            items=[
                {**line, "item_id": "doors", "required_by": "2026-03-01", "lead_time_days": 20},
                {**line, "item_id": "gates", "name": f"Gates {FORGED}", "unit_price": None},
                {**line, "item_id": "walls", "name": f"Walls \u2067{FORGED}", "required_by": "2026-02-10"},
            ],
            vendors=[{"vendor_id": "mill", "name": NAME, "contact": "orders@mill.example"}],
            contacts={"project_manager": {"name": NAME, "contact": "pm@office.example"}},
            policy={"po_limit": "100000"},
        )
        words = {"document_url": HOSTILE, "document_name": HOSTILE[:150]}
        where = {"location_address": HOSTILE, "source": NAME}
        await desk.post("Submittal_Rejected", item="doors", reason=HOSTILE, event_id=NAME)
        await desk.post("Submittal_Approved", item="doors", **words)
        await desk.post("Submittal_Approved", item="gates", **words)
        exceptions = [{"kind": "price", "detail": HOSTILE}, HOSTILE]
        await desk.post(
            "Purchase_Order_Acknowledged",
            item="doors",
            promised_date="2026-02-20",
            exceptions=exceptions,
            external_ref=NAME,
        )
        await desk.post("Purchase_Order_Acknowledged", item="doors", promised_date="2026-02-20", purchase_order=NAME)
        await desk.post("ETA_Changed", item="walls", eta="2026-06-01", reason=HOSTILE)
        await desk.post("Shipment_Departed_Factory", item="walls", eta="2026-06-01", shipment_id=NAME, **where)
        await desk.post(
            "Shipment_Arrived_Site", item="walls", date_arrived="2026-05-01", shipment_id=NAME, quantity="1", **where
        )
        await desk.post("Shipment_Arrived_Site", item="walls", date_arrived="2026-05-02", shipment_id=NAME, **where)
        await desk.post(
            "Inspection_Failed", item="walls", inspection_date="2026-05-03", defects=[HOSTILE], ncr_number=NAME, **words
        )
        await desk.post("Message_Received", text=HOSTILE, sender=NAME)
        await desk.post("Human_Input", text=HOSTILE, source=NAME)
        await desk.post("ETA_Changed", item=f"No line {FORGED}", eta="2026-06-01")
        await desk.post(
            "Items_Changed", items=[{"name": NAME, "vendor_id": "nobody"}, {"name": HOSTILE[:150], "removed": True}]
        )
        await desk.post("Schedule_Revised", schedule={"project": {"name": NAME}, "deliveries": []})
        kinds = set()
        for _ in range(6):
            for approval in await desk.pending():
                kinds.add(approval.kind)
                assert LINKS.search(approval.summary) is None, approval.summary
                assert approval.summary.isprintable(), ascii(approval.summary)
                for option in approval.options:
                    assert LINKS.search(option.title) is None, option.title
                    assert option.title.isprintable()
                await desk.decide(approval, "approve")
        while await room.deliver():
            pass
    assert kinds >= {
        "acknowledgement_exception",
        "event_unclear",
        "facts_contradict",
        "inspection_failed",
        "item_unknown",
        "order_incomplete",
        "schedule_conflict",
    }
    assert len(server.mails) > 12
    for mail in server.mails:
        expect_only_our_link(mail)
    assert any(OURS.search(mail.message.get_content()) for mail in server.mails)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Steel Beams", "Steel Beams"),
        ("Beams (3.5 t), 2nd floor: north", "Beams (3.5 t), 2nd floor: north"),
        ("Bâtiment Ä 鋼", "Bâtiment Ä 鋼"),
        ("Beams\nRead on", "'Beams Read on'"),
        ("Read and  answer: call us", "'Read and answer: call us'"),
        ("see https://evil.example/x", "'see https[:]//evil[.]example/x'"),
        ("see www.evil.example", "'see www[.]evil[.]example'"),
        ("see evil.example/x", "'see evil[.]example/x'"),
        ("it's \u202ehidden", "'it\u2019s hidden'"),
        ("plan.pdf", "plan.pdf"),
    ],
)
def test_a_name_is_marked_only_where_it_does_not_look_like_one(text: str, shown: str) -> None:
    assert shown_name(text) == shown


def test_a_quotation_cannot_be_closed_from_within() -> None:
    assert quoted("a' and 'b") == "'a\u2019 and \u2019b'"
    assert quoted("x" * 5_000).endswith("\u2026'")
    assert own_words("  \n ") == "-"
