"""Talking to the service over REST, as any other client does."""

import json
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import quote

import typer

from cli.sentences import CommandError, error_in_words
from domain.web_addresses import find_fault_of_base

if TYPE_CHECKING:  # imported with the first request: help needs neither
    import httpx

Url = Annotated[
    str | None, typer.Option("--url", help="Where the service is; LONGLEAD_URL when absent.", show_default=False)
]
OfBuilding = Annotated[
    str | None, typer.Option("--building", "-b", help="Only those of this building.", show_default=False)
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many rows at most.")]
Wait = Annotated[
    int, typer.Option("--wait", "-w", min=0, max=60, help="Wait up to so many seconds until it is processed.")
]

_PAGE = 500
_TIMEOUT_S = 30.0
_WHERE = "Name the service's address with --url or LONGLEAD_URL, such as http://127.0.0.1:8000."


class RefusedError(CommandError):
    """The service answered with a problem: what was asked for was not done."""

    title = "Refused"

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class UnansweredError(CommandError):
    """The request may have reached the service, but no answer came back: it may have been done."""

    title = "No answer"


class Client:
    """Requests with the configured address and key; problems become errors of one sentence.

    Used as a context manager, its requests share one connection.
    """

    def __init__(self, url: str | None = None) -> None:
        from runtime.settings import load_settings

        # This side has no database: whatever LONGLEAD_DATABASE_URL is, it need not be looked at.
        settings = load_settings(url=None if url is None else _check_url(url), database_url="")
        self.url = _check_url(settings.url)
        self._headers = _make_headers(settings.api_key)
        self._shared: httpx.Client | None = None

    def __enter__(self) -> Self:
        self._shared = self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    def get(self, path: str, **parameters: Any) -> Any:
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._send("GET", path, params=given)

    def post(self, path: str, body: Any = None, *, wait: int = 0, **parameters: Any) -> Any:
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._send("POST", path, body, params=given, headers=headers, timeout=_TIMEOUT_S + wait)

    def patch(self, path: str, body: Any) -> Any:
        return self._send("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path)

    def rows(self, path: str, limit: int, **parameters: Any) -> Iterator[Any]:
        """The first `limit` rows of a list, page by page."""
        cursor, left = None, limit
        while left > 0:
            page = self.get(path, limit=min(left, _PAGE), cursor=cursor, **parameters)
            if not isinstance(page, dict) or not isinstance(page.get("data"), list):
                raise CommandError(f"{self.url}{path} answered with something that is not Longlead's. {_WHERE}")
            yield from page["data"]
            left -= len(page["data"])
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def _open(self) -> "httpx.Client":
        import httpx

        return httpx.Client(base_url=self.url, timeout=_TIMEOUT_S)

    def _send(self, method: str, path: str, body: Any = None, **request: Any) -> Any:
        import httpx

        headers = {**self._headers, **request.pop("headers", {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
            request["content"] = json.dumps(body).encode("ascii")
        try:
            if self._shared is not None:
                return _read_answer(self._shared.request(method, path, headers=headers, **request))
            with self._open() as client:
                return _read_answer(client.request(method, path, headers=headers, **request))
        except httpx.ConnectError as error:
            raise CommandError(
                f"Nothing answers at {self.url}{_explain(error)}. Start the service with `longlead serve`, or name its "
                "address with --url or LONGLEAD_URL."
            ) from error
        except httpx.ConnectTimeout as error:
            raise CommandError(f"{self.url} cannot be reached in time. {_WHERE}") from error
        except httpx.TimeoutException as error:
            raise UnansweredError(
                f"{self.url} did not answer in time. Try again; {method} {path} may be under way."
            ) from error
        except httpx.TransportError as error:
            raise UnansweredError(
                f"{self.url} did not answer as a web server does, or broke off ({error_in_words(error)}). "
                f"{_WHERE} {method} {path} may have been done."
            ) from error


def _check_url(given: str) -> str:
    """The address without its last slash.

    Raises:
        CommandError: it is none of a web server.
    """
    url = given.strip().rstrip("/")
    if find_fault_of_base(url):
        raise CommandError(f"{given!r} is not an address of the service. {_WHERE}")
    return url


def _make_headers(key: str) -> dict[str, str]:
    """The header that says who calls; none without a key.

    Raises:
        CommandError: no header can hold the key.
    """
    key = key.strip()
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise CommandError("LONGLEAD_API_KEY holds characters that no key has. Copy the key again, on one line.")
    return {"Authorization": f"Bearer {key}"}


def _explain(error: "httpx.ConnectError") -> str:
    """Why there is no connection, where it is another reason than that nobody listens there."""
    text = error_in_words(error)
    return "" if "refused" in text.lower() else f" ({text})"


def _read_answer(response: "httpx.Response") -> Any:
    if response.status_code == 204:
        return None
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success and isinstance(body, (dict, list)):
        return body
    if not isinstance(body, dict) or "detail" not in body or response.is_success:
        raise CommandError(
            f"{response.url} answered {response.status_code} with something that is not Longlead's. {_WHERE}"
        )
    raise RefusedError(_describe_problem(body, response.status_code), response.status_code)


def _describe_problem(body: dict[str, Any], status: int) -> str:
    errors = body.get("errors") or []
    further = [f"{error['field']}: {error['message']}" for error in errors if "field" in error][1:]
    detail = str(body["detail"])
    hint = " Set LONGLEAD_API_KEY." if status == 401 else ""
    return "; ".join([detail.partition(" (and ")[0] if further else detail, *further]) + hint


def part(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe="")
