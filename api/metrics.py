"""Figures for Prometheus: requests as they are answered, and the state of the inbox at each scrape."""

import time

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import AnyCaller
from api.held import Held
from runtime.figures import Figures

router = APIRouter(tags=["service"])


class Measured:
    """The figures of one app. Each has a registry of its own, so that two apps in a process do not mix."""

    def __init__(self) -> None:
        self.figures = Figures()
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
    """Requests by route and status, events by status and type, their latencies, open questions, the backlog's age,
    the outbox. Counted anew at most every five seconds, however many scrape."""
    measured: Measured = request.app.state.measured
    counted = await measured.figures.text(resources)
    return Response(generate_latest(measured.registry) + counted, media_type=CONTENT_TYPE_LATEST)
