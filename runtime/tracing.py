"""Traces: opened once in a process where Langfuse or an OTLP endpoint is set, and nothing loaded where none is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread

from runtime.settings import Settings
from tools.tracing import NO_TRACER, Tracer

if TYPE_CHECKING:
    from runtime.span_tracer import SpanTracer

CLOSING_S = 2.0
"""Seconds that the last traces are given at the end of the process."""


@asynccontextmanager
async def open_tracer(settings: Settings) -> AsyncIterator[Tracer]:
    """A tracer that sends in the background where the settings name a server for traces; else one that does nothing."""
    if not (settings.has_langfuse or settings.has_otlp):
        yield NO_TRACER
        return
    tracer = await anyio.to_thread.run_sync(_make_tracer, settings)
    try:
        yield tracer
    finally:
        closed = tracer.close_in_background()
        await asyncio.to_thread(closed.wait, CLOSING_S)


def _make_tracer(settings: Settings) -> "SpanTracer":
    from runtime.span_tracer import SpanTracer  # half a second to load

    return SpanTracer(settings)
