"""A query says what is described, once and as it is described: a mistyped filter must not pass as no filter."""

import re

from fastapi import Request

from api.openapi import load_description, part
from api.problems import FieldProblem, InvalidBodyError
from domain.plain_json import JsonObject

_FOR_MONITORS = ("/healthz", "/readyz", "/metrics")
"""Monitors add what they like, to get past caches."""
_PLAIN = {
    "integer": (re.compile(r"-?[0-9]+"), "is a whole number, in digits only"),
    "boolean": (re.compile(r"true|false"), "is true or false"),
}

Parameters = dict[str, str | None]
"""The query's parameters by name, each with its type where that is one of _PLAIN."""


async def check_query(request: Request) -> None:
    """Refuse what the description of this address calls invalid, and its framework would let pass.

    Raises:
        InvalidBodyError: a parameter is unknown, given twice, or no plain number or truth value.
    """
    if not request.scope["query_string"]:
        return
    known = await _parameters_of(request)
    if known is None:
        return
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    problems = [
        FieldProblem(field=name[:100], message="is not a known parameter") for name in names if name not in known
    ]
    problems += [FieldProblem(field=name, message="is given more than once") for name in known if names.count(name) > 1]
    for name, value in given:
        pattern, message = _PLAIN.get(known.get(name) or "", (None, ""))
        if pattern is not None and not pattern.fullmatch(value):
            problems.append(FieldProblem(field=name, message=message))
    if problems:
        raise InvalidBodyError(problems)


async def _parameters_of(request: Request) -> Parameters | None:
    """What the query may say here; None where nothing is described, or everything may be said."""
    tables: dict[tuple[str, str], Parameters | None] | None = getattr(request.app.state, "query_parameters", None)
    if tables is None:
        tables = request.app.state.query_parameters = _tables(await load_description(request.app))
    return tables.get((request.scope["route"].path_format, request.method.lower()))


def _tables(described: JsonObject) -> dict[tuple[str, str], Parameters | None]:
    return {
        (path, method): None if path in _FOR_MONITORS else _parameters(part(described, "paths", path, method))
        for path in part(described, "paths")
        for method in part(described, "paths", path)
    }


def _parameters(operation: JsonObject) -> Parameters:
    described = operation.get("parameters")
    parameters = [one for one in described if isinstance(one, dict)] if isinstance(described, list) else []
    return {str(one["name"]): _type(part(one, "schema")) for one in parameters if one["in"] == "query"}


def _type(schema: JsonObject) -> str | None:
    kind = schema.get("type")
    return kind if isinstance(kind, str) else None
