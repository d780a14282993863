"""The answers of a real model on file, as HTTP cassettes: replayed without a network, recorded where one is live."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypedDict, TypeVar

import vcr  # type: ignore[import-untyped]

from runtime.chat_models import open_chat_models
from runtime.settings import Settings
from tools.models import WORKERS, Completion, ModelAbstained, ModelAccess, ModelRequest, Output, Worker

CASSETTES = Path(__file__).parent / "cassettes"
MODEL = "local-qwen"
REPLAYED_AT = "http://127.0.0.1/v1"
"""An address of nobody: replayed answers are found by what was asked, not by where."""


class NotRecordedError(Exception):
    """Something was asked whose answer is not on file: what came of it was no model's answer."""


def only(worker: Worker, models: list[str], settings: Settings) -> Settings:
    """These settings with models for one worker, so that a case asks for nothing else."""
    of_others: dict[str, list[str]] = {f"models_{one}": [] for one in WORKERS}
    return settings.model_copy(update={"models": [], **of_others, f"models_{worker}": models})


def of_worker(worker: Worker, settings: Settings) -> list[str]:
    """The models that the settings name for a worker."""
    named: list[str] = getattr(settings, f"models_{worker}") or settings.models
    return named


def recorded_settings(worker: Worker) -> Settings:
    """The model that was recorded, for one worker."""
    made = Settings(openai_base_url=REPLAYED_AT, model_timeout=30, model_tokens_per_day=None)
    return only(worker, [MODEL], made)


@asynccontextmanager
async def replayed(name: str, worker: Worker = "reader") -> AsyncIterator[ModelAccess]:
    """The recorded model; nothing is ever sent anywhere.

    Raises:
        NotRecordedError: at the end, where something was asked that is not on file. To whom asked it looks like a dead
            server, which an agent takes calmly; so it is said here.
    """
    missing: list[str] = []
    async with open_chat_models(recorded_settings(worker)) as models:
        with _recorder("none").use_cassette(str(CASSETTES / f"{name}.yaml")) as cassette:
            yield _Noting(models, cassette, missing)
    if missing:
        raise NotRecordedError(f"{name}: {len(missing)} requests are not on file, the first: {missing[0][:2_000]}")


class _Cassette(Protocol):
    """A file of recorded answers."""

    @property
    def play_count(self) -> int: ...


class _Request(Protocol):
    """A request as it is recorded."""

    uri: str
    headers: dict[str, str]

    @property
    def path(self) -> str: ...


Request = TypeVar("Request", bound=_Request)


class _Response(TypedDict):
    """An answer as it is recorded."""

    headers: dict[str, list[str]]


class _Noting:
    """Notes what is asked and not on file."""

    def __init__(self, models: ModelAccess, cassette: _Cassette, missing: list[str]) -> None:
        self._models, self._cassette, self._missing = models, cassette, missing
        self.tiers = models.tiers

    async def complete(self, request: ModelRequest[Output]) -> Completion:
        played = self._cassette.play_count
        try:
            return await self._models.complete(request)
        except ModelAbstained as abstained:
            if abstained.reason != "no_tier" and self._cassette.play_count == played:
                self._missing.append(request.prompt)
            raise


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


def _without_place(request: Request) -> Request:
    request.uri = f"{REPLAYED_AT}{request.path.partition('/v1')[2]}"
    request.headers = {}
    return request


def _only_the_answer(response: _Response) -> _Response:
    return {**response, "headers": {"Content-Type": ["application/json"]}}
