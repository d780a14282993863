"""Secrets that Longlead makes for itself: made once, and shared by every process of the database."""

import secrets
from datetime import datetime

from storage.connection import Connection

MAKE = "INSERT INTO secrets (name, value, created_at) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING"
READ = "SELECT value FROM secrets WHERE name = %s"


async def secret(conn: Connection, name: str, now: datetime) -> str:
    """The secret of that name, made when it is first asked for."""
    row = await (await conn.execute(READ, (name,))).fetchone()
    if row is None:
        await conn.execute(MAKE, (name, secrets.token_urlsafe(48), now))
        row = await (await conn.execute(READ, (name,))).fetchone()
        assert row is not None
    return str(row["value"])
