"""Figures for Prometheus: requests as they are answered, and the state of the inbox at each scrape."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import AnyCaller
from api.held import Held, connection
from storage.health import Snapshot, snapshot

router = APIRouter(tags=["service"])


class Measured:
    """The figures of one app. Each has a registry of its own, so that two apps in a process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Histogram(
            "longlead_http_request_duration_seconds",
            "Time from a request's first byte to its answer's last.",
            ["method", "route", "status"],
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
        )


class Timing:
    """Measures every request, by its route and not by its address: the number of series stays bounded."""

    def __init__(self, app: ASGIApp, measured: Measured) -> None:
        self.app = app
        self.requests = measured.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        try:
            await self.app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.requests.labels(method, route, str(status)).observe(time.perf_counter() - begun)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Counted(Collector):
    """The state of the inbox, as it was counted for this scrape."""

    def __init__(self, counted: Snapshot, now: datetime) -> None:
        self.counted = counted
        self.now = now

    def collect(self) -> Iterator[Metric]:
        counted = self.counted
        oldest = counted.oldest_waiting
        age = 0.0 if oldest is None else max(0.0, (self.now - oldest).total_seconds())
        yield _family("longlead_events", "Entries of all inboxes.", ["status", "event_type"], counted.events)
        yield _family("longlead_outbox", "Messages for outside.", ["status"], counted.outbox)
        yield _gauge("longlead_pending_approvals", "Questions that wait for a person.", counted.pending_approvals)
        yield _gauge("longlead_backlog_oldest_seconds", "Age of the oldest event not yet processed.", age)
        yield _gauge("longlead_workers", "Workers that gave a sign of life lately.", counted.workers)
        yield _gauge("longlead_buildings", "Buildings.", counted.buildings)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _family(name: str, about: str, labels: list[str], rows: Iterable[tuple[str | int, ...]]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=labels)
    for *values, count in rows:
        family.add_metric([str(value) for value in values], float(count))
    return family


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "In Prometheus's text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
async def metrics(request: Request, resources: Held, _: AnyCaller) -> Response:
    """Requests by route and status, events by status and type, open questions, the backlog's age, the outbox."""
    async with connection(resources) as conn:
        counted = await snapshot(conn, resources.settings.stalled_after)
    registry = CollectorRegistry()
    registry.register(_Counted(counted, resources.clock.now()))
    measured: Measured = request.app.state.measured
    return Response(generate_latest(measured.registry) + generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
