"""A user of the database who may have few connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.connection import Connection
from storage.database import connect


@dataclass(frozen=True)
class Few:
    """`conninfo` is that user's; limits are set by the database's owner."""

    conninfo: str
    owner: Connection

    async def limit(self, whose: str, connections: int) -> None:
        """Allow so many connections to `the role` or `the database`."""
        names = conninfo_to_dict(self.conninfo)
        kind, name = ("ROLE", names["user"]) if whose == "the role" else ("DATABASE", names["dbname"])
        statement = sql.SQL("ALTER {} {} CONNECTION LIMIT {}")
        await self.owner.execute(statement.format(sql.SQL(kind), sql.Identifier(str(name)), sql.Literal(connections)))


@asynccontextmanager
async def open_few(database: str) -> AsyncIterator[Few]:
    """Such a user of that database, gone at the end."""
    name, owner_name = f"few_{uuid4().hex[:12]}", str(conninfo_to_dict(database)["user"])
    role, member = sql.Identifier(name), sql.SQL("GRANT {} TO {}")
    async with await connect(database, application_name="owner") as owner:
        await owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        await owner.execute(member.format(sql.Identifier(owner_name), role))
        try:
            yield Few(make_conninfo(database, user=name), owner)
        finally:
            await owner.execute(sql.SQL("DROP OWNED BY {}").format(role))
            await owner.execute(sql.SQL("DROP ROLE {}").format(role))
