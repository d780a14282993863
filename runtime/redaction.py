"""Taking secrets out of text: those that the settings hold, and what looks like one."""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, SecretStr

from runtime.keys import ApiKey
from runtime.settings import Settings

HIDDEN = "[redacted]"

SHORTEST = 4
"""A shorter secret would take ordinary words out of the logs, and hides nothing."""

LONG_HEADER = 16
"""Characters from which a header's value is taken for a secret, whatever its name."""
_TELLING = re.compile("auth|key|token|secret|pass|cookie", re.IGNORECASE)

# Text from outside comes through here on every line of the log: no pattern may try a place twice (tests/stalls), so
# repeats are possessive, and what stands in quotes is found by `_end_of_quoted` instead of a pattern.
_NAMED = re.compile(r"""(?:password|passwd|passfile|pwd|secret|api[_-]?key)\\*+["']?+\s*+[=:]\s*+""", re.IGNORECASE)
_QUOTE = re.compile(r"""(?<!\\)\\*+["']""")
_QUOTES = {quote: re.compile(rf"(?<!\\)\\*+{quote}") for quote in ("'", '"')}
_BARE = re.compile(r"""[^\s"'&,;})\\]++""")
_IN_ADDRESS = re.compile(r"""(?P<before>(?<=[\w+.-])://[^\s:/@"']*+:)[^\s/"']+(?=@)""")
_BEARER = re.compile(r"\b(?P<before>bearer|basic)\s++[\w.~+/=-]{12,}+", re.IGNORECASE)
_SIGNING = re.compile(r"\bwhsec_[\w+/=-]++")


class Redaction:
    """Called with a text, gives it back without secrets."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._forms: set[str] = set()
        self._keys: list[ApiKey] | None = None
        self._known: re.Pattern[str] | None = None

    def _learn(self) -> None:
        """Know the secrets of the settings: keys are read again when their file changes, and old ones stay hidden."""
        self._keys = self._settings.api_keys
        self._forms |= {
            form for secret in _secrets(self._settings) for form in _forms(secret) if len(secret) >= SHORTEST
        }
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        if self._keys is not self._settings.api_keys:
            self._learn()
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _without_named(text)
        text = _IN_ADDRESS.sub(rf"\g<before>{HIDDEN}", text)
        return _SIGNING.sub(HIDDEN, _BEARER.sub(rf"\g<before> {HIDDEN}", text))


def _without_named(text: str) -> str:
    """Without what follows `password=`, `secret:` and the like: a word, or all that stands in quotes."""
    kept, place = [], 0
    while named := _NAMED.search(text, place):
        end = _end_of_value(text, named.end())
        kept.append(text[place : named.end()])
        if end > named.end():
            kept.append(HIDDEN)
        place = end
    return "".join([*kept, text[place:]])


def _end_of_value(text: str, start: int) -> int:
    quote = _QUOTE.match(text, start)
    if quote is not None:
        return _end_of_quoted(text, quote)
    bare = _BARE.match(text, start)
    return start if bare is None else bare.end()


def _end_of_quoted(text: str, quote: re.Match[str]) -> int:
    """Where the quote is closed, as JSON closes it, also within JSON; where none is, all of the line is taken."""
    depth = len(quote.group())  # backslashes, and the quote itself
    found = text.find("\n", quote.end())
    line_end = len(text) if found < 0 else found
    for closing in _QUOTES[quote.group()[-1]].finditer(text, quote.end(), line_end):
        if len(closing.group()) % (2 * depth) == depth % (2 * depth):
            return closing.end()
    return line_end


def _secrets(settings: Settings) -> Iterator[str]:
    yield settings.api_key
    yield from (key.key for key in settings.api_keys)
    yield from _passwords(settings.database_url)
    for url in (settings.otel_endpoint, settings.otel_traces_endpoint):
        yield _password_of_url(url)
    for headers in (settings.otel_headers, settings.otel_traces_headers):
        yield from _secrets_of_headers(headers.get_secret_value())
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


def _secrets_of_headers(headers: str) -> Iterator[str]:
    """Values of `name=value,name=value` that are secret by their name or their length; also the parts of one that is
    written wrongly. A tenant's name is a header as well, and is a word that logs may need."""
    for header in headers.split(","):
        name, sign, value = header.partition("=")
        text = unquote(value if sign else header).strip()
        if not sign or len(text) >= LONG_HEADER or _TELLING.search(name):
            yield text
            yield text.rpartition(" ")[2]


def _password_of_url(url: str) -> str:
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


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
