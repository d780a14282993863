"""A worker that is killed while a model thinks: the next one asks again, and the mail is taken in once."""

import asyncio
import json

import pytest

from storage.database import connect
from tests.durability.crew import all_rows, open_building, post, until_nothing_is_open, worker_process
from tests.models.conftest import ITEMS, VENDORS
from tests.models.scripted import ScriptedServer, completion
from tests.models.test_hostile import GOOD, SENT

CALLS = "SELECT outcome, input_tokens, output_tokens FROM model_calls WHERE seq = 2"


@pytest.mark.slow
async def test_a_process_killed_in_the_middle_of_a_call_has_the_mail_taken_in_once(
    models: ScriptedServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", models.settings().openai_base_url)
    monkeypatch.setenv("LONGLEAD_MODELS_READER", "reader")
    said = completion(json.dumps(GOOD))
    slow = completion(json.dumps(GOOD))
    slow.after_s = 60
    models.scripts["reader"] = lambda _: slow if models.asked_of("reader") == 1 else said
    conn = await connect(database, application_name="killed")
    try:
        await open_building(conn, "office", "Steel Beams", items=ITEMS, vendors=VENDORS)
        document = {"document_url": "https://docs.example/s.pdf", "document_name": "Submittal"}
        await post(conn, "office", "s", "Submittal_Approved", item="Steel Beams", **document)
        await post(conn, "office", "m", "Message_Received", **SENT)
        with worker_process(database) as process:
            await asyncio.to_thread(models.wait_for, 1)
            process.kill()
            process.wait()
        with worker_process(database):
            await until_nothing_is_open(conn, within=60)
        taken_in = await all_rows(conn, "SELECT seq FROM actions WHERE action = 'restate_event'")
        assert [row["seq"] for row in taken_in] == [2]
        assert models.asked_of("reader") == 2
        assert await all_rows(conn, CALLS) == [{"outcome": "answered", "input_tokens": 100, "output_tokens": 20}]
        (event,) = await all_rows(conn, "SELECT status, attempts FROM events WHERE event_id = 'm'")
        assert event == {"status": "done", "attempts": 2}
    finally:
        await conn.close()
