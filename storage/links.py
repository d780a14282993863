"""Links on record: which no longer hold, and what was done with those that were opened."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.types.json import Jsonb

from domain.principals import Author
from storage.connection import Connection
from storage.pages import Listing

Scope = Literal["all", "approval", "person"]
Use = Literal["shown", "answered", "refused"]

KEPT_DAYS = 400
"""How long the uses of links stay on record."""

NOW = "SELECT clock_timestamp() AS at"

REVOKE = """
INSERT INTO link_revocations (scope, subject, within, why, revoked_by) VALUES (%s, %s, %s, %s, %s)
RETURNING revocation_id, revoked_at"""

# On the record of each building whose links end.
AUDITED = """
INSERT INTO audit (building_id, at, by, what, subject, detail)
SELECT b.building_id, %(at)s, %(by)s, 'links_revoked', coalesce(%(subject)s::text, 'all'), %(detail)s FROM buildings b
 WHERE b.mode = 'live' AND (%(within)s::text IS NULL OR b.building_id = %(within)s)
   AND (%(scope)s <> 'approval' OR EXISTS (
       SELECT 1 FROM approvals a WHERE a.building_id = b.building_id AND a.approval_id = %(subject)s))"""

REVOKED = """
SELECT revoked_at, why FROM link_revocations
 WHERE revoked_at >= %(made_at)s AND (within IS NULL OR within = ANY(%(buildings)s))
   AND (scope = 'all' OR (scope = 'approval' AND subject = ANY(%(approvals)s))
        OR (scope = 'person' AND subject = %(person)s))
 ORDER BY revoked_at LIMIT 1"""

# A page that looks again by itself, or somebody who tries again and again, is on record once an hour.
ADD_USE = """
INSERT INTO link_uses (building_id, page, subject, person, name, address, what, why, at)
SELECT %(building_id)s, %(page)s, %(subject)s, %(person)s, %(name)s, %(address)s, %(what)s, %(why)s, %(at)s
 WHERE EXISTS (SELECT 1 FROM buildings WHERE building_id = %(building_id)s)
   AND (%(what)s = 'answered' OR NOT EXISTS (
       SELECT 1 FROM link_uses u
        WHERE u.building_id = %(building_id)s AND u.page = %(page)s AND u.subject = %(subject)s
          AND u.person = %(person)s AND u.address = %(address)s AND u.what = %(what)s
          AND u.why IS NOT DISTINCT FROM %(why)s AND u.at > %(at)s - interval '1 hour'))"""

LINK_USES = Listing(
    """
SELECT r.use_id, r.building_id, r.page, r.subject, r.person, r.name, r.address, r.what, r.why, r.at
  FROM link_uses r""",
    {"use_id": int},
    {"building_id": "r.building_id = %(building_id)s"},
)
"""What was done with the links of a building, the oldest first."""


@dataclass(frozen=True)
class Revocation:
    """Links that no longer hold: all, those to one question, or those of one person; `within` one building or all."""

    scope: Scope
    subject: str | None = None
    within: str | None = None


@dataclass(frozen=True)
class LinkUse:
    """What was done with a link."""

    building_id: str
    page: Literal["approval", "log"]
    subject: str
    person: str
    name: str
    address: str
    what: Use
    why: str | None = None


async def now(conn: Connection) -> datetime:
    """The database's own time, which all processes share."""
    row = await (await conn.execute(NOW)).fetchone()
    assert row is not None
    at: datetime = row["at"]
    return at


async def revoke(conn: Connection, revocation: Revocation, why: str, by: Author) -> datetime:
    """End the links that were made until now. Returns when."""
    author = Jsonb(by.model_dump(mode="json"))
    async with conn.transaction():
        given = (revocation.scope, revocation.subject, revocation.within, why, author)
        row = await (await conn.execute(REVOKE, given)).fetchone()
        assert row is not None
        at: datetime = row["revoked_at"]
        detail = Jsonb({"scope": revocation.scope, "why": why})
        await conn.execute(AUDITED, {**vars(revocation), "at": at, "by": author, "detail": detail})
    return at


async def is_revoked(
    conn: Connection, *, made_at: datetime, buildings: Collection[str], approvals: Collection[str], person: str
) -> bool:
    """Whether a link made then for this person has been revoked since."""
    asked = {"made_at": made_at, "buildings": list(buildings), "approvals": list(approvals), "person": person}
    return await (await conn.execute(REVOKED, asked)).fetchone() is not None


async def record_use(conn: Connection, use: LinkUse, at: datetime) -> None:
    """Put a use of a link on record."""
    await conn.execute(ADD_USE, {**vars(use), "at": at})
