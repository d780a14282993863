"""Asking the tiers of a worker one after the other, cheap to strong, until one answers well."""

from collections.abc import AsyncIterator, Sequence

from domain.approvals import Responder
from domain.events import Entry
from tools.context import Toolbox
from tools.models import Abstained, Answered, ModelRequest, Output, Worker, ask_model
from tools.prompts import Layer, compose, without_ids
from tools.provenance import Audience


async def answers(
    toolbox: Toolbox,
    entry: Entry,
    worker: Worker,
    system: str,
    layers: Sequence[Layer],
    output: type[Output],
    *,
    audience: Audience,
    max_tokens: int = 700,
    ordinal: int = 0,
) -> AsyncIterator[Answered[Output] | Abstained]:
    """What each of the worker's tiers says, in order. The caller stops at the first answer that will do. `audience`:
    whom the answer may reach."""
    # A reader's answer is held against the very words of a text, so these stay as they were written.
    told = layers if worker == "reader" else without_ids(layers, entry.building_id)
    prompt = compose(told, audience, toolbox.budgets.total)
    for tier in range(len(toolbox.models.tiers) if toolbox.models else 0):
        request = ModelRequest(worker, tier, system, prompt, output, max_tokens)
        answer = await ask_model(toolbox, entry, request, ordinal)
        if isinstance(answer, Abstained) and answer.reason == "no_tier":
            continue  # this worker has no such tier: nobody was asked
        yield answer
        if isinstance(answer, Abstained) and answer.reason == "over_budget":
            return


def responder_of(answer: Answered[Output]) -> Responder:
    """A model as who decides: by its name."""
    return Responder(type="ai_agent", id=answer.model[:200], name=answer.model[:200])
