"""Three tests that must fail: each would ask a model that is neither recorded nor of the test's own making, and takes
the refusal as calmly as an agent does. test_recorded.py runs them."""

import pytest

from domain.reading import MailReading
from evals.reading.recorded import replayed
from runtime.chat_models import open_chat_models
from runtime.settings import Settings
from tools.models import ModelAbstained, ModelAccess, ModelRequest


async def _abstains(models: ModelAccess) -> None:
    with pytest.raises(ModelAbstained, match=r"unreachable|invalid"):
        await models.complete(ModelRequest("reader", 0, "system", "never asked", MailReading))


async def test_a_server_of_this_machine_that_the_test_did_not_open() -> None:
    async with open_chat_models(Settings(models=["m"], openai_base_url="http://127.0.0.1:11434/v1")) as models:
        await _abstains(models)


async def test_the_server_that_is_asked_where_none_is_named() -> None:
    async with open_chat_models(Settings(models=["m"])) as models:
        await _abstains(models)


async def test_what_is_not_on_file() -> None:
    async with replayed("mails") as models:
        await _abstains(models)
