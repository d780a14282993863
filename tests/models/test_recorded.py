"""Forty mails and forty replies, read by a real model whose answers are on file: whatever it reads, nothing wrong is
carried out. `make test-live` asks the model that OPENAI_BASE_URL names instead."""

from collections.abc import AsyncIterator

import pytest

from domain.reading import MailReading
from evals.reading.cases import counted, mails, replies
from evals.reading.recorded import CASSETTES, replayed
from evals.reading.run import play_mail, play_reply
from runtime.chat_models import open_chat_models
from runtime.settings import Settings, load_settings
from tools.models import ModelAbstained, ModelAccess, ModelRequest


async def test_of_all_mails_nothing_wrong_is_taken_in(database: str) -> None:
    async with replayed("mails") as models:
        results = [await play_mail(database, models, case) for case in mails()]
    assert [result for result in results if result.outcome == "wrong"] == []
    sums = counted(results)
    assert sums["cases"] >= 40
    assert sums["right"] >= 6, "the recorded model reads these well enough to be taken in alone"


async def test_of_all_replies_nothing_wrong_is_carried_out(database: str) -> None:
    async with replayed("replies") as models:
        results = [await play_reply(database, models, case) for case in replies()]
    assert [result for result in results if result.outcome == "wrong"] == []
    sums = counted(results)
    assert sums["cases"] >= 40
    assert sums["right"] >= 12


async def test_a_question_that_was_not_recorded_reaches_no_server() -> None:
    async with replayed("mails") as models:
        with pytest.raises(ModelAbstained, match=r"unreachable|invalid"):
            await models.complete(ModelRequest("reader", 0, "system", "never asked", MailReading))


@pytest.mark.parametrize("name", ["mails", "replies"])
def test_what_is_on_file_holds_no_key_and_no_address(name: str) -> None:
    text = (CASSETTES / f"{name}.yaml").read_text(encoding="utf-8")
    assert "uthorization" not in text
    assert "Bearer" not in text
    assert {line.split()[-1] for line in text.splitlines() if line.lstrip().startswith("uri:")} == {
        "http://127.0.0.1/v1/chat/completions"
    }


@pytest.fixture
async def live() -> AsyncIterator[ModelAccess]:
    """The model that the environment names."""
    settings: Settings = load_settings()
    async with open_chat_models(settings) as models:
        yield models


@pytest.mark.live
async def test_a_live_model_does_nothing_wrong_either(database: str, live: ModelAccess) -> None:
    results = [await play_mail(database, live, case) for case in mails()[:8]]
    results += [await play_reply(database, live, case) for case in replies()[:8]]
    assert [result for result in results if result.outcome == "wrong"] == []
