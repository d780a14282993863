"""Logs are structured, name the entry and the step they belong to, and never hold a secret; nor does an error body."""

import contextlib
import io
import json
import logging
import sys
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import structlog
from fastapi import APIRouter

import graph.building
from api.app import create_app
from domain.errors import ConfigurationError
from runtime.clock import SystemClock
from runtime.drain import Drainer
from runtime.logs import set_up_logs
from runtime.redaction import Redaction
from runtime.resources import Resources
from runtime.settings import ApiKey, Settings, load_settings
from storage.database import open_pool
from tests.agent.desk import Desk

KEY = "key-5f1e77aa90c2d3b4"
OWN_KEY = "own-0a9b8c7d6e5f4a3b"
PASSWORD = "tr0ub4dor&3 'x'"
DATABASE = "postgresql://agent:tr0ub4dor%263%20%27x%27@127.0.0.1:1/longlead"
WEBHOOK = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
MAIL = "mailtos://longlead:m41lb0x@mail.example"
SECRETS = (KEY, OWN_KEY, "tr0ub4dor", "c2VjcmV0LXNlY3Jl", "m41lb0x")
CHANNELS = json.dumps({"pm": [MAIL, {"webhook": "https://hooks.example/in", "secret": WEBHOOK}]})


@pytest.fixture
def settings() -> Settings:
    keys = [ApiKey(key=KEY, id="pm", name="Project manager", roles=["admin"])]
    return Settings(database_url=DATABASE, api_keys=keys, api_key=OWN_KEY, channels=CHANNELS)  # type: ignore[arg-type]


