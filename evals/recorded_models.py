"""Recorded answers in the place of a language model: what a scenario says it answered, in order."""

import json
from contextvars import ContextVar
from typing import Self

from pydantic import Field, model_validator

from domain.buildings import Strict
from domain.plain_json import JsonObject
from tools.models import Completion, ModelAbstained, ModelRequest, Output, Reason, Worker


class ModelAnswer(Strict):
    """What a model answered once, or why it did not."""

    worker: Worker = Field("reader", description="reader, adviser or summariser.")
    tier: int = Field(0, ge=0, le=2, description="From cheap to strong, 0 the cheapest.")
    answer: JsonObject | None = Field(None, description="In the shape that was asked for.")
    text: str | None = Field(None, description="In place of it: what is no such answer, word for word.")
    abstains: Reason | None = Field(None, description="In place of it: why there was none.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.answer, self.text, self.abstains)) != 1:
            raise ValueError("a model's answer is one of answer, text and abstains")
        return self


_waiting: ContextVar[list[ModelAnswer]] = ContextVar("the scenario's answers that were not given yet")


def lay_out(answers: list[ModelAnswer]) -> None:
    """Lay the answers of the scenario out, in whose task this is called."""
    _waiting.set(list(answers))


def left_over() -> list[ModelAnswer]:
    """Answers that nobody has asked for."""
    return _waiting.get([])


class RecordedModels:
    """Gives the next recorded answer of the worker and tier that is asked; without one the tier abstains."""

    tiers: tuple[str, ...] = ("recorded-0", "recorded-1", "recorded-2")

    async def complete(self, request: ModelRequest[Output]) -> Completion:
        waiting = _waiting.get([])
        wanted = (request.worker, request.tier)
        found = next((answer for answer in waiting if (answer.worker, answer.tier) == wanted), None)
        if found is None:
            raise ModelAbstained("no_tier", "the scenario has no answer recorded for this")
        waiting.remove(found)
        if found.abstains is not None:
            raise ModelAbstained(found.abstains, "as recorded")
        text = json.dumps(found.answer) if found.text is None else found.text
        return Completion(text, model=self.tiers[request.tier])
