"""`longlead serve`, `longlead worker` and `longlead demo`: the processes people start."""

import socket
from typing import Annotated

import typer

from cli.database import Data
from cli.sentences import CommandError


def serve(
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to bind to; beyond this machine only with keys.", show_default=False),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", min=1, max=65535, help="Port; 8000 by default.", show_default=False)
    ] = None,
    data: Data = None,
) -> None:
    """Run the API, a worker and, without LONGLEAD_DATABASE_URL, an embedded PostgreSQL, until interrupted."""
    from api.app import create_app
    from runtime.loop import run
    from runtime.service import serve as run_service
    from runtime.settings import load_service_settings

    settings = load_service_settings(host=host, port=port, data_dir=data)
    _require_free(settings.host, settings.port, "--host and --port, or LONGLEAD_HOST and LONGLEAD_PORT")
    run(run_service(settings, create_app))


def _require_free(host: str, port: int, settings: str) -> None:
    """Say it now rather than after the database has been started. `settings`: what names the address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Stop what listens there, or choose another address "
            f"with {settings}."
        ) from error


def worker(
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency", "-c", min=1, max=200, help="Buildings at once; 20 by default.", show_default=False
        ),
    ] = None,
    data: Data = None,
) -> None:
    """Run one more worker, anywhere the database can be reached, until interrupted."""
    from runtime.loop import run
    from runtime.service import work
    from runtime.settings import load_service_settings

    settings = load_service_settings(concurrency=concurrency, data_dir=data)
    if settings.metrics_port:
        _require_free(settings.metrics_host, settings.metrics_port, "LONGLEAD_METRICS_HOST and LONGLEAD_METRICS_PORT")
    run(work(settings))


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Without pauses; so it is anyway without a terminal.")] = False,
    keep: Annotated[
        bool | None,
        typer.Option(
            "--keep/--no-keep",
            help="Leave the service running at the end, until Ctrl-C; by default only on a terminal, without --fast.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Play a recorded building story against the real service, and show what the agent thinks, does and asks."""
    from cli.demo import run_demo

    run_demo(fast=fast, keep=keep)
