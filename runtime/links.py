"""Signed links: whoever holds one may see one approval or one building's log, as the person it was made for.

A link holds for as long as what it was made for: the person in that role, at that address; or the key that asked for
it. It names when it was made, so that links made before a revocation can be told from those made after.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from itsdangerous import BadData, URLSafeSerializer

from domain.buildings import Building, Contact
from domain.errors import LongleadError
from domain.principals import LOCAL_PRINCIPAL, Principal, Responder
from runtime.keyring import Keyring
from runtime.settings import Settings
from storage import links
from storage.connection import Connection
from storage.secrets import secret

Purpose = Literal["approval", "log"]
PATHS: dict[Purpose, str] = {"approval": "/pages/approval/", "log": "/pages/log/"}
SECRET = "links"

_FORM = 2
"""Which form the content of a link has. Links of the first named neither an address nor when they were made."""
_FINGERPRINT = 22


class BadLinkError(LongleadError):
    """The link is incomplete, or was not made by this service. Copy it whole, or ask for a new one."""

    status = 404
    title = "No such page"


class ExpiredLinkError(LongleadError):
    """The link has expired. Ask for a new one."""

    status = 410
    title = "Link expired"


class EndedLinkError(LongleadError):
    """The link no longer holds: it was revoked, or whom it was made for is no longer who answers."""

    status = 403
    title = "Link no longer valid"


@dataclass(frozen=True)
class Audience:
    """Whom a link is made for. `role`: who has that role on the building; `caller`: the holder of an API key."""

    id: str
    name: str
    kind: Literal["role", "caller"] = "role"
    address: str = ""
    """Where the link is sent; for a caller the digest of the key's secret."""


@dataclass(frozen=True)
class Link:
    """What a link says: the approval or the building, the version that was asked about, for whom, from when until
    when."""

    purpose: Purpose
    subject: str
    version: int
    audience: Audience
    """Its address is a fingerprint of the one that it was made for."""
    made_at: datetime
    """By the database's clock."""
    expires_at: datetime
    approval_id: str = ""
    """Of a log: the question whose page leads to it."""


class Linker:
    """Makes links and reads them back."""

    def __init__(self, key: str, base: str, lifetime: timedelta, made_at: datetime) -> None:
        self._key, self._base, self._lifetime, self._made_at = key.encode(), base, lifetime, made_at
        self._signer = URLSafeSerializer(
            key, salt="longlead.link", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )

    def make(self, purpose: Purpose, subject: str, version: int, audience: Audience, now: datetime) -> Link:
        """A link that is good from now on, for as long as links are."""
        expires_at = datetime.fromtimestamp(int((now + self._lifetime).timestamp()), UTC)
        bound = Audience(audience.id, audience.name, audience.kind, self.fingerprint(audience.address))
        return Link(purpose, subject, version, bound, self._made_at, expires_at)

    def fingerprint(self, address: str) -> str:
        """An address as a link names it: who holds the link cannot read it, nor guess it."""
        folded = " ".join(address.split()).casefold()
        return hmac.new(self._key, b"longlead.address:" + folded.encode(), "sha256").hexdigest()[:_FINGERPRINT]

    def path(self, link: Link) -> str:
        """Where the link leads on this service."""
        audience = link.audience
        said = [_FORM, link.purpose, link.subject, link.version, link.approval_id]
        said += [audience.id, audience.name, audience.kind, audience.address]
        token = self._signer.dumps([*said, _microseconds(link.made_at), int(link.expires_at.timestamp())])
        return PATHS[link.purpose] + (token if isinstance(token, str) else token.decode())

    def url(self, link: Link) -> str:
        return self._base + self.path(link)

    def read(self, purpose: Purpose, token: str) -> Link:
        """What a link says. Whether it still holds is asked with `principal_of_link`.

        Raises:
            BadLinkError: it was not made here, or for another kind of page.
            EndedLinkError: it was made by an earlier version.
        """
        try:
            said = self._signer.loads(token)
        except BadData as error:
            raise BadLinkError("This link is incomplete, or was not made by this service. Copy it whole.") from error
        if not said or said[0] != _FORM:
            raise EndedLinkError(
                "This link was made by an earlier version and no longer holds. The next reminder brings a new one."
            )
        _, made_for, subject, version, approval_id, id_, name, kind, address, made_at, until = said
        if made_for != purpose:
            raise BadLinkError("This link leads to another page.")
        expires_at = datetime.fromtimestamp(until, UTC)
        made = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=made_at)
        return Link(purpose, subject, version, Audience(id_, name, kind, address), made, expires_at, approval_id)


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


