"""Signed links: whoever holds one may see one approval or one building's log, as the person it was made for."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from itsdangerous import BadData, URLSafeSerializer

from domain.buildings import Building, Contact
from domain.errors import LongleadError
from runtime.settings import Settings
from storage.connection import Connection
from storage.secrets import secret

Purpose = Literal["approval", "log"]
PATHS: dict[Purpose, str] = {"approval": "/pages/approval/", "log": "/pages/log/"}
SECRET = "links"


class BadLinkError(LongleadError):
    """The link is incomplete, or was not made by this service. Copy it whole, or ask for a new one."""

    status = 404
    title = "No such page"


class ExpiredLinkError(LongleadError):
    """The link has expired. Ask for a new one."""

    status = 410
    title = "Link expired"


@dataclass(frozen=True)
class Audience:
    """Whom a link was made for. `role`: whoever has that role on the building; `caller`: the holder of an API key."""

    id: str
    name: str
    kind: Literal["role", "caller"] = "role"


@dataclass(frozen=True)
class Link:
    """What a link says: the approval or the building, the version that was asked about, for whom, until when."""

    purpose: Purpose
    subject: str
    version: int
    audience: Audience
    expires_at: datetime


class Linker:
    """Makes links and reads them back."""

    def __init__(self, key: str, base: str, lifetime: timedelta) -> None:
        self._base, self._lifetime = base, lifetime
        self._signer = URLSafeSerializer(
            key, salt="longlead.link", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )

    def make(self, purpose: Purpose, subject: str, version: int, audience: Audience, now: datetime) -> Link:
        """A link that is good from now on, for as long as links are."""
        expires_at = datetime.fromtimestamp(int((now + self._lifetime).timestamp()), UTC)
        return Link(purpose, subject, version, audience, expires_at)

    def path(self, link: Link) -> str:
        """Where the link leads on this service."""
        said = [link.purpose, link.subject, link.version, link.audience.id, link.audience.name, link.audience.kind]
        token = self._signer.dumps([*said, int(link.expires_at.timestamp())])
        return PATHS[link.purpose] + (token if isinstance(token, str) else token.decode())

    def url(self, link: Link) -> str:
        return self._base + self.path(link)

    def read(self, purpose: Purpose, token: str, now: datetime) -> Link:
        """What a link says.

        Raises:
            BadLinkError: it was not made here, or for another kind of page.
            ExpiredLinkError: it is too old.
        """
        try:
            said: Any = self._signer.loads(token)
        except BadData as error:
            raise BadLinkError("This link is incomplete, or was not made by this service. Copy it whole.") from error
        made_for, subject, version, id_, name, kind, until = said
        if made_for != purpose:
            raise BadLinkError("This link leads to another page.")
        expires_at = datetime.fromtimestamp(until, UTC)
        if expires_at <= now:
            raise ExpiredLinkError(
                f"This link was good until {expires_at:%Y-%m-%d %H:%M} UTC. The next reminder has a new one."
            )
        return Link(purpose, subject, version, Audience(id_, name, kind), expires_at)


async def linker(conn: Connection, settings: Settings, now: datetime) -> Linker:
    """The maker of links of this installation: with the secret of the settings, else with the database's own."""
    key = settings.link_secret.get_secret_value() or await secret(conn, SECRET, now)
    return Linker(key, settings.link_base, timedelta(days=settings.link_days))


def holder(building: Building, role: str) -> Audience:
    """Who has a role on the building now."""
    for approver in building.approvers:
        if approver.role == role:
            return Audience(role, approver.name)
    contact = building.contacts.get(role)
    name = contact.name if isinstance(contact, Contact) else None
    return Audience(role, name or role)
