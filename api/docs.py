"""The page that shows the description of the API: Swagger UI from this service, with nothing loaded from elsewhere."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from api.auth import authenticate
from api.openapi import load_description, part
from api.pages.rendering import HEADERS, page
from domain.errors import LongleadError, NotFoundError
from domain.plain_json import JsonObject

router = APIRouter(include_in_schema=False)

_FOLDER = files("api") / "swagger_ui"
_VERSION = tomllib.loads((_FOLDER / "vendor.toml").read_text(encoding="utf-8"))["version"]
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}
# Its icons are images within the style sheet. It styles elements by script, which needs no permission.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS = HEADERS | {"Content-Security-Policy": _POLICY}
_ASSET_HEADERS = {"Cache-Control": "private, max-age=86400"}


@dataclass(frozen=True)
class _Operation:
    """One line of the list for those without scripts."""

    method: str
    path: str
    summary: str


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The page, open to all: a browser cannot send a key with an address that is typed in. Its own list of addresses,
    for browsers without scripts, is for those who may read the description."""
    try:
        await authenticate(request)
        operations = _operations(await load_description(request.app))
    except LongleadError:
        operations = []
    return page(
        "docs.html",
        headers=_PAGE_HEADERS,
        title=f"{request.app.title} API",
        version=_VERSION,
        operations=operations,
    )


@router.get("/docs/{name}")
async def docs_asset(name: str) -> Response:
    if name not in _ASSETS:
        raise NotFoundError("There is nothing at this address. GET /docs lists what there is.")
    return Response(_asset(name), media_type=_ASSETS[name], headers=_ASSET_HEADERS)


@cache
def _asset(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


def _operations(described: JsonObject) -> list[_Operation]:
    return [
        _Operation(method.upper(), path, str(part(described, "paths", path, method)["summary"]))
        for path in part(described, "paths")
        for method in part(described, "paths", path)
    ]
