"""The language models of a process: opened once where any are configured, and nothing loaded where none are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.settings import Settings
from tools.models import ModelAccess, ModelBudget


@asynccontextmanager
async def open_models(settings: Settings) -> AsyncIterator[ModelAccess | None]:
    """What the settings name; None where they name nothing. LangChain's client takes a second to load."""
    if not settings.has_models:
        yield None
        return
    from runtime.chat_models import open_chat_models

    async with open_chat_models(settings) as models:
        yield models


def budget_of(settings: Settings) -> ModelBudget:
    return ModelBudget(settings.model_tokens_per_day, settings.model_cost_per_day)
