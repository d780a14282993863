"""`longlead db prune`, `longlead status` and the worker's figures, on a database that no service uses."""

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from runtime.clock import SystemClock
from runtime.figures import shown_figures
from runtime.resources import Resources
from runtime.settings import Settings
from storage.database import open_pool
from tests.retention.archive import Archive
from tests.retention.test_threads import SCHEDULE

JOB = """
WITH worker AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)
INSERT INTO procrastinate_jobs (queue_name, task_name, status, lock, worker_id)
SELECT 'drain', 'drain', 'doing', 'office', id FROM worker"""
DIED = "UPDATE events SET status = 'dead', error = 'no vendor', finished_at = now() WHERE seq = 2"
RUNS = "UPDATE events SET status = 'running', started_at = now() WHERE seq = 3"
LOST = """
INSERT INTO outbox (building_id, key, channel, recipient, subject, payload, status, error, created_at)
VALUES ('office', 'k', 'mail', 'pm@office.example', 'A question', '{}', 'dead', 'mailbox unknown', now())"""


async def longlead(database: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    """Run a command beside the test's own loop."""
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    monkeypatch.setenv("COLUMNS", "200")
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_prune_says_what_it_deleted(archive: Archive, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = archive.desk("office")
    await desk.open(schedule=SCHEDULE)
    await desk.post("Human_Input", text="Note.")
    await archive.add_past(desk, 50, datetime.now(UTC) - timedelta(days=100))
    told = await longlead(database, monkeypatch, "db", "prune", "--events", "10", "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert (found["threads"], found["skipped"]) == (1, 0)
    assert found["deleted"]["checkpoints"]["rows"] > 200
    assert found["deleted"]["checkpoint_blobs"]["bytes"] > 10_000
    assert {"facts", "lots", "nonconformances", "changes"} <= set(found["kept"])
    assert all(one["bytes"] > 0 for one in found["kept"].values())
    again = await longlead(database, monkeypatch, "db", "prune", "--events", "2")
    assert "checkpoint_writes" in again.stdout
    assert "1 threads in" in again.stdout
    assert "nonconformances" in again.stdout, "what is never deleted is shown with its size"
    third = await longlead(database, monkeypatch, "db", "prune", "--events", "2")
    assert "There was nothing to delete." in third.stdout


async def test_status_names_workers_and_what_is_stuck(
    archive: Archive, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = archive.desk("office")
    await desk.open(schedule=SCHEDULE)
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11")
    for _ in range(2):
        await desk.post("Human_Input", text="Note.", run=False)
    for statement in (DIED, RUNS, LOST, "DELETE FROM procrastinate_jobs", JOB):
        await archive.conn.execute(statement)
    told = (await longlead(database, monkeypatch, "status")).stdout
    for words in ("office: Human_Input (no. 3)", "Dead events", "no vendor", "Most waiting", "1 inspection_failed"):
        assert words in told
    assert "mailbox unknown" in told
    found = json.loads((await longlead(database, monkeypatch, "status", "--json")).stdout)
    assert found["workers"] == 1
    assert found["at_work"][0]["seq"] == 3
    assert found["most_waiting"][0]["building_id"] == "office"
    assert found["dead_letters"][0]["error"] == "no vendor"
    assert (found["pending_approvals"], found["overdue_approvals"]) == (1, 1)


async def test_a_database_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = await longlead("postgresql://agent:hunter2@127.0.0.1:1/none", monkeypatch, "status")
    assert (told.exit_code, told.stderr.count("\n")) == (1, 1)
    assert "cannot be reached" in told.stderr
    assert "hunter2" not in told.stderr
    for command in (("status",), ("db", "prune")):
        told = await longlead("", monkeypatch, *command, "--data", str(tmp_path / "none"))
        assert (told.exit_code, "There is no database" in told.stderr) == (1, True)


async def test_a_worker_shows_the_figures_on_a_port_of_its_own(archive: Archive, database: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with open_pool(database, max_size=2, name="worker") as pool, httpx.AsyncClient(trust_env=False) as client:
        settings = Settings(database_url=database, metrics_port=port)
        async with shown_figures(Resources(settings, database, pool, SystemClock())):
            for _ in range(100):
                try:
                    response = await client.get(f"{url}/metrics")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.05)
            assert "longlead_backlog_events 0.0" in response.text
            assert "process_cpu_seconds_total" in response.text
            assert (await client.get(url)).status_code == 404
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/metrics")
