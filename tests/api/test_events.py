"""Events are accepted once, numbered in order, and refused with a clear word when something is wrong with them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.event_content import digest_of_plain
from runtime.resources import Resources
from tests.api.office import (
    ADMIN,
    APPROVED,
    BUILDING,
    EVENTS,
    READER,
    SENDER,
    assert_problem,
    bearer,
    count,
    finish_first_event,
    rows,
)

pytestmark = pytest.mark.usefixtures("building")

DEPARTED = {
    "event_type": "Shipment_Departed_Factory",
    "item": "steel-beams",
    "eta": "2026-02-10",
    "date_departed": "2026-02-03",
    "location_address": "12 Mill Road",
}


async def test_an_event_is_stored_and_its_place_in_the_inbox_told(client: httpx.AsyncClient) -> None:
    response = await client.post(EVENTS, json=APPROVED)
    assert response.status_code == 202
    assert response.json() == {"event_id": "docs-311", "seq": 1, "status": "queued"}
    shown = (await client.get(f"{EVENTS}/docs-311")).json()
    assert shown["body"] == {key: value for key, value in APPROVED.items() if key not in ("event_id", "source")}
    assert (shown["source"], shown["status"], shown["attempts"], shown["outcome"]) == (
        "docs",
        "queued",
        0,
        None,
    )


async def test_an_event_without_id_and_source_gets_an_id_and_the_source_api(client: httpx.AsyncClient) -> None:
    event_id = (await client.post(EVENTS, json=DEPARTED)).json()["event_id"]
    shown = (await client.get(f"{EVENTS}/{event_id}", params={"source": "api"})).json()
    assert shown["event_id"] == event_id


async def test_the_same_source_and_id_again_is_answered_with_the_first_one(client: httpx.AsyncClient) -> None:
    first = await client.post(EVENTS, json=APPROVED)
    again = await client.post(EVENTS, json=APPROVED)
    assert again.status_code == 200
    assert again.json() == first.json()


async def test_the_same_source_and_id_with_another_body_is_refused_and_nothing_is_stored(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    first = await client.post(EVENTS, json=APPROVED)
    before = await rows(resources, "SELECT * FROM events")
    for other in ({"document_name": "other"}, {"quantity": "1"}, {"event_type": "Human_Input", "text": "Hello."}):
        body = {**APPROVED, **other}
        if "text" in other:
            body = {**other, "event_id": APPROVED["event_id"], "source": APPROVED["source"]}
        problem = assert_problem(await client.post(EVENTS, json=body), 409, "another body", "Nothing was stored")
        assert problem["seq"] == first.json()["seq"]
    assert await rows(resources, "SELECT * FROM events") == before
    assert (await client.post(EVENTS, json={**APPROVED, "source": "other", "quantity": "1"})).status_code == 202


ACKNOWLEDGED: dict[str, Any] = {
    "event_type": "Purchase_Order_Acknowledged",
    "event_id": "ack-1",
    "source": "erp",
    "item": "Steel Beams",
    "promised_date": "2026-02-09",
    "quantity": "10",
    "occurred_at": "2026-02-03T09:00:00Z",
}


@pytest.mark.parametrize(
    "again",
    [
        dict(reversed(ACKNOWLEDGED.items())),
        {**ACKNOWLEDGED, "exceptions": []},
        {**ACKNOWLEDGED, "external_ref": None},
        {**ACKNOWLEDGED, "quantity": 10},
        {**ACKNOWLEDGED, "quantity": "10.00"},
        {**ACKNOWLEDGED, "occurred_at": "2026-02-03T10:00:00+01:00"},
    ],
)
async def test_a_body_that_is_written_otherwise_and_means_the_same_is_the_same(
    client: httpx.AsyncClient, again: dict[str, Any]
) -> None:
    first = await client.post(EVENTS, json=ACKNOWLEDGED)
    repeated = await client.post(EVENTS, json=again)
    assert (repeated.status_code, repeated.json()) == (200, first.json())


@pytest.mark.parametrize(
    "later",
    [
        "UPDATE events SET body = body - 'exceptions'",
        """UPDATE events SET body = body || '{"item": "removed", "purchase_order": "removed"}'""",
        """UPDATE events SET body = '{"event_type": "Purchase_Order_Acknowledged"}'""",
        "UPDATE events SET body_hash = 'of an older version', body = body - 'exceptions'",
    ],
)
async def test_a_retry_is_known_though_the_stored_body_was_changed_since(
    client: httpx.AsyncClient, resources: Resources, later: str
) -> None:
    """By making it anonymous, or by another version, which has other defaults."""
    await client.post(EVENTS, json=ACKNOWLEDGED)
    await rows(resources, later + " RETURNING 1")
    assert (await client.post(EVENTS, json=ACKNOWLEDGED)).status_code == 200
    assert_problem(await client.post(EVENTS, json={**ACKNOWLEDGED, "promised_date": "2027-01-01"}), 409)


async def test_a_field_that_is_cleared_is_not_the_same_as_one_that_is_left_as_it_is(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    change = {"event_type": "Items_Changed", "event_id": "c", "items": [{"item_id": "steel-beams", "unit": None}]}
    left, named = {**change, "items": [{"item_id": "steel-beams"}]}, [{"item_id": "steel-beams", "clear": ["unit"]}]
    cloud = {"specversion": "1.0", "type": "Items_Changed", "id": "c", "source": "api", "data": {"items": named}}
    assert (await client.post(EVENTS, json=change)).status_code == 202
    assert (await client.get(f"{EVENTS}/c")).json()["body"]["items"][0]["clear"] == ["unit"]
    assert (await client.post(EVENTS, json={**change, "items": named})).status_code == 200
    kind = {"content-type": "application/cloudevents+json"}
    assert (await client.post(EVENTS, json=cloud, headers=kind)).status_code == 200
    assert_problem(await client.post(EVENTS, json=left), 409)


async def test_a_change_may_clear_one_field_and_give_another_as_a_number(client: httpx.AsyncClient) -> None:
    line = {"item_id": "steel-beams", "unit": None, "quantity": 12.5, "unit_price": 350, "required_by": "2026-03-01"}
    sent = await client.post(EVENTS, json={"event_type": "Items_Changed", "event_id": "c", "items": [line]})
    assert sent.status_code == 202, sent.text
    stored = (await client.get(f"{EVENTS}/c")).json()["body"]["items"][0]
    assert (stored["quantity"], stored["unit_price"], stored["clear"]) == ("12.5", "350", ["unit"])


async def test_a_change_that_an_earlier_version_stored_with_nulls_for_what_was_absent_is_known(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    line = {"item_id": "steel-beams", "unit": "t", "category": None}
    change = {"event_type": "Items_Changed", "event_id": "c", "items": [line]}
    await client.post(EVENTS, json={**change, "items": [{"item_id": "steel-beams", "unit": "t"}]})
    assert_problem(await client.post(EVENTS, json=change), 409)
    stored = digest_of_plain({"event_type": "Items_Changed", "items": [{"item_id": "steel-beams", "unit": "t"}]})
    await rows(resources, f"UPDATE events SET body_hash = '{stored}' RETURNING 1")
    assert (await client.post(EVENTS, json=change)).status_code == 200
    assert_problem(await client.post(EVENTS, json={**change, "items": [{**line, "unit": "kg"}]}), 409)


async def test_who_sent_an_event_is_shown_and_nobody_takes_its_id(
    keyed: httpx.AsyncClient, resources: Resources
) -> None:
    await keyed.post(EVENTS, json=APPROVED, headers=bearer(SENDER))
    taken = await keyed.post(EVENTS, json={**APPROVED, "item": "HVAC Units"}, headers=bearer(ADMIN))
    assert_problem(taken, 409, "another body")
    erp = {"type": "automated_rule", "id": "erp", "name": "ERP", "via": "key"}
    (listed,) = (await keyed.get(EVENTS, headers=bearer(READER))).json()["data"]
    assert listed["sent_by"] == erp
    assert (await keyed.get(f"{EVENTS}/docs-311", headers=bearer(READER))).json()["sent_by"] == erp
    await rows(resources, "UPDATE events SET sent_by = NULL RETURNING 1")
    assert (await keyed.get(f"{EVENTS}/docs-311", headers=bearer(READER))).json()["sent_by"] is None


async def test_the_same_event_posted_50_times_at_once_is_stored_once(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    responses = await asyncio.gather(*(client.post(EVENTS, json=APPROVED) for _ in range(50)))
    assert Counter(response.status_code for response in responses) == {202: 1, 200: 49}
    assert {response.json()["seq"] for response in responses} == {1}
    assert await count(resources, "events") == 1


async def test_200_concurrent_posts_get_consecutive_numbers_and_share_one_waiting_drain_job(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    responses = await asyncio.gather(
        *(client.post(EVENTS, json={**APPROVED, "event_id": f"e{number}"}) for number in range(200))
    )
    assert {response.status_code for response in responses} == {202}
    assert sorted(response.json()["seq"] for response in responses) == list(range(1, 201))
    jobs = await rows(resources, "SELECT lock, queueing_lock FROM procrastinate_jobs WHERE status = 'todo'")
    assert jobs == [{"lock": BUILDING, "queueing_lock": BUILDING}]


async def test_a_cloud_event_is_the_same_thing(client: httpx.AsyncClient) -> None:
    envelope = {
        "specversion": "1.0",
        "id": "s-1",
        "source": "/logistics",
        "type": "Shipment_Departed_Factory",
        "time": "2026-02-03T09:00:00Z",
        "subject": "passed over",
        "data": {key: value for key, value in DEPARTED.items() if key != "event_type"},
    }
    headers = {"content-type": "application/cloudevents+json; charset=utf-8"}
    response = await client.post(EVENTS, content=json.dumps(envelope), headers=headers)
    assert response.status_code == 202
    shown = (await client.get(f"{EVENTS}/s-1", params={"source": "/logistics"})).json()
    assert shown["body"] == {**DEPARTED, "occurred_at": "2026-02-03T09:00:00Z"}
    data = {**envelope["data"], "eta": "soon"}  # type: ignore[dict-item]
    wrong = await client.post(EVENTS, content=json.dumps({**envelope, "data": data}), headers=headers)
    assert assert_problem(wrong, 422)["errors"][0]["field"] == "data.eta"
    unknown = await client.post(EVENTS, content=json.dumps({**envelope, "type": "Nope"}), headers=headers)
    assert assert_problem(unknown, 422)["errors"][0]["field"] == "type"


async def test_an_event_is_taken_back_once_under_an_id_that_follows_from_its_own(client: httpx.AsyncClient) -> None:
    await client.post(EVENTS, json=APPROVED)
    void = {"event_type": "Event_Voided", "source": "docs", "event_id": "docs-311", "reason": "Wrong file."}
    first = await client.post(EVENTS, json=void)
    assert (first.status_code, first.json()["event_id"]) == (202, "void:docs-311")
    assert (await client.post(EVENTS, json=void)).status_code == 200
    shown = (await client.get(f"{EVENTS}/void:docs-311")).json()
    assert shown["body"] == void
    assert_problem(await client.post(EVENTS, json={**void, "reason": "Another."}), 409)
    for missing in ("source", "event_id", "reason"):
        body = {key: value for key, value in void.items() if key != missing}
        assert assert_problem(await client.post(EVENTS, json=body), 422)["errors"][0]["field"] == missing


async def test_as_a_cloud_event_it_names_the_other_event_in_its_data(client: httpx.AsyncClient) -> None:
    cloud = {"specversion": "1.0", "id": "v-1", "source": "gate", "type": "Event_Voided"}
    headers = {"content-type": "application/cloudevents+json"}
    data = {"source": "docs", "event_id": "docs-311", "reason": "Wrong file."}
    sent = await client.post(EVENTS, content=json.dumps({**cloud, "data": data}), headers=headers)
    assert (sent.status_code, sent.json()["event_id"]) == (202, "v-1")
    shown = (await client.get(f"{EVENTS}/v-1?source=gate")).json()
    assert shown["body"] == {**data, "event_type": "Event_Voided"}
    nameless = json.dumps({**cloud, "id": "v-2", "data": {"reason": "Wrong file."}})
    refused = await client.post(EVENTS, content=nameless, headers=headers)
    assert assert_problem(refused, 422)["errors"][0]["field"] == "data.event_id"


@pytest.mark.parametrize("quantity", ["-4", -4, "0", "1000000001", "1.0000001"])
async def test_a_quantity_that_cannot_be_is_refused_at_both_doors(client: httpx.AsyncClient, quantity: Any) -> None:
    told = assert_problem(await client.post(EVENTS, json={**DEPARTED, "quantity": quantity}), 422)
    assert told["errors"][0]["field"] == "quantity"
    assert ("Event_Voided" in told["errors"][0]["message"]) == str(quantity).startswith("-")
    data = {**{key: value for key, value in DEPARTED.items() if key != "event_type"}, "quantity": quantity}
    cloud = {"specversion": "1.0", "id": "q", "source": "s", "type": DEPARTED["event_type"], "data": data}
    headers = {"content-type": "application/cloudevents+json"}
    told = assert_problem(await client.post(EVENTS, content=json.dumps(cloud), headers=headers), 422)
    assert told["errors"][0]["field"] == "data.quantity"


async def test_an_id_that_two_sources_sent_is_ambiguous_without_its_source(client: httpx.AsyncClient) -> None:
    await client.post(EVENTS, json={**APPROVED, "source": "a"})
    await client.post(EVENTS, json={**APPROVED, "source": "b"})
    problem = assert_problem(await client.get(f"{EVENTS}/docs-311"), 409, "source")
    assert problem["sources"] == ["a", "b"]
    assert (await client.get(f"{EVENTS}/docs-311?source=b")).json()["seq"] == 2
    assert_problem(await client.get(f"{EVENTS}/docs-311?source=c"), 404)
    assert_problem(await client.get(f"{EVENTS}/no-such"), 404, "no-such")


async def test_an_id_with_slashes_and_spaces_can_be_read_back(client: httpx.AsyncClient) -> None:
    await client.post(EVENTS, json={**APPROVED, "event_id": "po/17 b"})
    assert (await client.get(f"{EVENTS}/po%2F17%20b")).json()["event_id"] == "po/17 b"


@pytest.mark.parametrize(
    ("event", "field", "words"),
    [
        ({**APPROVED, "event_type": "Coffee_Spilled"}, "event_type", "Shipment_Arrived_Site"),
        ({**APPROVED, "event_type": "Decision"}, "event_type", "only Longlead"),
        ({**APPROVED, "event_type": "Milestone_Overdue"}, "event_type", "only Longlead"),
        ({**APPROVED, "event_type": 7}, "event_type", "7"),
        ({"item": "Steel Beams"}, "event_type", "is required"),
        ({"event_type": "Submittal_Approved", "item": "Steel Beams"}, "document_url", "is required"),
        ({**APPROVED, "itme": "x"}, "itme", "not a known field"),
        ({**APPROVED, "item": 5}, "item", "string"),
        ({**APPROVED, "item": " "}, "item", "at least 1"),
        ({**APPROVED, "quantity": "many"}, "quantity", "decimal"),
        ({**APPROVED, "quantity": 0}, "quantity", "greater than 0"),
        ({**APPROVED, "item": "Steel\x00Beams"}, "item", "NUL"),
        ({**APPROVED, "event_id": "\x00"}, "event_id", "NUL"),
        ({**APPROVED, "source": "longlead.decision"}, "source", "Longlead's own"),
        ({**APPROVED, "source": "  LongLead"}, "source", "Longlead's own"),
        ({**DEPARTED, "eta": "2026-02-30"}, "eta", "date that exists"),
        ({**DEPARTED, "eta": 20260210}, "eta", "ISO date"),
        ({**DEPARTED, "eta": "0001-01-01"}, "eta", "1900 to 2200"),
        ({**DEPARTED, "occurred_at": "9999-12-31T23:59:59-10:00"}, "occurred_at", "1900 to 2200"),
        (["not", "an", "object"], "body", "object"),
        ({"event_type": "Items_Changed", "items": [{"item_id": "a", "buffer_days": -1}]}, "items.0.buffer_days", ""),
        (
            {"event_type": "Items_Changed", "items": [{"item_id": "a", "name": None}]},
            "items.0.name",
            "cannot be cleared",
        ),
        (
            {"event_type": "Items_Changed", "items": [{"item_id": "a", "clear": ["name"]}]},
            "items.0.clear.0",
            "vendor_id",
        ),
        (
            {"event_type": "Items_Changed", "items": [{"item_id": "a", "unit": "t", "clear": ["unit"]}]},
            "items.0",
            "unit",
        ),
    ],
)
async def test_a_wrong_event_is_refused_with_its_field_and_nothing_is_stored(
    client: httpx.AsyncClient, resources: Resources, event: Any, field: str, words: str
) -> None:
    problem = assert_problem(await client.post(EVENTS, json=event), 422, field, words)
    assert problem["errors"][0]["field"] == field
    assert await count(resources, "events") == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"event_type": "Human_Input", "text": "\\ud800"}',
        b'{"event_type": "Human_Input", "text": "\xff"}',
        b"[" * 40_000,
        b"event_type=Human_Input",
    ],
)
async def test_a_text_that_is_no_json_is_refused_and_nothing_is_stored(
    client: httpx.AsyncClient, resources: Resources, raw: bytes
) -> None:
    assert_problem(await client.post(EVENTS, content=raw), 422, "body", "JSON")
    assert await count(resources, "events") == 0


async def test_emoji_are_kept(client: httpx.AsyncClient) -> None:
    note = {"event_type": "Human_Input", "event_id": "n", "text": "Dach fertig 🎉"}
    assert (await client.post(EVENTS, json=note)).status_code == 202
    assert (await client.get(f"{EVENTS}/n")).json()["body"]["text"] == "Dach fertig 🎉"


async def test_a_body_over_50_000_bytes_is_refused_and_nothing_is_stored(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    event = {**APPROVED, "document_url": "u" * 60_000}
    assert_problem(await client.post(EVENTS, json=event), 413, "50000")
    assert await count(resources, "events") == 0


async def test_a_body_that_does_not_announce_its_size_is_cut_off_at_the_limit(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield b" " * 10_000

    assert_problem(await client.post(EVENTS, content=endless()), 413, "50000")
    assert sent <= 70_000


async def test_who_prefers_to_wait_gets_the_whole_event_once_it_is_done(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    worker = asyncio.create_task(finish_first_event(resources, {"said": 1}))
    response = await client.post(EVENTS, json=APPROVED, headers={"Prefer": "respond-async, wait=10"})
    await worker
    assert response.status_code == 200
    assert response.headers["preference-applied"] == "wait"
    assert (response.json()["status"], response.json()["outcome"]) == ("done", {"said": 1})


async def test_who_waits_in_vain_is_answered_that_it_is_stored(client: httpx.AsyncClient) -> None:
    response = await client.post(EVENTS, json=APPROVED, headers={"Prefer": "wait=1"})
    assert response.status_code == 202
    assert response.json()["status"] == "queued"
    assert "preference-applied" not in response.headers


async def test_waiting_callers_hold_no_connection(client: httpx.AsyncClient) -> None:
    waiting = [
        asyncio.create_task(
            client.post(EVENTS, json={**APPROVED, "event_id": str(number)}, headers={"Prefer": "wait=2"})
        )
        for number in range(40)
    ]
    await asyncio.sleep(0.5)
    started = asyncio.get_running_loop().time()
    assert (await client.get("/buildings")).status_code == 200
    assert asyncio.get_running_loop().time() - started < 1
    assert {response.status_code for response in await asyncio.gather(*waiting)} == {202}


async def test_events_are_listed_in_order_and_by_status(client: httpx.AsyncClient, resources: Resources) -> None:
    for number in range(5):
        await client.post(EVENTS, json={**APPROVED, "event_id": f"e{number}"})
    await rows(resources, "UPDATE events SET status = 'done' WHERE seq IN (2, 4) RETURNING 1")
    first = (await client.get(EVENTS, params={"limit": 2})).json()
    rest = (await client.get(EVENTS, params={"cursor": first["next_cursor"]})).json()
    assert [event["seq"] for event in first["data"] + rest["data"]] == [1, 2, 3, 4, 5]
    done = (await client.get(EVENTS, params={"status": "done"})).json()["data"]
    assert [event["seq"] for event in done] == [2, 4]
    assert_problem(await client.get(EVENTS, params={"status": "lost"}), 422, "status")


async def test_a_dead_event_is_queued_again_as_a_new_generation_and_the_building_woken(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await client.post(EVENTS, json=APPROVED)
    assert_problem(await client.post(f"{EVENTS}/docs-311/retry"), 409, "queued")
    await rows(
        resources,
        "UPDATE events SET status = 'dead', failures = 5, attempts = 6, error = 'boom', not_before = now() RETURNING 1",
    )
    await rows(resources, "DELETE FROM procrastinate_jobs RETURNING 1")
    retried = await client.post(f"{EVENTS}/docs-311/retry", params={"source": "docs"})
    assert retried.status_code == 202
    assert retried.json() == {"event_id": "docs-311", "seq": 1, "status": "queued", "generation": 1}
    shown = (await client.get(f"{EVENTS}/docs-311")).json()
    assert [shown[field] for field in ("failures", "attempts", "error", "not_before")] == [0, 0, None, None]
    assert await count(resources, "procrastinate_jobs") == 1
    assert_problem(await client.post(f"{EVENTS}/no-such/retry"), 404)


async def test_a_closed_building_accepts_nothing_more(client: httpx.AsyncClient, resources: Resources) -> None:
    await rows(resources, "UPDATE buildings SET status = 'closed' RETURNING 1")
    assert_problem(await client.post(EVENTS, json=APPROVED), 409, "closed")