@pytest.fixture
def lines(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to standard error, with the logs set up as in a service."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    set_up_logs(settings)
    return written


def parsed(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


async def test_what_a_step_logs_names_the_entry_and_the_step(
    lines: io.StringIO, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_note(_: Any, state: Any) -> dict[str, Any]:
        structlog.get_logger().info("noted")
        logging.getLogger("some.library").warning("by a library")
        return {}

    handlers = [take_note if step.__name__ == "take_note" else step for step in graph.building.STEPS]
    monkeypatch.setattr(graph.building, "STEPS", tuple(handlers))
    await desk.open()
    event_id = await desk.post("Human_Input", text="The crane is booked.")
    named = {"building": "office", "seq": 1, "event_id": event_id, "type": "Human_Input", "step": "take_note"}
    found = [line for line in parsed(lines) if line["event"] in ("noted", "by a library")]
    assert len(found) == 2
    for line in found:
        assert named.items() <= line.items()
    assert structlog.contextvars.get_contextvars() == {}


async def test_what_fails_is_logged_with_its_entry_and_without_the_password(
    lines: io.StringIO, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_note(_: Any, state: Any) -> dict[str, Any]:
        raise RuntimeError(f"could not use {DATABASE}")

    handlers = [take_note if step.__name__ == "take_note" else step for step in graph.building.STEPS]
    monkeypatch.setattr(graph.building, "STEPS", tuple(handlers))
    await desk.open()
    await desk.post("Human_Input", text="The crane is booked.")
    (line,) = [line for line in parsed(lines) if line["event"] == "event failed"]
    assert (line["building"], line["seq"], line["type"]) == ("office", 1, "Human_Input")
    assert "RuntimeError" in line["exception"]
    assert "take_note" in line["exception"]
    assert "tr0ub4dor" not in lines.getvalue()


async def test_what_is_kept_of_a_failure_and_told_of_it_holds_no_secret(
    settings: Settings, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is read over REST, and its words go into a question, into messages and into traces."""

    async def take_note(_: Any, state: Any) -> dict[str, Any]:
        raise RuntimeError(f"could not use {DATABASE} with {KEY}")

    handlers = [take_note if step.__name__ == "take_note" else step for step in graph.building.STEPS]
    monkeypatch.setattr(graph.building, "STEPS", tuple(handlers))
    desk.drainer = Drainer(settings, desk.clock, desk.drainer.slots, desk.drainer.stopping)
    settings.event_attempts = 1
    await desk.open()
    event_id = await desk.post("Human_Input", text="The crane is booked.")
    await desk.question("event_failed")
    for table in ("events", "approvals", "outbox", "changes", "actions"):
        rows = await (await desk.conn.execute(f"SELECT to_jsonb(t)::text AS row FROM {table} t")).fetchall()
        assert not [row for row in rows for secret in SECRETS if secret in row["row"]], table
    assert "could not use postgresql://" in (await desk.event(event_id))["error"]


FORMS = (
    DATABASE,
    f"host=db password='{PASSWORD}' user=agent",
    f"conninfo: {PASSWORD!r}",
    json.dumps({"password": PASSWORD, "authorization": f"Bearer {KEY}"}),
    f"X-API-Key: {OWN_KEY}",
    f"signed with {WEBHOOK}",
    f"sent by {MAIL}",
)


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("console", [False, True])
def test_no_form_of_a_secret_reaches_a_line(
    text: str, console: bool, settings: Settings, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.log_format = "console" if console else "json"
    monkeypatch.setattr(sys, "stderr", lines)
    set_up_logs(settings)
    structlog.get_logger().info(text, given=text, within={"deep": [text]})
    logging.getLogger("library").warning("trouble with %s", text)
    try:
        raise psycopg.OperationalError(text)
    except psycopg.Error:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed")
    written = lines.getvalue()
    assert written.count("redacted") >= 5
    for secret in SECRETS:
        assert secret not in written


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql://other:s3cret!@db/longlead", "s3cret"),
        ("host=db password=s3cret!x user=agent", "s3cret"),
        ("host=db password='s3 c\\'ret' user=agent", "ret"),
        ('{"password": "s3cret"}', "s3cret"),
        ("Authorization: Bearer s3cret-s3cret-s3cret", "s3cret"),
        ("whsec_czNjcmV0czNjcmV0", "czNj"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_though_no_setting_holds_it(text: str, hidden: str) -> None:
    told = Redaction(Settings())(text)
    assert hidden not in told
    assert "[redacted]" in told


def test_the_secret_of_a_key_that_was_read_later_is_hidden_and_the_old_one_stays_so(settings: Settings) -> None:
    hide = Redaction(settings)
    assert KEY not in hide(f"sent {KEY}")
    later = "a-later-key-0123456789"
    settings.api_keys = [ApiKey(key=later, id="pm", name="Project manager", roles=["admin"])]
    told = hide(f"sent {KEY} and {later}")
    assert KEY not in told
    assert later not in told


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000/buildings?page=a@b",
        "the password is missing",
        "3 events, 12 tokens, key=office.7.notify_team",
        '{"event": "message", "to": "pm@office.example", "key": "office.1.2"}',
    ],
)
def test_ordinary_text_stays_as_it_is(text: str, settings: Settings) -> None:
    assert Redaction(settings)(text) == text


async def test_no_error_body_holds_a_secret(lines: io.StringIO, settings: Settings) -> None:
    pool = open_pool(DATABASE, max_size=1, name="gone")
    await pool.open()
    app, broken = create_app(Resources(settings, DATABASE, pool, SystemClock())), APIRouter()

    @broken.get("/broken")
    async def fail() -> None:
        raise RuntimeError(f"{DATABASE} {KEY} {WEBHOOK}")

    @broken.get("/away")
    async def away() -> None:
        raise psycopg.OperationalError(f"connection failed: {DATABASE}")

    app.include_router(broken)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=headers
    ) as client:
        bodies = [(await client.get(path)).text for path in ("/broken", "/away", "/nowhere", "/readyz")]
        bodies.append((await client.get("/buildings", headers={"Authorization": "Bearer wrong-" + KEY})).text)
    await pool.close()
    for text in (*bodies, lines.getvalue()):
        for secret in SECRETS:
            assert secret not in text


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter 2secret@h/db", "postgresql://u:h%unter2@h/db", "mysql://u:hunter2@h/db"]
)
def test_a_database_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="LONGLEAD_DATABASE_URL") as caught:
        load_settings(database_url=url)
    assert "unter" not in caught.value.detail


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full, a file on a disk that is full")
def test_a_log_whose_disk_is_full_stops_nobody(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "w", buffering=1)  # noqa: SIM115 - closing it fails, as it should
    monkeypatch.setattr(sys, "stderr", full)
    set_up_logs(settings)
    for _ in range(3):
        structlog.get_logger().warning("not written", exc_info=RuntimeError("nor this"))
        logging.getLogger("a.library").error("nor this")
    with contextlib.suppress(OSError):
        full.close()
