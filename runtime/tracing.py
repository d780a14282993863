"""Traces in Langfuse: opened once in a process where its keys are set, and nothing loaded where they are not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread

from runtime.settings import Settings
from tools.tracing import NO_TRACER, Tracer

if TYPE_CHECKING:
    from runtime.langfuse_tracer import LangfuseTracer

CLOSING_S = 2.0
"""Seconds that the last traces are given at the end of the process."""


@asynccontextmanager
async def open_tracer(settings: Settings) -> AsyncIterator[Tracer]:
    """Where Langfuse's keys are set: its tracer, which sends in the background; else one that does nothing."""
    if not settings.has_langfuse:
        yield NO_TRACER
        return
    tracer = await anyio.to_thread.run_sync(_made, settings)
    try:
        yield tracer
    finally:
        closed = tracer.close_in_background()
        await asyncio.to_thread(closed.wait, CLOSING_S)


def _made(settings: Settings) -> "LangfuseTracer":
    from runtime.langfuse_tracer import LangfuseTracer  # a second to load

    return LangfuseTracer(settings)
