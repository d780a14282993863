"""What the handlers work with: the process's resources, opened and closed by whoever made the app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request

from runtime.resources import Resources
from storage.connection import Connection

CONNECTION_TIMEOUT_S = 10.0


async def held(request: Request) -> Resources:
    """The resources that the app was created with."""
    resources: Resources = request.app.state.resources
    return resources


Held = Annotated[Resources, Depends(held)]


@asynccontextmanager
async def connection(resources: Resources, timeout_s: float | None = None) -> AsyncIterator[Connection]:
    """One connection of the pool; psycopg's PoolTimeout (answered with 503) when none is free in time."""
    async with resources.pool.connection(timeout=timeout_s or CONNECTION_TIMEOUT_S) as conn:
        yield conn
