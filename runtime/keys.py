"""The API keys as they are configured: read from a setting or a file, and checked before anybody is let in."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from domain.errors import NotFoundError
from domain.plain_json import JsonObject
from domain.policy import ResponderType
from domain.principals import Principal, Responder, Role, is_own_source, is_reserved
from domain.text import Name

MAX_FILE_BYTES = 5_000_000
RESERVED_SOURCE = "longlead"


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _not_ours(source: str) -> str:
    if is_own_source(source):
        raise ValueError(f"sources that begin with {RESERVED_SOURCE!r} are Longlead's own")
    return source


def _visible(text: str) -> str:
    """Two ids that look the same must be the same."""
    if not text.isprintable():
        raise ValueError("must not contain control characters or invisible ones")
    return text


VisibleName = Annotated[Name, AfterValidator(_visible)]


class ApiKey(BaseModel):
    """A caller of the API: who it is and what it may do.

    Roles: `reader` reads; `receiver` sends what a site reports, `expediter` what vendors say, `events` every event;
    `approver` answers approvals; `admin` creates and changes buildings, retries events, and everything else. Every
    role may read.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    key: str = Field(min_length=16, repr=False, description="The secret, at least 16 characters.")
    id: VisibleName = Field(description="Stable id of the caller, shown in logs and decisions.")
    name: VisibleName = Field(description="Name to show.")
    type: ResponderType = "human"
    roles: list[Role] = Field(min_length=1)
    buildings: list[Name] | None = Field(
        None, min_length=1, description="Buildings it may see and act in, with their forks; absent: all."
    )
    sources: list[Annotated[Name, AfterValidator(_not_ours)]] | None = Field(
        None, min_length=1, description="Sources under which it may send events; absent: all."
    )
    approver: Name | None = Field(
        None, description="Role or name in the approver chain whose limit binds a person's answers; absent: none."
    )
    expires_at: Annotated[datetime, AfterValidator(_in_utc)] | None = Field(
        None, description="From when on it is refused; absent: never."
    )

    @property
    def digest(self) -> str:
        """SHA-256 of the secret."""
        return digest_of(self.key)

    @property
    def fingerprint(self) -> str:
        """Enough of the digest to tell two keys apart."""
        return self.digest[:8]

    @property
    def principal(self) -> Principal:
        """Who calls with this key."""
        return Principal(
            Responder(type=self.type, id=self.id, name=self.name),
            "key",
            frozenset(self.roles),
            buildings=None if self.buildings is None else frozenset(self.buildings),
            sources=None if self.sources is None else frozenset(self.sources),
            approver=self.approver,
            credential=self.digest,
        )

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def identity(self) -> JsonObject:
        """Everything but the secret and its end: two secrets of one id agree in it."""
        parts = self.model_dump(exclude={"key", "expires_at"})
        return {name: sorted(value) if isinstance(value, list) else value for name, value in parts.items()}


_KEYS: TypeAdapter[list[ApiKey]] = TypeAdapter(list[ApiKey])


