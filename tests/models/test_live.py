"""Every path on which a model is asked, live: `make test-live`, against the server that OPENAI_BASE_URL names.

What a model says differs; so what is asserted is what must hold of any: nothing wrong is carried out, answers keep to
the shape that was asked for or the model abstains, and each call is on file and in the totals once.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from domain.reading import MailReading
from evals.reading.cases import MailCase, ReplyCase, counted, mails, replies
from evals.reading.paths import ADVICE, ANSWERS, play_advice, play_summary, play_wording
from evals.reading.recorded import of_worker, only
from evals.reading.run import play_mail, play_reply
from runtime.chat_models import open_chat_models
from runtime.settings import load_settings
from tools.models import Abstained, ModelAccess, ModelRequest, Worker, read_completion

pytestmark = pytest.mark.live
# One of each sort: a plain one, two lines in one, another language, an order to the reader, one that reports nothing.
MAILS = ("new-date", "two-items", "german-delay", "injection-order", "only-a-question")
# A yes with a wish, something else instead, a hold, a question back, another language, an order to the reader.
REPLIES = ("yes-inspect", "use-as-is", "hold-vendor", "when-there", "german-yes", "million")


@asynccontextmanager
async def live(worker: Worker) -> AsyncIterator[ModelAccess]:
    """The models that the environment names for a worker, and none for the others."""
    settings = load_settings()
    named = of_worker(worker, settings)
    assert named, f"LONGLEAD_MODELS or LONGLEAD_MODELS_{worker.upper()} must name a model of OPENAI_BASE_URL"
    async with open_chat_models(only(worker, named, settings)) as models:
        yield models


async def test_the_server_gives_structured_answers_and_says_what_they_took() -> None:
    request = ModelRequest("reader", 0, "List what the mail reports.", "The Windows arrive on 12 March.", MailReading)
    async with live("reader") as models:
        completion = await models.complete(request)
    assert completion.input_tokens > 0
    assert completion.output_tokens > 0
    outcome = read_completion(completion, request)
    assert not isinstance(outcome, Abstained), f"not structured output: {outcome} {completion.text[:500]}"


@pytest.mark.parametrize("case", [case for case in mails() if case.id in MAILS], ids=lambda case: case.id)
async def test_of_a_mail_nothing_wrong_is_taken_in(database: str, case: MailCase) -> None:
    async with live("reader") as models:
        result = await play_mail(database, models, case)
    assert counted([result])["wrong"] == 0, result


@pytest.mark.parametrize("case", [case for case in replies() if case.id in REPLIES], ids=lambda case: case.id)
async def test_of_a_reply_nothing_wrong_is_carried_out(database: str, case: ReplyCase) -> None:
    async with live("reader") as models:
        result = await play_reply(database, models, case)
    assert counted([result])["wrong"] == 0, result


@pytest.mark.parametrize(
    ("worker", "play", "case"),
    [
        *(("adviser", play_advice, case) for case in ADVICE),
        *(("adviser", play_wording, case) for case in ANSWERS),
        ("summariser", play_summary, "notes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_advice_wording_and_summaries_do_no_harm(
    database: str, worker: Worker, play: Callable[..., object], case: str
) -> None:
    async with live(worker) as models:
        path = await play(database, models, case)  # type: ignore[misc]
    assert path.faults == [], path
