"""Which buildings a caller may enter. Held against the address of every call, so that no route can forget it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import Request

from api.held import connection
from domain.absent import no_approval, no_building, no_delegation, no_message, no_rule
from domain.errors import ForbiddenError, NotFoundError
from domain.principals import Principal
from domain.rules import split_id
from storage import owners
from storage.connection import Connection

WITHIN_A_BUILDING = frozenset({"item_id", "event_id", "checkpoint_id", "fork_id", "vendor_id"})
"""Parts of an address that name something within the building that the address names as well."""

_INT64 = 2**63
_MAX_ID = 1000


async def _of_full_id(_: Connection, full_id: str) -> str | None:
    return split_id(full_id)[0]


async def _itself(_: Connection, building_id: str) -> str | None:
    return building_id


async def _of_message(conn: Connection, outbox_id: str) -> str | None:
    return await owners.building_of_message(conn, int(outbox_id))


@dataclass(frozen=True)
class _Kind:
    """What a part of an address names: how its building is found, and what is said where there is none."""

    building: Callable[[Connection, str], Awaitable[str | None]]
    absent: Callable[[str], NotFoundError]
    is_id: Callable[[str], bool] = lambda value: len(value) <= _MAX_ID and "\x00" not in value


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 20 and 0 < int(value) < _INT64


_KINDS: Mapping[str, _Kind] = {
    "building_id": _Kind(_itself, no_building),
    "approval_id": _Kind(owners.building_of_approval, no_approval),
    "rule_id": _Kind(_of_full_id, no_rule),
    "delegation_id": _Kind(_of_full_id, no_delegation),
    "outbox_id": _Kind(_of_message, no_message, _is_number),
}


async def enter(request: Request, caller: Principal) -> None:
    """Let a caller pass only to what belongs to their buildings.

    Raises:
        NotFoundError: it belongs to none of them, or does not exist: the two cannot be told apart.
        ForbiddenError: the address names something whose building is not known.
    """
    if caller.buildings is None:
        return
    named = request.path_params
    for name, value in named.items():
        kind = _KINDS.get(name)
        if kind is not None:
            await _enter_by(request, caller, kind, str(value).strip())
        elif name not in WITHIN_A_BUILDING or "building_id" not in named:
            raise ForbiddenError(f"{caller.responder.name} is bound to buildings, and this address names none.")


async def _enter_by(request: Request, caller: Principal, kind: _Kind, value: str) -> None:
    if not kind.is_id(value):
        return  # no such id can exist: it is answered with 422
    async with connection(request.app.state.resources) as conn:
        building_id = await kind.building(conn, value)
        if building_id is None or not await is_theirs(conn, caller, building_id):
            raise kind.absent(value)


async def is_theirs(conn: Connection, caller: Principal, building_id: str) -> bool:
    """Whether a building, or the one that it is a fork of, is one of the caller's."""
    if caller.buildings is None:
        return True
    origin = await owners.origin_of(conn, building_id)
    return origin is not None and caller.may_enter(origin)


async def must_be_theirs(conn: Connection, caller: Principal, building_id: str) -> None:
    """NotFoundError for a building that is not theirs: for bodies, which name it where no address does."""
    if not await is_theirs(conn, caller, building_id):
        raise no_building(building_id)
