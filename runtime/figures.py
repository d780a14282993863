"""The figures of the whole service for Prometheus, read from the database: every process shows the same."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime

import psycopg
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.connections import GuardedConfig, Limits, problem_document
from runtime.resources import Resources
from storage import model_calls
from storage.health import LATENCY_BOUNDS, Latency, Snapshot, latencies, snapshot
from storage.model_calls import ModelTotal

FRESH_S = 5.0
"""Seconds for which the figures are shown again without being counted again."""

CONNECTION_TIMEOUT_S = 10.0


class Figures:
    """Counts when asked, at most every few seconds and never twice at once."""

    def __init__(self) -> None:
        self._text, self._until = b"", 0.0
        self._counting = asyncio.Lock()

    async def text(self, resources: Resources) -> bytes:
        """In Prometheus's text format.

        Raises:
            psycopg.Error: the database cannot be reached.
        """
        async with self._counting:
            if time.monotonic() >= self._until:
                self._text = await _count(resources)
                self._until = time.monotonic() + FRESH_S
        return self._text


async def _count(resources: Resources) -> bytes:
    now = resources.clock.now()
    async with resources.pool.connection(timeout=CONNECTION_TIMEOUT_S) as conn:
        counted = await snapshot(conn, resources.settings.stalled_after, now)
        received, started = await latencies(conn)
        spent = await model_calls.totals(conn)
    registry = CollectorRegistry()
    registry.register(_Counted(counted, received, started, now))
    registry.register(_Spent(spent))
    return generate_latest(registry)


@asynccontextmanager
async def shown_figures(resources: Resources) -> AsyncIterator[None]:
    """Show the figures, and this process's own, on the port that the settings name for it; without one, nothing.

    Whoever reaches the port may read them: they are counts, and name no building.
    """
    settings = resources.settings
    if not settings.metrics_port:
        yield
        return
    app = _page(resources, Figures())
    config = GuardedConfig(
        app, Limits.of(settings), host=settings.metrics_host, port=settings.metrics_port, lifespan="off"
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Signals are the worker's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _refusal(status: int, title: str, detail: str) -> Response:
    body, headers = problem_document(status, title, detail)
    return Response(body, status, {name.decode(): value.decode() for name, value in headers})


def _page(resources: Resources, figures: Figures) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/metrics":
            await _refusal(404, "Not found", "Figures are at /metrics.")(scope, receive, send)
            return
        try:
            counted = generate_latest(registry) + await figures.text(resources)
        except psycopg.Error:
            refusal = _refusal(503, "Temporarily unavailable", "The database cannot be reached.")
            await refusal(scope, receive, send)
            return
        await Response(counted, media_type=CONTENT_TYPE_LATEST)(scope, receive, send)

    return page


class _Counted(Collector):
    """What was counted, in Prometheus's names: seconds as the unit, `_total` for what only grows."""

    def __init__(self, counted: Snapshot, received: list[Latency], started: list[Latency], now: datetime) -> None:
        self.counted, self.received, self.started, self.now = counted, received, started, now

    def collect(self) -> Iterator[Metric]:
        yield from self._events()
        yield _histogram("longlead_event_latency_seconds", "From received to done.", self.received)
        yield _histogram("longlead_event_processing_seconds", "From the last start to done.", self.started)
        yield from self._waiting()

    def _events(self) -> Iterator[Metric]:
        counted = self.counted
        ended = [(how, kind, count) for how, kind, count in counted.ended if how != "retried"]
        retried = [(kind, count) for how, kind, count in counted.ended if how == "retried"]
        yield _gauges(
            "longlead_events", "Entries that wait, run, or are dead.", ["status", "event_type"], counted.events
        )
        yield _counter("longlead_events_ended", "Entries that ended.", ["status", "event_type"], ended)
        yield _counter(
            "longlead_event_retries", "Failures after which an entry was queued again.", ["event_type"], retried
        )

    def _waiting(self) -> Iterator[Metric]:
        counted, oldest = self.counted, self.counted.oldest_waiting
        age = 0.0 if oldest is None else max(0.0, (self.now - oldest).total_seconds())
        open_ = [(kind, pending) for kind, pending, _ in counted.approvals]
        overdue = [(kind, late) for kind, _, late in counted.approvals]
        backlog = counted.events_with("queued") + counted.events_with("running")
        yield _gauge("longlead_backlog_events", "Entries not yet processed.", backlog)
        yield _gauge("longlead_backlog_oldest_seconds", "Age of the oldest entry not yet processed.", age)
        yield _gauge("longlead_pending_approvals", "Questions that wait for a person.", counted.pending_approvals)
        yield _gauges("longlead_approvals_open", "Questions that wait for a person.", ["kind"], open_)
        yield _gauges("longlead_approvals_overdue", "Of these, reminded or escalated.", ["kind"], overdue)
        yield _gauges(
            "longlead_outbox_messages",
            "Messages that wait, are given up, or are in the log alone.",
            ["status"],
            counted.outbox,
        )
        yield _gauge("longlead_workers", "Workers that gave a sign of life lately.", counted.workers)
        yield _gauge("longlead_buildings", "Buildings.", counted.buildings)


class _Spent(Collector):
    """What language models took, by who asked, the model, and whether it answered or why it abstained."""

    def __init__(self, totals: list[ModelTotal]) -> None:
        self.totals = totals

    def collect(self) -> Iterator[Metric]:
        by = ["worker", "model", "outcome"]
        rows = [((row.worker, row.model, row.outcome), row) for row in self.totals]
        calls = [(*key, row.calls) for key, row in rows]
        tokens = [
            (*key, way, count)
            for key, row in rows
            for way, count in (("input", row.input_tokens), ("output", row.output_tokens))
        ]
        cost = [(*key, float(row.cost)) for key, row in rows]
        yield _counter("longlead_model_calls", "Calls of language models.", by, calls)
        yield _counter("longlead_model_tokens", "Their tokens, in and out.", [*by, "direction"], tokens)
        yield _counter("longlead_model_cost", "Their cost, where prices are known.", by, cost)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _gauges(name: str, about: str, labels: list[str], rows: Iterable[tuple[str | int, ...]]) -> Metric:
    return _filled(GaugeMetricFamily(name, about, labels=labels), rows)


def _counter(name: str, about: str, labels: list[str], rows: Iterable[tuple[str | int | float, ...]]) -> Metric:
    return _filled(CounterMetricFamily(name, about, labels=labels), rows)


def _filled(
    family: GaugeMetricFamily | CounterMetricFamily, rows: Iterable[tuple[str | int | float, ...]]
) -> GaugeMetricFamily | CounterMetricFamily:
    for *values, count in rows:
        family.add_metric([str(value) for value in values], float(count))
    return family


def _histogram(name: str, about: str, rows: Iterable[Latency]) -> Metric:
    family = HistogramMetricFamily(name, about, labels=["event_type"])
    bounds = [*(str(float(bound)) for bound in LATENCY_BOUNDS), "+Inf"]
    for row in rows:
        family.add_metric([row.event_type], list(zip(bounds, map(float, row.within), strict=True)), row.seconds)
    return family
