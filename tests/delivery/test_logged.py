"""Delivered means sent: a message that no way takes is `logged`, says so everywhere, and can be sent later."""

from typing import Any

import psycopg
import pytest
import structlog
from pydantic import SecretStr
from structlog.testing import capture_logs

from runtime.channels_check import NO_WAY, NO_WAY_FOR_SOME, require_usable_channels, warn_of_missing_ways
from runtime.settings import Settings
from storage.migrate import read_migrations
from tests.agent.desk import Desk
from tests.delivery.post_room import PostRoom
from tests.delivery.receiver import Receiver

LOG = SecretStr("log://")
PEOPLE: dict[str, Any] = {
    "contacts": {"site_team": {"contact": "site@office.example"}},
    "approvers": [{"role": "project_manager", "name": "P. M.", "contact": "pm@office.example"}],
    "vendors": [{"vendor_id": "mill", "name": "Mill Road Steel", "contact": "orders@mill.example"}],
}


@pytest.fixture(autouse=True)
def _own_loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loggers that nothing has been logged by yet: what set the logs up before keeps those that it used."""
    for module in ("delivery", "channels_check"):
        monkeypatch.setattr(f"runtime.{module}.log", structlog.get_logger())


@pytest.mark.parametrize("channels", [{}, {"*": [LOG]}, {"somebody else": [SecretStr("json://127.0.0.1:9")]}])
async def test_a_message_without_a_way_is_logged_and_never_delivered(room: PostRoom, channels: dict[str, Any]) -> None:
    room.settings.channels = channels
    await room.open()
    await room.write()
    assert await room.deliver() == 0
    async with room.client() as client:
        [shown] = (await client.get("/outbox", params={"status": "logged"})).json()["data"]
        assert (await client.get("/outbox", params={"status": "delivered"})).json()["data"] == []
        figures = (await client.get("/metrics")).text
    assert (shown["status"], shown.get("delivered_at"), shown["deliveries"]) == ("logged", None, [])
    assert 'longlead_outbox_messages{status="logged"} 1.0' in figures


async def test_a_message_with_a_way_and_the_log_is_delivered_when_the_way_took_it(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"*": [LOG, receiver.webhook()]}
    await room.open()
    await room.write()
    await room.deliver()
    assert await room.statuses() == ["delivered"]
    assert len(receiver.received) == 1


@pytest.mark.parametrize(("channels", "level"), [({}, "warning"), ({"*": [LOG]}, "info")])
async def test_the_log_says_that_nobody_was_told_unless_the_settings_name_the_log(
    room: PostRoom, channels: dict[str, Any], level: str
) -> None:
    room.settings.channels = channels
    await room.open()
    await room.write()
    with capture_logs() as lines:
        await room.deliver()
    [line] = [line for line in lines if str(line["event"]).startswith("message")]
    assert line["log_level"] == level


async def test_a_logged_message_is_not_sent_by_itself_when_a_way_is_configured_but_when_somebody_asks(
    room: PostRoom, receiver: Receiver
) -> None:
    await room.open()
    key = await room.write()
    await room.deliver()
    room.settings.channels = {"*": [receiver.webhook()]}
    room.clock.forward(days=60)
    await room.deliver()
    assert (receiver.received, await room.statuses()) == ([], ["logged"])
    [row] = await room.rows()
    async with room.client() as client:
        again = await client.post(f"/outbox/{row['outbox_id']}/retry")
        assert (again.status_code, again.json()["status"]) == (202, "queued")
        assert again.json()["warning"] is None
        await room.deliver()
        assert (receiver.seen(), await room.statuses()) == ([key], ["delivered"])
        assert (await client.post(f"/outbox/{row['outbox_id']}/retry")).status_code == 409


async def test_a_building_s_messages_say_what_became_of_each(room: PostRoom, desk: Desk, receiver: Receiver) -> None:
    room.settings.channels = {"project_manager": [receiver.webhook()]}
    delivery = {"item": "HVAC Units", "required_by": "2026-04-15", "buffer_days": 7}
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": [delivery]}, **PEOPLE)
    await desk.post("Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-10")
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11")
    await room.deliver()
    async with room.client() as client:
        sent = (await client.get("/outbox")).json()["data"]
        listed = (await client.get("/buildings/office/messages")).json()["data"]
    statuses = [message["status"] for message in listed if message["direction"] == "out"]
    assert sorted(statuses) == sorted(message["status"] for message in sent)
    assert set(statuses) == {"delivered", "logged"}


async def test_a_logged_message_that_is_sent_again_without_a_way_is_logged_again(room: PostRoom) -> None:
    await room.open()
    await room.write()
    await room.deliver()
    [row] = await room.rows()
    async with room.client() as client:
        again = (await client.post(f"/outbox/{row['outbox_id']}/retry")).json()
    assert again["warning"].startswith(f"No way out is configured for {row['recipient']}: ")
    await room.deliver()
    assert await room.statuses() == ["logged"]


async def test_what_one_way_took_stays_delivered_when_the_others_are_no_longer_there(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"*": [receiver.webhook("/good"), receiver.webhook("/bad")]}
    room.settings.delivery_attempts = 1
    receiver.answer = lambda request: 500 if request.path == "/bad" else 204
    await room.open()
    await room.write()
    await room.deliver()
    [row] = await room.rows()
    assert row["status"] == "dead"
    room.settings.channels = {}
    async with room.client() as client:
        await client.post(f"/outbox/{row['outbox_id']}/retry")
    await room.deliver()
    assert await room.statuses() == ["delivered"]


async def test_what_an_earlier_version_called_delivered_is_logged_where_no_way_took_it(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"pm": [receiver.webhook()]}
    await room.open()
    await room.write("pm")
    await room.write("site")
    await room.deliver()
    migration = next(migration for migration in read_migrations() if migration.name == "0017_logged")
    update = migration.sql[migration.sql.index("UPDATE outbox") : migration.sql.index("CREATE INDEX")]
    with psycopg.connect(room.resources.conninfo, autocommit=True) as conn:
        conn.execute("UPDATE outbox SET status = 'delivered', delivered_at = now(), attempts = 1")
        conn.execute(update.encode())
    rows = await room.rows()
    assert [(row["status"], row["delivered_at"] is None) for row in rows] == [("delivered", False), ("logged", True)]


@pytest.mark.parametrize("channels", [{}, {"*": [LOG]}, {"pm": [LOG]}])
async def test_a_service_without_any_way_out_says_so_when_it_starts(room: PostRoom, channels: dict[str, Any]) -> None:
    assert await warnings_of(room, channels) == [(NO_WAY, None)]


async def test_a_service_says_when_it_starts_who_of_its_live_buildings_is_told_nothing(room: PostRoom) -> None:
    await room.open(**PEOPLE)
    await room.open("copy", contacts={"nobody": {"contact": "nobody@copy.example"}})
    async with room.resources.pool.connection() as conn:
        await conn.execute("UPDATE buildings SET mode = 'sandbox' WHERE building_id = 'copy'")
    way = [SecretStr("json://127.0.0.1:9")]
    everybody = [
        "project_manager (pm@office.example)",
        "site_team (site@office.example)",
        "Mill Road Steel (orders@mill.example)",
    ]
    assert await warnings_of(room, {"somebody": way}) == [(NO_WAY_FOR_SOME, everybody)]
    assert await warnings_of(room, {"project_manager": way, "*@mill.example": way}) == [
        (NO_WAY_FOR_SOME, ["site_team (site@office.example)"])
    ]
    assert await warnings_of(room, {"project_manager": way, "*": [LOG]}) == []


async def warnings_of(room: PostRoom, channels: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    room.settings.channels = channels
    with capture_logs() as lines:
        await warn_of_missing_ways(room.settings, room.resources.pool)
    return [(line["event"], line.get("recipients")) for line in lines]


async def test_a_channel_that_can_never_deliver_is_refused_by_its_recipient_and_without_its_secret() -> None:
    usable = Settings(channels={"pm": "mailto://u:s3cret@mail.example?to={address}", "*": "log://"})  # type: ignore[dict-item]
    await require_usable_channels(usable)
    wrong = Settings(channels={"pm": "nosuch://u:s3cret@mail.example", "*": "log://"})  # type: ignore[dict-item]
    with pytest.raises(Exception, match="LONGLEAD_CHANNELS: 'pm'") as refused:
        await require_usable_channels(wrong)
    assert "s3cret" not in str(refused.value)
