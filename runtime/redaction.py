"""Taking secrets out of text: those that the settings hold, and what looks like one."""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, SecretStr

from runtime.settings import Settings

HIDDEN = "[redacted]"

SHORTEST = 4
"""A shorter secret would take ordinary words out of the logs, and hides nothing."""

_NAMED = re.compile(
    r"""(?ix) (?P<name> \b (?:\w*password|passwd|passfile|pwd|\w*secret|api[_-]?key) \\*["']? \s* [=:] \s* )
    (?: (?P<quote> \\*["'] ) (?: (?!(?P=quote)) (?:\\+.|[^\\]) )* (?P=quote) | [^\s"'&,;})\\]+ )"""
)
_IN_ADDRESS = re.compile(r"""(?P<before>\b[a-z][\w+.-]*://[^\s:/@"']*:)[^\s/"']+(?=@)""", re.IGNORECASE)
_BEARER = re.compile(r"\b(?P<before>bearer|basic)\s+[\w.~+/=-]{12,}", re.IGNORECASE)
_SIGNING = re.compile(r"\bwhsec_[\w+/=-]+")


class Redaction:
    """Called with a text, gives it back without secrets."""

    def __init__(self, settings: Settings) -> None:
        found = {form for secret in _secrets(settings) for form in _forms(secret) if len(secret) >= SHORTEST}
        longest_first = sorted(found, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if found else None

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _NAMED.sub(rf"\g<name>{HIDDEN}", text)
        text = _IN_ADDRESS.sub(rf"\g<before>{HIDDEN}", text)
        return _SIGNING.sub(HIDDEN, _BEARER.sub(rf"\g<before> {HIDDEN}", text))


def _secrets(settings: Settings) -> Iterator[str]:
    yield settings.api_key
    yield from (key.key for key in settings.api_keys)
    yield from _passwords(settings.database_url)
    for name in type(settings).model_fields:
        yield from _held(getattr(settings, name))


def _held(value: object) -> Iterator[str]:
    """What is marked as secret anywhere within a setting; of an address also the password in it."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
        yield value.get_secret_value().removeprefix("whsec_")
        yield from _passwords(value.get_secret_value())
    elif isinstance(value, BaseModel):
        yield from _held(dict(value))
    elif isinstance(value, dict):
        yield from _held(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _held(part)


def _passwords(address: str) -> Iterator[str]:
    """Of a URL or a libpq connection string; of one that cannot be read, whatever stands where a password stands."""
    try:
        yield str(conninfo_to_dict(address).get("password") or "")
    except psycopg.Error:
        yield address
    try:
        yield unquote(urlsplit(address).password or "")
    except ValueError:
        yield address


def _forms(secret: str) -> Iterable[str]:
    """The secret as it stands in a text, an address, in JSON, in JSON within JSON, and in Python's quotes."""
    within = json.dumps(secret)[1:-1]
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'")
    forms = {secret, quote(secret), quote(secret, safe=""), within, plain, escaped, repr(secret)[1:-1]}
    return forms | {json.dumps(form)[1:-1] for form in forms}
