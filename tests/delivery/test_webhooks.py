"""A message for outside arrives at least once, with one key, in its turn, and nobody waits for somebody else's."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Signer
from standardwebhooks import WebhookVerificationError

from runtime.settings import Settings
from tests.delivery.post_room import PostRoom
from tests.delivery.receiver import SECRET, Received, Receiver


def refuse(path: str, status: int = 500):  # type: ignore[no-untyped-def]
    """Answers that refuse what comes to this path."""

    def answer(request: Received) -> int:
        return status if request.path == path else 204

    return answer


async def test_a_webhook_is_signed_after_the_spec_with_the_ledger_key_as_its_id(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"site": [receiver.webhook()]}
    room.clock.moment = datetime.now(UTC)
    await room.open()
    key = await room.write(text="Grüße <b>")
    assert await room.deliver() == 1
    [got] = receiver.received
    body = Signer(SECRET).verify(got.body, got.headers)
    assert (got.headers["webhook-id"], got.headers["idempotency-key"]) == (key, key)
    assert body["type"] == "message"
    assert body["data"]["building"] == {"building_id": "office", "name": "Office"}
    assert body["data"]["text"] == "Grüße <b>"
    with pytest.raises(WebhookVerificationError):
        Signer(SECRET).verify(got.body + b" ", got.headers)
    assert await room.statuses() == ["delivered"]
    assert room.counted == [("webhook", "delivered")]


async def test_what_is_refused_is_tried_again_with_growing_pauses_and_the_same_key(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"*": [receiver.webhook()]}
    room.settings.delivery_attempts = 6
    receiver.answer = refuse("/hook", 503)
    await room.open()
    key = await room.write()
    pauses = []
    for _ in range(4):
        assert await room.deliver() == 1
        assert await room.deliver() == 0  # not yet due
        [row] = await room.rows("SELECT * FROM deliveries")
        pauses.append((row["not_before"] - room.clock.now()).total_seconds())
        room.clock.moment = row["not_before"]
    for pause, doubled in zip(pauses, (10, 20, 40, 80), strict=True):
        assert doubled / 2 <= pause <= doubled
    receiver.answer = lambda _: 200
    assert await room.deliver() == 1
    assert receiver.seen() == [key] * 5
    [row] = await room.rows()
    assert (row["status"], row["attempts"], row["error"]) == ("delivered", 5, None)


async def test_a_later_message_never_overtakes_an_earlier_one_of_its_lane_and_others_go_on(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"gate": [receiver.webhook("/gate")], "*": [receiver.webhook("/site")]}
    receiver.answer = refuse("/gate")
    await room.open()
    await room.open("tower")
    at_gate = [await room.write("gate") for _ in range(3)]
    at_site = [await room.write("site") for _ in range(3)]
    in_tower = await room.write("gate", building_id="tower")
    await room.deliver()
    assert receiver.seen("/site") == at_site
    assert sorted(receiver.seen("/gate")) == sorted([at_gate[0], in_tower])
    receiver.received.clear()
    receiver.answer = lambda _: 204
    room.clock.forward(seconds=60)
    await room.deliver()
    assert [key for key in receiver.seen("/gate") if key != in_tower] == at_gate
    assert set(await room.statuses()) == {"delivered"}


async def test_after_enough_attempts_it_is_a_dead_letter_that_people_see_and_can_send_again(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"*": [receiver.webhook()]}
    receiver.answer = refuse("/hook", 500)
    await room.open()
    key, behind = await room.write(), await room.write()
    for _ in range(3):
        await room.deliver()
        room.clock.forward(hours=1)
    async with room.client() as client:
        [dead] = (await client.get("/outbox", params={"status": "dead"})).json()["data"]
        assert (dead["key"], dead["status"], dead["attempts"]) == (key, "dead", 3)
        assert dead["error"] == "webhook: refused with status 500"
        assert dead["deliveries"][0]["channel"] == "webhook"
        assert re.search(r'^longlead_outbox\w*{.*status="dead".*} 1', (await client.get("/metrics")).text, re.M)
        receiver.answer = lambda _: 204
        await room.deliver()  # what was behind it goes on
        assert receiver.seen()[-1] == behind
        again = await client.post(f"/outbox/{dead['outbox_id']}/retry")
        assert (again.status_code, again.json()["status"]) == (202, "queued")
        await room.deliver()
        assert receiver.seen()[-1] == key
        assert (await client.get("/outbox", params={"status": "dead"})).json()["data"] == []
        assert (await client.post(f"/outbox/{dead['outbox_id']}/retry")).status_code == 409
        assert (await client.post("/outbox/99/retry")).status_code == 404
    assert room.counted.count(("webhook", "dead")) == 1


async def test_a_receiver_that_is_gone_for_good_is_not_asked_again_and_one_that_names_a_time_is_asked_then(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"a": [receiver.webhook("/gone")], "b": [receiver.webhook("/later")]}
    receiver.answer = lambda request: 410 if request.path == "/gone" else (429, {"Retry-After": "900"})
    await room.open()
    await room.write("a")
    await room.write("b")
    await room.deliver()
    assert await room.statuses() == ["dead", "queued"]
    [later] = await room.rows("SELECT * FROM deliveries WHERE status = 'queued'")
    assert later["not_before"] - room.clock.now() == timedelta(seconds=900)


async def test_redirects_are_not_followed(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {"*": [receiver.webhook()]}
    receiver.answer = lambda _: (307, {"Location": f"http://{receiver.address}/elsewhere"})
    await room.open()
    await room.write()
    await room.deliver()
    assert [request.path for request in receiver.received] == ["/hook"]
    assert await room.statuses() == ["queued"]


async def test_each_way_of_a_message_is_delivered_once_whatever_the_others_do(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"*": [receiver.webhook("/one"), receiver.webhook("/two")]}
    receiver.answer = refuse("/two")
    await room.open()
    await room.write()
    await room.deliver()
    assert await room.statuses() == ["queued"]
    receiver.answer = lambda _: 204
    room.clock.forward(minutes=1)
    await room.deliver()
    assert (len(receiver.seen("/one")), len(receiver.seen("/two"))) == (1, 2)
    assert await room.statuses() == ["delivered"]


async def test_a_slow_receiver_does_not_stop_the_others(room: PostRoom, receiver: Receiver) -> None:
    released = threading.Event()

    def answer(request: Received) -> int:
        if request.path == "/slow":
            released.wait(20)
        return 204

    receiver.answer = answer
    room.settings.channels = {"slow-*": [receiver.webhook("/slow")], "*": [receiver.webhook("/quick")]}
    await room.open()
    for number in range(30):
        await room.write(f"slow-{number}")
    quick = [await room.write(f"quick-{number}") for number in range(30)]
    begun = time.monotonic()
    running = asyncio.create_task(room.deliver())
    while len(receiver.seen("/quick")) < 30:
        assert not running.done()
        assert time.monotonic() - begun < 8, "the quick ones wait for the slow one"
        await asyncio.sleep(0.02)
    assert sorted(receiver.seen("/quick")) == sorted(quick)
    later = await room.write("quick-later")  # also while slow ones are still under way
    while later not in receiver.seen("/quick"):
        assert time.monotonic() - begun < 9
        await asyncio.sleep(0.02)
    assert len(receiver.seen("/slow")) <= 8
    released.set()
    await running


async def test_an_attempt_is_bounded_in_time(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {"*": [receiver.webhook()]}
    room.settings.delivery_timeout = 0.3
    receiver.answer = lambda _: time.sleep(3) or 204
    await room.open()
    await room.write()
    begun = time.monotonic()
    await room.deliver()
    assert time.monotonic() - begun < 2.5
    [row] = await room.rows()
    assert (row["status"], row["error"][:19]) == ("queued", "webhook: no answer ")


async def test_killed_between_sending_and_marking_it_is_sent_again_with_the_same_key(
    room: PostRoom, receiver: Receiver, database: str
) -> None:
    await room.open()
    key = await room.write()
    started: list[subprocess.Popen[bytes]] = []

    def kill_the_sender(_: Received) -> int:
        os.kill(started[0].pid, signal.SIGKILL)
        return 204

    receiver.answer = kill_the_sender
    url = f"http://{receiver.address}/hook"
    command = [sys.executable, "-m", "tests.delivery.deliverer", database, url, SECRET]
    started.append(await asyncio.to_thread(subprocess.Popen, command))
    assert await asyncio.to_thread(started[0].wait, 30) == -signal.SIGKILL
    assert await room.statuses() == ["queued"]
    room.settings.channels = {"*": [receiver.webhook()]}
    receiver.answer = lambda _: 204
    assert await room.deliver() == 0  # the lease still runs
    room.clock.forward(seconds=room.delivery().lease_s + 120)
    assert await room.deliver() == 1
    assert receiver.seen() == [key, key]
    [row] = await room.rows()
    assert (row["status"], row["attempts"]) == ("delivered", 2)


async def test_many_deliverers_at_once_send_each_message_once_and_in_order(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {"*": [receiver.webhook()]}
    await room.open()
    written = [await room.write(f"r{number % 5}") for number in range(100)]
    await asyncio.gather(*(room.deliver() for _ in range(4)))
    while await room.deliver():
        pass
    assert sorted(receiver.seen()) == sorted(written)
    for number in range(5):
        mine = [key for key in receiver.seen() if key in written[number::5]]
        assert mine == written[number::5]


async def test_a_sandbox_is_never_heard_outside(room: PostRoom, receiver: Receiver) -> None:
    room.settings.channels = {"*": [receiver.webhook()]}
    await room.open()
    await room.write()
    async with room.resources.pool.connection() as conn:
        await conn.execute("UPDATE buildings SET mode = 'sandbox'")
    await room.write()
    await room.deliver()
    assert receiver.received == []
    assert await room.statuses() == ["withheld", "withheld"]


async def test_a_way_that_is_no_longer_configured_is_a_dead_letter_and_a_retry_takes_another(
    room: PostRoom, receiver: Receiver
) -> None:
    room.settings.channels = {"old": [receiver.webhook("/old")], "*": [receiver.webhook("/new")]}
    receiver.answer = refuse("/old")
    await room.open()
    await room.write("old")
    await room.deliver()
    room.settings.channels = {"*": [receiver.webhook("/new")]}
    room.clock.forward(minutes=1)
    await room.deliver()
    [row] = await room.rows()
    assert (row["status"], "no longer in the settings" in row["error"]) == ("dead", True)
    async with room.client() as client:
        await client.post(f"/outbox/{row['outbox_id']}/retry")
    await room.deliver()
    assert len(receiver.seen("/new")) == 1
    assert await room.statuses() == ["delivered"]


async def test_the_worker_delivers_by_itself(room: PostRoom, receiver: Receiver) -> None:
    from runtime.worker import open_worker

    room.resources.settings = Settings(
        database_url=room.resources.conninfo,
        channels={"*": [receiver.webhook()]},
        tick_interval=1,
        concurrency=1,
        poll_interval=0.1,
        shutdown_grace=1,
    )
    await room.open()
    key = await room.write()
    async with open_worker(room.resources) as worker:
        running = asyncio.create_task(worker.run())
        await asyncio.to_thread(receiver.wait_for, 1)
        worker.stopping.set()
        await running
    assert receiver.seen() == [key]
