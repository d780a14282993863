"""Reading request bodies: bounded while they stream in, and parsed once, by the model they must fit."""

import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.problems import InvalidBodyError, body_problems
from domain.errors import TooLargeError

MAX_BYTES = 5_000_000
"""Limit of bodies other than events: a building with thousands of lines fits."""

M = TypeVar("M", bound=BaseModel)


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


async def body(request: Request, model: type[M]) -> M:
    """The body as this model.

    Raises:
        InvalidBodyError: it does not fit, or is no JSON.
    """
    raw = await read(request)
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise InvalidBodyError(body_problems(error, decoded(raw))) from error


def decoded(raw: bytes) -> Any:
    """JSON text as it is, for naming what is wrong in it; None where it is no JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
