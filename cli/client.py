"""Talking to the service over REST, as any other client does."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from cli.sentences import CommandError
from runtime.settings import load_settings

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


class Client:
    """Requests with the configured address and key; problems become errors of one sentence."""

    def __init__(self, url: str | None = None) -> None:
        settings = load_settings(url=url)
        self.url = settings.url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}

    def get(self, path: str, **parameters: Any) -> Any:
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._send("GET", path, params=given)

    def post(self, path: str, body: Any = None, *, wait: int = 0, **parameters: Any) -> Any:
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        given = {name: value for name, value in parameters.items() if value is not None}
        content = {} if body is None else {"json": body}
        return self._send("POST", path, params=given, headers=headers, timeout=_TIMEOUT_S + wait, **content)

    def patch(self, path: str, body: Any) -> Any:
        return self._send("PATCH", path, json=body)

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path)

    def rows(self, path: str, limit: int, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The first `limit` rows of a list, page by page."""
        cursor, left = None, limit
        while left > 0:
            page = self.get(path, limit=min(left, _PAGE), cursor=cursor, **parameters)
            yield from page["data"]
            left -= len(page["data"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _send(self, method: str, path: str, **request: Any) -> Any:
        headers = {**self._headers, **request.pop("headers", {})}
        try:
            with httpx.Client(base_url=self.url, timeout=request.pop("timeout", _TIMEOUT_S)) as client:
                response = client.request(method, path, headers=headers, **request)
        except httpx.ConnectError as error:
            raise CommandError(
                f"Nothing answers at {self.url}. Start the service with `longlead serve`, or name its address with "
                "--url or LONGLEAD_URL."
            ) from error
        except httpx.TimeoutException as error:
            raise CommandError(
                f"{self.url} did not answer in time. Try again; {method} {path} may be under way."
            ) from error
        return _answer(response)


def _answer(response: httpx.Response) -> Any:
    if response.status_code == 204:
        return None
    try:
        body = response.json()
    except ValueError as error:
        raise CommandError(
            f"{response.url} answered {response.status_code} with something that is not Longlead's."
        ) from error
    if response.is_success:
        return body
    raise CommandError(_problem(body, response))


def _problem(body: Any, response: httpx.Response) -> str:
    if not isinstance(body, dict) or "detail" not in body:
        return f"{response.url} answered {response.status_code}."
    further = [f"{error['field']}: {error['message']}" for error in body.get("errors") or []][1:]
    hint = " Set LONGLEAD_API_KEY." if response.status_code == 401 else ""
    return "; ".join([str(body["detail"]).partition(" (and ")[0] if further else str(body["detail"]), *further]) + hint


def part(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe="")
