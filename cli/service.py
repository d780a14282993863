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
    from runtime.settings import load_settings

    settings = load_settings(host=host, port=port, data_dir=data)
    _require_free(settings.host, settings.port)
    run(run_service(settings, create_app))


def _require_free(host: str, port: int) -> None:
    """Say it now rather than after the database has been started."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Stop what listens there, or choose another --port."
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
    from runtime.settings import load_settings

    run(work(load_settings(concurrency=concurrency, data_dir=data)))


def demo() -> None:
    """Play a recorded building story against the real service, and print what the agent did."""
    from cli.demo import run_demo

    run_demo()
