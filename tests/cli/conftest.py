"""The command line against the API on a port of this machine."""

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.api.office import READER
from tests.api.served import Served, serving

Run = Callable[..., Result]


@pytest.fixture
def served(database: str) -> Iterator[Served]:
    """The API on a port of this machine."""
    with serving(database) as thread:
        yield thread


@pytest.fixture
def served_with_keys(database: str) -> Iterator[str]:
    """The address of a service that asks for keys."""
    with serving(database, [READER]) as thread:
        yield thread.url


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `longlead` with arguments, and with what stands on standard input."""
    monkeypatch.setenv("COLUMNS", "200")

    def runs(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)

    return runs


@pytest.fixture
def longlead(run: Run, served: Served, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `longlead` against the service that is served."""
    monkeypatch.setenv("LONGLEAD_URL", served.url)
    return run
