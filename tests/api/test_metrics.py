"""The figures say what happened and what waits, and cost the same however long the inbox has become."""

import re
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.resources import Resources
from storage.health import LATENCY_BOUNDS, latencies, snapshot
from tests.api.office import APPROVED, BUILDING, EVENTS, raise_approval, rows

ENTRIES = """
INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at, status)
SELECT '{building}', n, 'erp', 'b' || n, 'Human_Input', '{{}}', '', now(), '{status}'
  FROM generate_series({first}, {last}) n RETURNING seq"""
START = """
UPDATE events SET status = 'running', started_at = received_at + interval '1 s' WHERE event_type = '{}' RETURNING 1"""
FINISH = """
UPDATE events SET status = '{}', failures = failures + {}, finished_at = received_at + interval '3 s'
 WHERE event_type = '{}' RETURNING 1"""
PROMETHEUS = re.compile(r"longlead_[a-z_]+")


@pytest.fixture(autouse=True)
def _counted_at_every_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.figures.FRESH_S", 0.0)


async def scrape(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    response = await client.get("/metrics")
    assert response.status_code == 200
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_what_ended_is_counted_with_its_latency(
    client: httpx.AsyncClient, resources: Resources, building: dict[str, Any]
) -> None:
    await client.post(EVENTS, json=APPROVED)
    kind = APPROVED["event_type"]
    for status, failed in (("queued", 1), ("done", 0)):
        await rows(resources, START.format(kind))
        await rows(resources, FINISH.format(status, failed, kind))
    samples = await scrape(client)
    assert samples["longlead_event_retries_total", kind] == 1
    assert samples["longlead_events_ended_total", kind, "done"] == 1
    assert samples["longlead_event_latency_seconds_sum", kind] == 3
    assert samples["longlead_event_latency_seconds_bucket", kind, "2.5"] == 0
    assert samples["longlead_event_latency_seconds_bucket", kind, "5.0"] == 1
    assert samples["longlead_event_processing_seconds_bucket", kind, "2.5"] == 1
    assert samples["longlead_event_processing_seconds_count", kind] == 1
    assert samples["longlead_backlog_events",] == 0


async def test_a_dead_event_and_its_retry_are_both_told(
    client: httpx.AsyncClient, resources: Resources, building: dict[str, Any]
) -> None:
    await client.post(EVENTS, json=APPROVED)
    kind = APPROVED["event_type"]
    await rows(resources, START.format(kind))
    await rows(resources, FINISH.format("dead", 1, kind))
    assert (await scrape(client))["longlead_events", kind, "dead"] == 1
    await client.post(f"{EVENTS}/{APPROVED['event_id']}/retry")
    samples = await scrape(client)
    assert ("longlead_events", kind, "dead") not in samples
    assert samples["longlead_events", kind, "queued"] == 1
    assert samples["longlead_events_ended_total", kind, "dead"] == 1, "a counter never goes back"


async def test_open_and_overdue_questions_are_told_by_kind(
    client: httpx.AsyncClient, resources: Resources, building: dict[str, Any]
) -> None:
    now = resources.clock.now()
    await raise_approval(resources, due_at=now - timedelta(hours=1))
    await raise_approval(resources, number=1, item="steel-beams", due_at=now + timedelta(hours=1))
    samples = await scrape(client)
    assert samples["longlead_approvals_open", "inspection_failed"] == 2
    assert samples["longlead_approvals_overdue", "inspection_failed"] == 1


async def test_no_plan_of_a_scrape_reads_the_inbox(resources: Resources, building: dict[str, Any]) -> None:
    await rows(resources, ENTRIES.format(building=BUILDING, status="done", first=1, last=50_000))
    await rows(resources, ENTRIES.format(building=BUILDING, status="queued", first=50_001, last=50_100))
    async with resources.pool.connection() as conn:
        await conn.execute("ANALYZE events")
        begun = time.perf_counter()
        counted = await snapshot(conn, 30, resources.clock.now())
        await latencies(conn)
        took = time.perf_counter() - begun
        read = await (await conn.execute("SELECT pg_stat_clear_snapshot(), pg_stat_force_next_flush()")).fetchall()
        assert read
        used = await (
            await conn.execute(
                "SELECT coalesce(seq_tup_read, 0) AS n FROM pg_stat_user_tables WHERE relname = 'events'"
            )
        ).fetchone()
    assert counted.events_with("queued") == 100
    assert used is not None
    assert used["n"] < 50_000, "the whole inbox was read"
    assert took < 0.5


async def test_the_bounds_are_those_of_the_trigger(resources: Resources) -> None:
    (row,) = await rows(resources, "SELECT prosrc FROM pg_proc WHERE proname = 'longlead_count_ended'")
    (bounds,) = re.findall(r"bounds CONSTANT double precision\[\] := '{([^}]*)}'", row["prosrc"])
    assert tuple(map(float, bounds.split(","))) == LATENCY_BOUNDS


async def test_names_follow_the_conventions(client: httpx.AsyncClient) -> None:
    text = (await client.get("/metrics")).text
    for family in text_string_to_metric_families(text):
        if family.name.startswith("longlead_"):
            assert PROMETHEUS.fullmatch(family.name)
            assert family.documentation
            assert not family.name.endswith(("_ms", "_millis", "_count"))


async def test_a_scrape_soon_after_another_counts_nothing_anew(
    client: httpx.AsyncClient, building: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.figures.FRESH_S", 60.0)
    assert (await scrape(client))["longlead_backlog_events",] == 0
    await client.post(EVENTS, json=APPROVED)
    assert (await scrape(client))["longlead_backlog_events",] == 0
