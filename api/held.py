"""What the handlers work with: the process's resources, opened and closed by whoever made the app."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from psycopg_pool import PoolTimeout

from runtime.resources import Resources
from storage.connection import Connection

CONNECTION_TIMEOUT_S = 10.0


async def held(request: Request) -> Resources:
    """The resources that the app was created with."""
    resources: Resources = request.app.state.resources
    return resources


Held = Annotated[Resources, Depends(held)]


@asynccontextmanager
async def connection(resources: Resources) -> AsyncIterator[Connection]:
    """One connection of the pool, in turn; PoolTimeout (answered with 503) when none is free in time."""
    end = asyncio.get_running_loop().time() + CONNECTION_TIMEOUT_S
    try:
        async with asyncio.timeout_at(end):
            await resources.turns.acquire()
    except TimeoutError as error:
        raise PoolTimeout(f"no connection was free within {CONNECTION_TIMEOUT_S} s") from error
    try:
        left = max(end - asyncio.get_running_loop().time(), 0.01)
        async with resources.pool.connection(timeout=left) as conn:
            yield conn
    finally:
        resources.turns.release()


@asynccontextmanager
async def health_connection(resources: Resources, timeout_s: float) -> AsyncIterator[Connection]:
    """One connection of the pool, whatever number of requests wait for their turn."""
    async with resources.pool.connection(timeout=timeout_s) as conn:
        yield conn
