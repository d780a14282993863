"""Every error leaves as a problem document (RFC 9457): what happened, which field, and what to do about it."""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import LongleadError
from domain.plain_json import JsonObject
from runtime.database_state import describe_fault
from storage.database import is_database_fault

log = structlog.get_logger()

_NOT_PLAIN = re.compile(r"[^a-z0-9]+")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Path of the field, such as `deliveries.0.required_by`.")
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """An error, as RFC 9457 words it."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:longlead:problem:not-found",
                    "title": "Not found",
                    "status": 404,
                    "detail": "There is no building 'tower-9'. List the buildings with GET /buildings.",
                }
            ]
        },
    )

    type: str = Field(description="Identifies the kind of problem.")
    title: str = Field(description="The kind of problem, for people.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened this time, and what to do about it.")
    errors: list[FieldProblem] | None = Field(None, description="With 422: the fields that are wrong.")


def documented(*statuses: int) -> dict[int | str, JsonObject]:
    """The `responses` of a route that may answer with these problems."""
    content: JsonObject = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def problem(
    status: int,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    extra: Mapping[str, JsonValue] | None = None,
) -> Response:
    """The response that carries a problem document."""
    kind = _NOT_PLAIN.sub("-", title.lower()).strip("-")
    members = {
        **(extra or {}),
        "type": f"urn:longlead:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    # ASCII only: a lone surrogate that came in must not fail on its way out.
    return Response(json.dumps(members, default=str), status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Answer every error that Longlead or its frameworks raise with a problem document."""
    app.add_exception_handler(LongleadError, _longlead)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(psycopg.Error, _database)


async def _longlead(_: Request, error: Exception) -> Response:
    assert isinstance(error, LongleadError)
    if error.status >= 500 and error.status != 503:
        return _internal(error)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.status == 503 else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(error.status, error.title, error.detail, headers, error.extra)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid([_parameter_problem(found) for found in error.errors()])


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {
        404: "There is nothing at this address. GET /docs lists what there is.",
        405: "This address does not take this method. GET /docs lists what it takes.",
    }.get(error.status_code, str(error.detail))
    return problem(error.status_code, HTTPStatus(error.status_code).phrase, detail, dict(error.headers or {}))


async def _database(request: Request, error: Exception) -> Response:
    if not is_database_fault(error):
        return _internal(error)
    log.warning("the database cannot do its work", error=str(error))
    fault = describe_fault(request.app.state.resources, error)
    return problem(
        503,
        "Temporarily unavailable",
        f"{fault.detail} Try again in {RETRY_AFTER_S} seconds.",
        {"Retry-After": str(RETRY_AFTER_S)},
    )


def _internal(error: BaseException) -> Response:
    log.error("a request failed", exc_info=error)
    return problem(
        500, "Internal error", "Longlead failed on this request. The service's log has the reason; please report it."
    )


def invalid(fields: Sequence[FieldProblem]) -> Response:
    """422, with the first field named in the detail."""
    return problem(422, "Invalid request", *_described(fields))


def _described(fields: Sequence[FieldProblem]) -> tuple[str, dict[str, str], JsonObject]:
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    detail = f"{fields[0].field}: {fields[0].message}{more}"
    return detail, {}, {"errors": [field.model_dump() for field in fields]}


class InvalidBodyError(LongleadError):
    """The body does not fit. Correct the fields named."""

    status = 422
    title = "Invalid request"

    def __init__(self, fields: Sequence[FieldProblem]) -> None:
        detail, _, extra = _described(fields)
        super().__init__(detail, **extra)


MAX_PROBLEMS = 100
"""Fields that one answer names; what is corrected in them is often what is wrong with the others."""


def body_problems(error: ValidationError, body: JsonValue) -> list[FieldProblem]:
    """The first of pydantic's errors by the paths that the body really has, without the tags of the unions on the
    way."""
    found = error.errors(include_url=False, include_input=False)
    return [
        FieldProblem(field=".".join(map(str, _path(one["loc"], body, one["type"]))) or "body", message=_message(one))
        for one in found[:MAX_PROBLEMS]
    ]


def _path(location: tuple[int | str, ...], body: JsonValue, kind: str) -> list[int | str]:
    path: list[int | str] = []
    value = body
    for place, part in enumerate(location):
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif not (kind == "missing" and place == len(location) - 1):
            continue
        path.append(part)
    return path


def _parameter_problem(found: ErrorDetails) -> FieldProblem:
    return FieldProblem(field=".".join(map(str, found["loc"][1:])) or "request", message=_message(found))


_WORDS = {"missing": "is required", "extra_forbidden": "is not a known field"}


MAX_MESSAGE = 500
"""Characters of what is wrong with a field: some quote the field."""


def _message(found: ErrorDetails) -> str:
    return _WORDS.get(found["type"]) or str(found["msg"]).removeprefix("Value error, ")[:MAX_MESSAGE]


class LastResort:
    """The HTTP border: what nobody foresaw is logged and answered with 500, and never shows its inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            await _internal(error)(scope, receive, send)