def digest_of(secret: str) -> str:
    """SHA-256 of a secret; a header may hold what is no text."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def read_key_file(path: Path) -> list[ApiKey]:
    """The keys of a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: what it holds are no keys; the message has no secret in it.
    """
    with path.open("rb") as file:
        raw = file.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise ValueError(f"{path} is over {MAX_FILE_BYTES:,} bytes")
    try:
        return parse_keys(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parse_keys(text: str) -> list[ApiKey]:
    """The keys of a JSON list. An empty one is refused: it would let this machine in without any key.

    Raises:
        ValueError: it is no list of keys; the message has no secret in it.
    """
    try:
        keys = _KEYS.validate_json(text)
    except ValidationError as error:
        raise ValueError("; ".join(_problem(found) for found in error.errors(include_input=False))) from None
    if not keys:
        raise ValueError("holds no key; leave LONGLEAD_API_KEYS unset to run without keys, or add one")
    check_keys(keys)
    return keys


def check_keys(keys: Sequence[ApiKey]) -> None:
    """Refuse keys that contradict each other, or that would act in Longlead's own name.

    Raises:
        ValueError: the message names the keys' ids.
    """
    known: dict[str, ApiKey] = {}
    secrets: dict[str, str] = {}
    for key in keys:
        if is_reserved(key.id):
            raise ValueError(f"the id {key.id!r} is one of Longlead's own; give the key another")
        if key.digest in secrets:
            raise ValueError(f"the keys of {secrets[key.digest]!r} and {key.id!r} have the same secret")
        secrets[key.digest] = key.id
        folded = key.id.casefold()
        first = known.setdefault(folded, key)
        if first.identity() != key.identity():
            raise ValueError(
                f"the id {key.id!r} is there twice; two secrets of one id must agree in everything but key and "
                "expires_at"
            )


def warn_about(keys: Iterable[ApiKey], now: datetime) -> list[str]:
    """Sentences about keys that may do more, or less, than their owner thinks."""
    live = [key for key in keys if not key.is_expired(now)]
    warnings = [f"{key.id} ({key.fingerprint}): expired at {key.expires_at}" for key in keys if key.is_expired(now)]
    unbound = [key.id for key in live if _answers(key) and key.type == "human" and key.approver is None]
    if unbound:
        warnings.append(
            f"{_named(unbound)}: no `approver`, so they answer only what commits nothing and amounts within po_limit"
        )
    anything = [key.id for key in live if key.type != "human" and key.sources is None and _sends(key)]
    if anything:
        warnings.append(f"{_named(anything)}: programs without `sources`, which may send events as any source")
    padded = [key.id for key in live if key.key != key.key.strip() or not key.key.isascii()]
    if padded:
        warnings.append(f"{_named(padded)}: the secret has spaces at an end or is not ASCII; no header can carry it")
    return warnings


def _answers(key: ApiKey) -> bool:
    return bool({"approver", "admin"} & set(key.roles))


def _sends(key: ApiKey) -> bool:
    return bool({"events", "receiver", "expediter", "admin"} & set(key.roles))


def _named(ids: Iterable[str]) -> str:
    return "keys " + ", ".join(dict.fromkeys(ids))


def _problem(found: ErrorDetails) -> str:
    """What is wrong, by the key's place in the list: what stands there may be the secret."""
    number, *field = found["loc"] or ("JSON",)
    place = f"key {number + 1}" if isinstance(number, int) else str(number)
    return ": ".join([" ".join([place, ".".join(map(str, field))]).strip(), str(found["msg"])])


def dump_keys(keys: Iterable[ApiKey]) -> str:
    """The keys as a file holds them; what is not set is left out."""
    return (
        json.dumps([key.model_dump(mode="json", exclude_unset=True, exclude_none=True) for key in keys], indent=2)
        + "\n"
    )


def rotate(keys: Sequence[ApiKey], caller_id: str, secret: str, now: datetime, overlap: timedelta) -> list[ApiKey]:
    """The keys with a new secret for an id; its old ones end after `overlap`, expired ones are gone.

    Raises:
        NotFoundError: no key has that id, or all of them have expired.
    """
    own = [key for key in keys if key.id == caller_id and not key.is_expired(now)]
    if not own:
        ids = ", ".join(dict.fromkeys(key.id for key in keys))
        raise NotFoundError(f"There is no key with the id {caller_id!r} that is good now; there are {ids}.")
    current = max(own, key=lambda key: (key.expires_at is None, key.expires_at or now))
    rotated: list[ApiKey] = []
    for key in keys:
        if key.id != caller_id:
            rotated.append(key)
        elif not key.is_expired(now):
            ends = min(key.expires_at or now + overlap, now + overlap).replace(microsecond=0)
            rotated.append(key.model_copy(update={"expires_at": ends}))
    return [*rotated, current.model_copy(update={"key": secret})]


@contextmanager
def edited_key_file(path: Path) -> Iterator[list[ApiKey]]:
    """The keys of a file, which is written with what the list holds at the end: whole or not at all, for its owner
    alone. Two who edit it at once wait for each other.

    Raises:
        OSError, ValueError: it cannot be read or written, or holds no keys.
    """
    file = path.resolve(strict=True)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        keys = read_key_file(file)
        yield keys
        check_keys(keys)
        _replace(file, dump_keys(keys))
        os.fsync(folder)
    finally:
        os.close(folder)


def _replace(file: Path, text: str) -> None:
    owner = file.stat()
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            os.fchmod(opened.fileno(), 0o600)
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(opened.fileno(), owner.st_uid, owner.st_gid)  # the service must still be able to read it
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