async def principal_of_link(
    conn: Connection, keyring: Keyring, linker: Linker, link: Link, building: Building, now: datetime
) -> Principal:
    """Who acts through a link, as of now.

    Raises:
        ExpiredLinkError: it is too old.
        EndedLinkError: it was revoked, or whom it was made for has no such role, address or key any more.
    """
    if link.expires_at <= now:
        raise ExpiredLinkError(
            f"This link was good until {link.expires_at:%Y-%m-%d %H:%M} UTC. The next reminder has a new one."
        )
    audience = link.audience
    if await links.is_revoked(
        conn,
        made_at=link.made_at,
        buildings={building.building_id, building.known_as},
        approvals={link.subject, link.approval_id},
        person=audience.id,
    ):
        raise EndedLinkError("This link was revoked. The next reminder brings a new one to who is asked now.")
    if audience.kind == "caller":
        return _principal_of_caller(keyring, linker, link, building)
    current = holder(building, audience.id)
    role = audience.id.replace("_", " ")
    if current.name != audience.name:
        raise EndedLinkError(
            f"This link was made for {audience.name}, who is no longer {role} of this building. Who is now gets a "
            "link of their own with the next message."
        )
    if linker.fingerprint(current.address) != audience.address:
        raise EndedLinkError(
            f"This link was sent to an address that is no longer that of {audience.name}, {role} of this building. "
            "The next message brings a new one."
        )
    return Principal(
        Responder(type="human", id=audience.id, name=audience.name),
        "link",
        frozenset({"approver"}),
        buildings=frozenset({building.known_as}),
        sources=frozenset(),
        approver=audience.id,
    )


def _principal_of_caller(keyring: Keyring, linker: Linker, link: Link, building: Building) -> Principal:
    """The holder of the very key that asked for the link: not one who got the same id later."""
    audience = link.audience
    known = keyring.holders(audience.id) if keyring else [LOCAL_PRINCIPAL]
    for caller in known:
        same = caller.responder.id == audience.id and linker.fingerprint(caller.credential) == audience.address
        if same and caller.is_person and caller.may_enter(building.known_as):
            if link.purpose == "log" or caller.may("approver"):
                return replace(caller, via="link")
            raise EndedLinkError(f"This link was made for {audience.name}, who may no longer answer questions.")
    raise EndedLinkError(
        f"This link was made with a key of {audience.name} that no longer holds. Ask for a new link with a key that "
        "does."
    )


async def linker(conn: Connection, settings: Settings, now: datetime) -> Linker:
    """The maker of links of this installation: with the secret of the settings, else with the database's own."""
    key = settings.link_secret.get_secret_value() or await secret(conn, SECRET, now)
    return Linker(key, settings.link_base, timedelta(days=settings.link_days), await links.now(conn))


def holder(building: Building, role: str, sent_to: str | None = None) -> Audience:
    """Who has a role on the building now; the role itself where nobody has it. `sent_to` is where the link goes, if
    not to their address of now: it then holds only if that is theirs."""
    address = sent_to or building.address_of(role)
    held = building.has_party(role)
    return Audience(role, _name(building, role) or role, address=address if held else f"nobody, {address}")


def _name(building: Building, role: str) -> str | None:
    for approver in building.approvers:
        if approver.role == role:
            return approver.name
    contact = building.contacts.get(role)
    return contact.name if isinstance(contact, Contact) else None
