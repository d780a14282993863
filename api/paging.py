"""Pages of lists: `{"data": [...], "next_cursor": ...}`, with cursors that say nothing to whoever holds them."""

import base64
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, Field, JsonValue

from domain.errors import InvalidError
from storage import pages
from storage.connection import Connection, Found, Parameter
from storage.pages import Key, Listing

V = TypeVar("V", bound=BaseModel)
R = TypeVar("R")

_INT64 = 2**63


class Page(BaseModel, Generic[V]):
    """Some rows of a list, in the list's own order."""

    data: list[V] = Field(description="The rows.")
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the rows that follow; null at the end.")


async def page_of(
    conn: Connection,
    listing: Listing,
    view: type[V],
    *,
    show: Callable[[list[Found]], Awaitable[list[V]]] | None = None,
    theirs: Collection[str] | None,
    limit: int,
    cursor: str | None,
    **filters: Parameter,
) -> Page[V]:
    """One page of a list, of the buildings that are the caller's; None: of all. `show` makes views of the rows, where
    that takes long.

    Raises:
        InvalidError: the cursor is not one of this list.
    """
    after = None if cursor is None else _decode(cursor, list(listing.order.values()))
    found = await pages.page(conn, listing, limit=limit, after=after, theirs=_listed(theirs), **filters)
    return Page[view](  # type: ignore[valid-type]
        data=await show(found.rows) if show else [view.model_validate(row) for row in found.rows],
        next_cursor=None if found.after is None else _encoded(found.after),
    )


def page_of_rows(
    rows: Sequence[R],
    view: type[V],
    key: Callable[[R], tuple[Key, ...]],
    kinds: Sequence[type[Key]],
    *,
    limit: int,
    cursor: str | None,
    newest_first: bool = False,
) -> Page[V]:
    """One page of rows that are all at hand, in the order of their keys. `kinds`: the types of a key's values.

    Raises:
        InvalidError: the cursor is not one of this list.
    """
    ordered = sorted(rows, key=key, reverse=newest_first)
    if cursor is not None:
        after = tuple(_decode(cursor, kinds))
        ordered = [row for row in ordered if (key(row) < after if newest_first else key(row) > after)]
    shown = ordered[:limit]
    return Page[view](  # type: ignore[valid-type]
        data=[view.model_validate(row) for row in shown],
        next_cursor=_encoded(key(shown[-1])) if len(ordered) > limit else None,
    )


def _listed(theirs: Collection[str] | None) -> list[str] | None:
    return None if theirs is None else sorted(theirs)


def _encoded(after: tuple[Key, ...]) -> str:
    text = json.dumps(after, default=lambda moment: moment.isoformat(), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, kinds: Sequence[type[Key]]) -> list[Key]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError
        return [_key(value, kind) for value, kind in zip(values, kinds, strict=True)]
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidError("cursor: is not a cursor of this list; take it from `next_cursor`", "cursor") from error


def _key(value: JsonValue, kind: type[Key]) -> Key:
    if kind is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment
    if type(value) is not kind or (isinstance(value, int) and abs(value) >= _INT64):
        raise ValueError
    if isinstance(value, str) and not value.isprintable():
        raise ValueError
    return value
