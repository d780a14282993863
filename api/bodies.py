"""Reading request bodies: bounded while they stream in and before they are parsed, by the model they must fit."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, JsonValue, ValidationError

from api.problems import FieldProblem, InvalidBodyError, body_problems
from domain.errors import TooLargeError
from domain.text import at_the_door

MAX_BUILDING_BYTES = 5_000_000
"""Limit of a building: one with thousands of lines fits."""
MAX_BYTES = 100_000
"""Limit of what is not a building or an event: decisions, delegations, rules and changes are small."""
MAX_MEMBERS = 200
"""Fields of one object. Each unknown one would be an error of its own: 400,000 of them took 22 seconds."""
MAX_PARTS = 400_000
"""Brackets and commas of a body: more than the largest building that is allowed has, and soon counted. Parsing holds
the interpreter, also in a thread, so what would take seconds is refused before it."""
MAX_INLINE_BYTES = 20_000
"""A larger body is parsed in a thread: the loop goes on meanwhile."""

M = TypeVar("M", bound=BaseModel)
R = TypeVar("R")


async def read(request: Request, limit: int = MAX_BYTES) -> bytes:
    """The whole body.

    Raises:
        TooLargeError: it is, or announces to be, over `limit` bytes; the rest is not read.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"The body is over {limit} bytes. Send a link to the document instead of the document.", limit=limit
    )


async def body(request: Request, model: type[M], limit: int = MAX_BYTES) -> M:
    """The body as this model.

    Raises:
        TooLargeError: it is over `limit` bytes.
        InvalidBodyError: it does not fit, or is no JSON.
    """
    raw = await read(request, limit)
    context = at_the_door(request.app.state.resources.clock.now())
    return await parse_bounded(raw, lambda text: _validated(text, model, context))


def _validated(raw: bytes, model: type[M], context: Mapping[str, datetime]) -> M:
    try:
        return model.model_validate_json(raw, strict=True, context=context)
    except ValidationError as error:
        raise InvalidBodyError(body_problems(error, decoded(raw))) from error


async def parse_bounded(raw: bytes, parse: Callable[[bytes], R]) -> R:
    """What `parse` makes of a body, in a thread where that takes long.

    Raises:
        InvalidBodyError: the body, or an object of it, has more parts than any that is known.
    """

    _refuse_many(raw)

    def bounded() -> R:
        _refuse_wide(raw)
        return parse(raw)

    return bounded() if len(raw) <= MAX_INLINE_BYTES else await asyncio.to_thread(bounded)


def _refuse_many(raw: bytes) -> None:
    parts = sum(map(raw.count, (b"[", b"{", b",")))
    if parts > MAX_PARTS or raw.count(b"[") + raw.count(b"{") > MAX_PARTS // 8:
        message = f"it has {parts} parts; the most that is read is {MAX_PARTS}, an eighth of them lists and objects"
        raise InvalidBodyError([FieldProblem(field="body", message=message)])


def _refuse_wide(raw: bytes) -> None:
    with contextlib.suppress(ValueError, RecursionError):  # what is no JSON is named by the model
        json.loads(raw, object_pairs_hook=_count_members)


def _count_members(pairs: list[tuple[str, JsonValue]]) -> None:
    if len(pairs) > MAX_MEMBERS:
        message = f"an object of it has {len(pairs)} fields; the most that is read is {MAX_MEMBERS}"
        raise InvalidBodyError([FieldProblem(field="body", message=message)])


def decoded(raw: bytes) -> JsonValue:
    """JSON text as it is, for naming what is wrong in it; None where it is no JSON."""
    try:
        found: JsonValue = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found
