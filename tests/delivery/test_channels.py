"""Channels for people by Apprise, orders to an ERP by webhook, and no secret anywhere but in the settings."""

import json

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook as Signer

from domain.errors import ConfigurationError
from domain.outside import own_words
from runtime.channels_letter import printable
from runtime.logs import set_up_logs
from runtime.settings import load_settings
from tests.agent.desk import Desk
from tests.delivery.mailbox import mail_server
from tests.delivery.post_room import PostRoom
from tests.delivery.receiver import SECRET, Receiver

STEEL = {
    "items": [
        {
            "name": "Steel Beams",
            "vendor_id": "mill",
            "quantity": "18",
            "unit": "t",
            "unit_price": "2850",
            "required_by": "2026-03-20",
        }
    ],
    "vendors": [{"vendor_id": "mill", "name": "Mill Road Steel", "contact": "orders@mill.example"}],
    "contacts": {"project_manager": {"name": "Project manager", "contact": "pm@office.example"}},
}


def by_apprise(receiver: Receiver, path: str = "/apprise") -> list[SecretStr]:
    return [SecretStr(f"json://{receiver.address}{path}?to={{address}}")]


async def test_people_are_told_by_apprise_at_the_address_on_file(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {"*": by_apprise(receiver, "/{address}")}
    await room.open()
    await room.write("pm@office.example", "Steel is late.\x07 \u202eevil")
    assert await room.deliver() == 1
    [got] = receiver.received
    sent = json.loads(got.body)
    assert got.path.startswith("/pm")
    assert (sent["title"], sent["message"]) == ("Notice (Office)", "Steel is late. evil")
    assert await room.statuses() == ["delivered"]


async def test_a_mail_reaches_the_mail_server_of_whoever_is_asked(room: PostRoom, desk: Desk) -> None:
    """A real conversation by SMTP, with the link to the question in what arrives."""
    with mail_server() as server:
        room.settings.channels = {
            "project_manager": [SecretStr(f"mailto://{server.address}?from=agent@longlead.example&to={{address}}")]
        }
        await desk.open(**STEEL)
        await desk.post("Inspection_Failed", item="Steel Beams", inspection_date="2026-02-11")
        assert await room.deliver() == 1
    [got] = server.mails
    assert (got.sender, got.recipients) == ("agent@longlead.example", ["pm@office.example"])
    assert got.message["subject"] == "Steel Beams: failed inspection, needed in 37 days, please decide (Office)"
    text = got.message.get_content()
    assert "Steel Beams failed inspection on 2026-02-11." in text
    assert "Read and answer: https://longlead.example/pages/approval/" in text
    assert await room.statuses() == ["delivered"]


async def test_a_mail_server_that_turns_the_recipient_down_is_asked_again_later(room: PostRoom) -> None:
    with mail_server(refuses=True) as server:
        room.settings.channels = {
            "*": [SecretStr(f"mailto://{server.address}?from=agent@longlead.example&to=nobody@office.example")]
        }
        await room.open()
        await room.write()
        await room.deliver()
    assert server.mails == []
    [row] = await room.rows()
    assert row["status"] == "queued"
    assert row["error"].startswith("mailto: ")
    assert "@" not in row["error"]


async def test_a_chat_gets_the_words_and_the_link(room: PostRoom, desk: Desk, receiver: Receiver) -> None:
    """Mattermost takes what Slack takes, at an address of our own; those of Slack and Teams are fixed."""
    room.settings.channels = {"project_manager": [SecretStr(f"mmost://{receiver.address}/{'3ccdd113' * 4}")]}
    await desk.open(**STEEL)
    await desk.post("Inspection_Failed", item="Steel Beams", inspection_date="2026-02-11")
    assert await room.deliver() == 1
    [got] = receiver.received
    assert got.path.startswith("/hooks/")
    said = json.loads(got.body)["text"]
    assert "Steel Beams failed inspection on 2026-02-11." in said
    assert "https://longlead.example/pages/approval/" in said


async def test_apprise_that_is_refused_is_tried_again(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {"*": [SecretStr(f"json://{receiver.address}/x")]}
    receiver.answer = lambda _: 401
    await room.open()
    await room.write()
    await room.deliver()
    [row] = await room.rows()
    assert (row["status"], row["error"]) == ("queued", "json: refused with status 401")


async def test_a_recipient_without_an_address_is_a_dead_letter_that_says_what_to_do(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"*": by_apprise(receiver)}
    await room.open()
    await room.write("receiving")
    await room.write("a@b.example c@d.example")  # an address at a time: no list can be smuggled in
    await room.deliver()
    assert await room.statuses() == ["dead", "dead"]
    assert "is no address to send to" in (await room.rows())[0]["error"]
    assert receiver.received == []


async def test_each_address_of_a_contact_is_delivered_to_by_itself(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {"*@mill.example": by_apprise(receiver, "/{address}")}
    receiver.answer = lambda request: 401 if request.path.startswith("/desk") else 204
    await room.open()
    await room.write('"Mill, Road" <orders@mill.example>, Desk <desk@mill.example>')
    await room.deliver()
    assert sorted(request.path.partition("@")[0] for request in receiver.received) == ["/desk", "/orders"]
    receiver.answer = lambda _: 204
    room.clock.forward(hours=1)
    await room.deliver()
    assert [request.path.partition("@")[0] for request in receiver.received[2:]] == ["/desk"], (
        "who has it gets no other"
    )
    assert await room.statuses() == ["delivered"]


async def test_addresses_that_share_a_fixed_place_are_told_there_once(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {"*": [SecretStr(f"json://{receiver.address}/x")]}
    await room.open()
    await room.write("orders@mill.example, desk@mill.example")
    await room.deliver()
    assert len(receiver.received) == 1


async def test_a_recipient_is_found_by_address_then_role_then_pattern(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {
        "*@mill.example": [receiver.webhook("/mill")],
        "Project_Manager": [receiver.webhook("/pm")],
        "*": [SecretStr("log://")],
    }
    await room.open()
    for recipient in ("orders@mill.example", "project_manager", "receiving"):
        await room.write(recipient)
    await room.deliver()
    assert sorted(request.path for request in receiver.received) == ["/mill", "/pm"]
    assert await room.statuses() == ["delivered", "delivered", "logged"]


async def test_an_order_goes_to_the_erp_as_a_document_and_to_the_vendor_in_words(
    room: PostRoom, desk: Desk, receiver: Receiver
) -> None:
    hook = receiver.webhook("/erp")
    room.settings.erp_webhook_url, room.settings.erp_webhook_secret = hook.webhook, hook.secret
    room.settings.channels = {"*@mill.example": [SecretStr(f"json://{receiver.address}/vendor")]}
    await desk.open(**STEEL)
    await desk.post("Submittal_Approved", item="Steel Beams")
    await room.deliver()
    got = {request.path.rstrip("/"): request for request in receiver.received}
    order = json.loads(got["/erp"].body)
    assert order["type"] == "purchase_order.issued"
    assert order["timestamp"] == "2026-02-01T09:00:00+00:00"
    assert order["data"] == {
        "building": {"building_id": "office", "name": "Office"},
        "purchase_order": {
            "number": "PO-office-0001",
            "revision": 0,
            "status": "issued",
            "currency": "USD",
            "total": "51300.00",
            "issued_on": "2026-02-01",
        },
        "vendor": {"vendor_id": "mill", "name": "Mill Road Steel", "contact": "orders@mill.example"},
        "lines": [
            {
                "line": 1,
                "item": "steel-beams",
                "item_name": "Steel Beams",
                "quantity": "18",
                "unit": "t",
                "unit_price": "2850",
                "group": None,
                "group_total": None,
                "required_by": "2026-03-20",
            }
        ],
    }
    assert got["/erp"].key == "office:1:issue_purchase_order:steel-beams:0"
    Signer(SECRET).sign(got["/erp"].key, room.clock.now(), got["/erp"].body.decode())
    words = json.loads(got["/vendor"].body)["message"]
    assert "1. 18 t Steel Beams at 2850 USD, required on site by 2026-03-20" in words
    await desk.post("Purchase_Order_Acknowledged", item="Steel Beams", promised_date="2026-03-10")
    assert (await desk.item("steel-beams")).commercial == "acknowledged"


async def test_cancelling_an_order_tells_the_erp(room: PostRoom, desk: Desk, receiver: Receiver) -> None:
    hook = receiver.webhook("/erp")
    room.settings.erp_webhook_url, room.settings.erp_webhook_secret = hook.webhook, hook.secret
    await desk.open(**STEEL)
    await desk.post("Submittal_Approved", item="Steel Beams")
    await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta="2026-04-20")
    await desk.decide(
        await desk.question("schedule_conflict"),
        "edit",
        actions=[{"name": "cancel_purchase_order", "arguments": {"item": "steel-beams"}}],
    )
    await room.deliver()
    bodies = [json.loads(request.body) for request in receiver.received]
    assert [body["type"] for body in bodies] == ["purchase_order.issued", "purchase_order.cancelled"]
    assert bodies[1]["data"]["purchase_order"] == {"number": "PO-office-0001", "status": "cancelled"}


async def test_a_revised_order_goes_to_the_erp_and_to_the_vendor_at_its_next_revision(
    room: PostRoom, desk: Desk, receiver: Receiver
) -> None:
    hook = receiver.webhook("/erp")
    room.settings.erp_webhook_url, room.settings.erp_webhook_secret = hook.webhook, hook.secret
    room.settings.channels = {"*@mill.example": [SecretStr(f"json://{receiver.address}/vendor")]}
    await desk.open(**STEEL)
    await desk.post("Submittal_Approved", item="Steel Beams")
    await desk.post("Items_Changed", items=[{"item_id": "steel-beams", "quantity": "20"}])
    await desk.decide(await desk.question("change_order"))
    await room.deliver()
    got = {request.path.rstrip("/"): json.loads(request.body) for request in receiver.received}  # the last of each
    assert got["/erp"]["type"] == "purchase_order.revised"
    order, (line,) = got["/erp"]["data"]["purchase_order"], got["/erp"]["data"]["lines"]
    assert (order["number"], order["revision"], order["total"]) == ("PO-office-0001", 1, "57000.00")
    assert line["quantity"] == "20"
    words = got["/vendor"]["message"]
    assert "revision 1" in words
    assert "This takes the place of the order as it was." in words


@pytest.fixture
def logs(capfd: pytest.CaptureFixture[str], room: PostRoom) -> None:
    """Logs as they are in service, at their loudest."""
    set_up_logs(room.settings.model_copy(update={"log_level": "DEBUG", "log_format": "json"}))


@pytest.mark.usefixtures("logs")
async def test_no_secret_is_in_logs_errors_or_answers(
    room: PostRoom, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = receiver.webhook("/path-s3cret?token=qu3ry-s3cret")
    room.settings.channels = {
        "a": [hook],
        "b": [SecretStr(f"json://user:pa55-s3cret@{receiver.address}/tok-s3cret")],
        "c": [SecretStr("json://user:pa55-s3cret@127.0.0.1:9/tok-s3cret")],
        "d": [SecretStr("nosuch://user:pa55-s3cret@host")],
        "e": [SecretStr("mailto://user:pa55-s3cret@127.0.0.1:9?from=a@b.example&to=c@d.example")],
        "f": [hook.model_copy(update={"webhook": SecretStr("http://user:pa55-s3cret@127.0.0.1:9/path-s3cret")})],
    }
    receiver.answer = lambda _: 500
    await room.open()
    for recipient in "abcdef":
        await room.write(recipient, "private words")
    await room.deliver()
    rows = await room.rows()
    assert all(row["error"] for row in rows)
    async with room.client() as client:
        said = (await client.get("/outbox")).text + (await client.get("/metrics")).text
    captured = capfd.readouterr()
    said += captured.out + captured.err + repr(rows) + repr(await room.rows("SELECT * FROM deliveries"))
    said += repr(room.settings) + repr(room.delivery())
    for secret in ("s3cret", SECRET, SECRET.removeprefix("whsec_")):
        assert secret not in said
    assert "private words" not in captured.out + captured.err


@pytest.mark.parametrize(
    "wrong",
    [
        {"LONGLEAD_CHANNELS": '{"pm": 7, "secret": "s3cret"}'},
        {"LONGLEAD_CHANNELS": '{"pm": "s3cret'},
        {"LONGLEAD_CHANNELS": '{"pm": {"webhook": "https://s3cret", "secret": "whsec_s3cret"}}'},
        {"LONGLEAD_CHANNELS": json.dumps({"pm": {"webhook": "ftp://s3cret", "secret": SECRET}})},
        {"LONGLEAD_ERP_WEBHOOK_URL": "https://erp/s3cret"},
        {"LONGLEAD_LINK_SECRET": "s3cret"},
    ],
)
def test_a_wrong_setting_is_named_without_its_secret(wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert "s3cret" not in f"{refused.value} {refused.value.__cause__}"


def test_channels_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"pm": "slack://a/b/c", "*": ["mailto://x", {"webhook": "https://x.example", "secret": SECRET}]}
    monkeypatch.setenv("LONGLEAD_CHANNELS", json.dumps(given))
    assert [len(targets) for targets in load_settings().channels.values()] == [1, 2]


def test_text_from_outside_cannot_forge_headers_or_turn_around() -> None:
    assert own_words("Steel\r\nBcc: all@x.example\t!") == "Steel Bcc: all@x.example !"
    assert printable("a\x00\x1b[31mb\u202ec\u2066\nd") == "a[31mbc\nd"
