"""The answers of a real model on file, as HTTP cassettes: replayed without a network, recorded where one is live."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import vcr  # type: ignore[import-untyped]

from runtime.chat_models import open_chat_models
from runtime.settings import Settings
from tools.models import ModelAccess

CASSETTES = Path(__file__).parent / "cassettes"
MODEL = "local-qwen"
REPLAYED_AT = "http://127.0.0.1/v1"
"""An address of nobody: replayed answers are found by what was asked, not by where."""


def recorded_settings() -> Settings:
    """The reader that was recorded; no adviser, so that a case asks for nothing else."""
    return Settings(models_reader=[MODEL], openai_base_url=REPLAYED_AT, model_timeout=30, model_tokens_per_day=None)


@asynccontextmanager
async def replayed(name: str) -> AsyncIterator[ModelAccess]:
    """The recorded model: whatever is not on file is an error, so that nothing asks a live one unnoticed."""
    async with open_chat_models(recorded_settings()) as models:
        with _recorder("none").use_cassette(str(CASSETTES / f"{name}.yaml")):
            yield models


@asynccontextmanager
async def recording(settings: Settings, name: str) -> AsyncIterator[ModelAccess]:
    """A live model, its answers put on file beside those that are there."""
    CASSETTES.mkdir(exist_ok=True)
    async with open_chat_models(settings) as models:
        with _recorder("new_episodes").use_cassette(str(CASSETTES / f"{name}.yaml")):
            yield models


def _recorder(mode: str) -> vcr.VCR:
    """Found by what is asked; without keys, and without the address of whoever answered."""
    return vcr.VCR(
        record_mode=mode,
        match_on=["method", "path", "body"],
        before_record_request=_without_place,
        before_record_response=_only_the_answer,
        decode_compressed_response=True,
    )


def _without_place(request: Any) -> Any:
    request.uri = f"{REPLAYED_AT}{request.path.partition('/v1')[2]}"
    request.headers = {}
    return request


def _only_the_answer(response: dict[str, Any]) -> dict[str, Any]:
    return {**response, "headers": {"Content-Type": ["application/json"]}}
