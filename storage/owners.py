"""Which building something belongs to; a fork counts as the building that it was made of."""

from storage.connection import Connection

ORIGIN = "SELECT COALESCE(origin, building_id) AS origin FROM buildings WHERE building_id = %s"
OF_APPROVAL = "SELECT building_id FROM approvals WHERE approval_id = %s"
OF_MESSAGE = "SELECT building_id FROM outbox WHERE outbox_id = %s"


async def origin_of(conn: Connection, building_id: str) -> str | None:
    """The building that this one is, or is a fork of; None when there is none."""
    return await _value(conn, ORIGIN, building_id)


async def building_of_approval(conn: Connection, approval_id: str) -> str | None:
    return await _value(conn, OF_APPROVAL, approval_id)


async def building_of_message(conn: Connection, outbox_id: int) -> str | None:
    return await _value(conn, OF_MESSAGE, outbox_id)


async def _value(conn: Connection, query: str, key: str | int) -> str | None:
    row = await (await conn.execute(query, (key,))).fetchone()
    return None if row is None else str(next(iter(row.values())))
