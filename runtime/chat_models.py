"""Language models behind any OpenAI-compatible server, in tiers. Whatever such a server does, a call ends in time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, cast

import anyio.to_thread
import httpx
import openai
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from runtime.settings import ModelPrice, Settings
from tools.models import WORKERS, Completion, ModelAbstained, ModelRequest, Output, Worker

MOST_BYTES = 400_000
"""Bytes of a response that are read; more is no answer. An answer of the longest kind takes some tens of thousands."""

MOST_TRIES = 3
PAUSE_S = 0.5
"""Before a server that failed is tried again, where it names no time itself."""


class AnswerTooLargeError(Exception):
    """The response is longer than any answer that was asked for."""


class ChatModels:
    """The models that the settings name: `tools.models.ModelAccess` over LangChain's client."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._names: dict[Worker, list[str]] = {
            worker: getattr(settings, f"models_{worker}") or settings.models for worker in WORKERS
        }
        self.tiers = tuple(sorted(self._names.values(), key=len)[-1])
        self._chats = {name: _chat(name, settings, http) for names in self._names.values() for name in names}

    async def complete(self, request: ModelRequest[Output]) -> Completion:
        """Ask the request's tier, again where it asks for patience, and give up when the time is over.

        Raises:
            ModelAbstained: there is no answer, and why.
        """
        names = self._names[request.worker]
        if request.tier >= len(names):
            raise ModelAbstained("no_tier")
        name = names[request.tier]
        try:
            async with asyncio.timeout(self._settings.model_timeout):
                message = await self._patiently(name, request)
        except TimeoutError:
            detail = f"no answer within {self._settings.model_timeout:g} s"
            raise ModelAbstained("timeout", detail, model=name) from None
        return _completion(message, name, self._settings.model_prices)

    async def _patiently(self, name: str, request: ModelRequest[Output]) -> AIMessage:
        for tries in range(1, MOST_TRIES + 1):
            try:
                return await self._ask(name, request)
            except openai.APIStatusError as error:
                if tries == MOST_TRIES or not (error.status_code == 429 or error.status_code >= 500):
                    raise self._abstained(error, name) from error
                await self._pause(error, name)
            except Exception as error:
                raise self._abstained(error, name) from error
        raise AssertionError("unreachable")

    async def _pause(self, error: openai.APIStatusError, name: str) -> None:
        """Wait as long as the server asks; where that is longer than a call may take, there is no point in waiting."""
        pause = _retry_after(error.response.headers)
        if pause >= self._settings.model_timeout:
            raise self._abstained(error, name) from error
        await asyncio.sleep(pause)

    def _abstained(self, error: Exception, name: str) -> ModelAbstained:
        made = _abstention(error, name)
        made.cost = _cost(self._settings.model_prices.get(name), made.input_tokens, made.output_tokens)
        return made

    async def _ask(self, name: str, request: ModelRequest[Output]) -> AIMessage:
        schema = convert_to_json_schema(request.output, strict=True)
        asked = self._chats[name].with_structured_output(
            schema, method="json_schema", strict=True, include_raw=True, max_tokens=request.max_tokens
        )
        told = await asked.ainvoke([SystemMessage(request.system), HumanMessage(request.prompt)])
        message: AIMessage = cast(dict[str, Any], told)["raw"]
        return message


def _chat(name: str, settings: Settings, http: httpx.AsyncClient) -> ChatOpenAI:
    """One tier. Repeats are ours, so that they stay within the time; the shape is checked by `tools.models`."""
    return ChatOpenAI(
        model=name,
        api_key=SecretStr(settings.openai_api_key.get_secret_value() or "none"),
        base_url=settings.openai_base_url or None,
        http_async_client=http,
        temperature=settings.model_temperature,
        timeout=settings.model_timeout,
        max_retries=0,
        use_responses_api=False,
        stream_usage=False,
    )


def _completion(message: AIMessage, name: str, prices: Mapping[str, ModelPrice]) -> Completion:
    usage = message.usage_metadata
    tokens_in, tokens_out = (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)
    if refusal := message.additional_kwargs.get("refusal"):
        raise ModelAbstained("refused", str(refusal), model=name, input_tokens=tokens_in, output_tokens=tokens_out)
    text = message.content if isinstance(message.content, str) else message.text
    cost = _cost(prices.get(name), tokens_in, tokens_out)
    return Completion(text, name, tokens_in, tokens_out, cost)


def _cost(price: ModelPrice | None, tokens_in: int, tokens_out: int) -> Decimal | None:
    return None if price is None else (price.input * tokens_in + price.output * tokens_out) / 1_000_000


def _abstention(error: Exception, name: str) -> ModelAbstained:
    """What a failure means. The words are ours: what a library says may quote addresses and keys."""
    if isinstance(error, openai.LengthFinishReasonError):
        usage = error.completion.usage
        took = {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens} if usage else {}
        return ModelAbstained("truncated", "the answer was cut off", model=name, **took)
    if isinstance(error, openai.ContentFilterFinishReasonError):
        return ModelAbstained("refused", "the content filter", model=name)
    if isinstance(error, openai.APITimeoutError):
        return ModelAbstained("timeout", "the server gave no answer in time", model=name)
    if isinstance(error, openai.RateLimitError):
        return ModelAbstained("rate_limited", "status 429", model=name)
    if isinstance(error, openai.APIStatusError):
        return ModelAbstained("unreachable", f"status {error.status_code}", model=name)
    if _is_too_large(error):
        return ModelAbstained("too_large", f"more than {MOST_BYTES} bytes", model=name)
    if isinstance(error, openai.APIConnectionError):
        return ModelAbstained("unreachable", type(error.__cause__ or error).__name__, model=name)
    return ModelAbstained("invalid", f"not a chat completion: {type(error).__name__}", model=name)


def _is_too_large(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, AnswerTooLargeError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait; a date, or nonsense, counts as nothing said."""
    try:
        return max(PAUSE_S, float(headers.get("retry-after", PAUSE_S)))
    except ValueError:
        return PAUSE_S


class _Bounded(httpx.AsyncBaseTransport):
    """Reads no more of a response than an answer can have."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self._inner:
            seen += len(chunk)
            if seen > MOST_BYTES:
                raise AnswerTooLargeError
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def open_chat_models(settings: Settings) -> AsyncIterator[ChatModels]:
    """The configured models over one HTTP client. Made in a thread, since certificates are read from disk."""
    http = await anyio.to_thread.run_sync(lambda: httpx.AsyncClient(transport=_Bounded()))
    async with http:
        yield await anyio.to_thread.run_sync(ChatModels, settings, http)
