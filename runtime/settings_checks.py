"""What a setting's value must look like, and how a wrong or unknown one is told."""

import difflib
import json
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BeforeValidator, JsonValue, SecretStr
from pydantic.fields import FieldInfo

from domain.web_addresses import find_fault_of_base, is_host, is_web_url

_TOKEN = re.compile(r"[!-~]*")
T = TypeVar("T")
_MODEL = re.compile(r"[^\s,;'\"]+")
MAX_SHOWN = 80
"""Characters of a wrong value that are shown."""
MIN_LIKENESS = 0.65
"""From 0 to 1: how like an unknown setting a known one must be, to be what was probably meant."""


def check_host(host: str) -> str:
    """An IP address or a host name, without scheme and port."""
    if not is_host(host):
        raise ValueError("an IP address or a host name is expected, without http:// and without a port")
    return host


def check_url(url: str) -> str:
    """An http or https URL with a host, without a query."""
    if fault := find_fault_of_base(url):
        raise ValueError(fault)
    return url


def check_url_if_given(url: str) -> str:
    """The same, or nothing."""
    return check_url(url) if url else url


def check_webhook_url(url: SecretStr) -> SecretStr:
    """An http or https URL with a host; it may hold secrets, so nothing of it is said."""
    if not is_web_url(url.get_secret_value()):
        raise ValueError("an http or https URL with a host is expected; a webhook's address begins with https://")
    return url


def check_token(token: str) -> str:
    """A key as a header can carry it."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("a key of printable ASCII characters is expected, without spaces and line ends")
    return token


def check_secret_token(token: SecretStr) -> SecretStr:
    """The same of a secret."""
    check_token(token.get_secret_value())
    return token


def check_model(name: str) -> str:
    """One name of a model."""
    if name and not _MODEL.fullmatch(name):
        raise ValueError("one name of a model is expected, without spaces, quotes, commas and semicolons")
    return name


def check_models(names: list[str]) -> list[str]:
    """Names of models."""
    for name in names:
        if not name or not _MODEL.fullmatch(name):
            raise ValueError(
                "names of models with commas between them are expected, without spaces, quotes, semicolons"
            )
    return names


def split_names(given: T) -> T | JsonValue:
    """Names, comma separated; or a JSON list, as other settings that are lists have it."""
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith("["):
        return parse_json(given, "a JSON list of names, or names with commas between them")
    return [name.strip() for name in given.split(",") if name.strip()]


def parse_json(given: str, expected: str) -> JsonValue:
    """What JSON text holds; nothing of the text is said where it is none."""
    try:
        found: JsonValue = json.loads(given)
    except ValueError:
        raise ValueError(f"{expected} is expected") from None
    return found


def check_database_url(given: str) -> str:
    """What libpq understands. Checked here, since a later reader would quote the password."""
    if not given:
        return given
    import psycopg  # the command line reads settings, and needs no database for it
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = conninfo_to_dict(given)
    except psycopg.Error:
        raise ValueError(
            "not a URL or connection string of PostgreSQL; special characters in a URL's password are "
            "percent-encoded, such as %40 for @"
        ) from None
    ports = str(found.get("port") or "5432").split(",")
    if not all(port.strip().isdecimal() and 1 <= int(port) <= 65535 for port in ports):
        raise ValueError("its port is not a number from 1 to 65535")
    return given


def check_folder(folder: Path) -> Path:
    """A folder, or a place where one can be made."""
    folder = folder.expanduser() if str(folder).startswith("~") else folder
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists() or path.parent == path)
    if not above.is_dir():
        raise ValueError(f"a folder is expected, and {above} is a file")
    return folder


def refuse_empty(given: T) -> T:
    """Where nothing at all would mean something else than what was meant."""
    if isinstance(given, str) and not given.strip():
        raise ValueError("it is set and empty: set it to something, or not at all")
    return given


Host = Annotated[str, AfterValidator(check_host)]
Url = Annotated[str, AfterValidator(check_url)]
UrlOrNothing = Annotated[str, AfterValidator(check_url_if_given)]
Token = Annotated[str, AfterValidator(check_token)]
SecretToken = Annotated[SecretStr, AfterValidator(check_secret_token)]
ModelName = Annotated[str, AfterValidator(check_model)]
Folder = Annotated[Path, BeforeValidator(refuse_empty), AfterValidator(check_folder)]


def find_unknown(environment: Iterable[str], known: Iterable[str]) -> list[str]:
    """A sentence for each variable `LONGLEAD_*` that is no setting, with the setting that was probably meant."""
    settings = sorted(known)
    unknown = sorted(
        name
        for name in environment
        if name.upper().startswith("LONGLEAD_")
        and name.upper() not in settings
        and not _is_given_by_kubernetes(name.upper())
    )
    return [_unknown_in_words(name, settings) for name in unknown]


def _is_given_by_kubernetes(name: str) -> bool:
    """What Kubernetes sets by itself in every container beside a service that is called longlead."""
    ends = ("_TCP", "_UDP", "_SCTP", "_PROTO", "_PORT", "_ADDR")
    return name.endswith("_SERVICE_HOST") or "_SERVICE_PORT" in name or ("_PORT_" in name and name.endswith(ends))


def _unknown_in_words(name: str, settings: list[str]) -> str:
    """Compared by what follows the prefix, which all share; `LONGLEAD_OPENAI_API_KEY` means `OPENAI_API_KEY`."""
    by_rest = {setting.removeprefix("LONGLEAD_"): setting for setting in settings}
    close = difflib.get_close_matches(name.upper().removeprefix("LONGLEAD_"), by_rest, n=1, cutoff=MIN_LIKENESS)
    return f"{name} is not a setting" + (f"; did you mean {by_rest[close[0]]}?" if close else ".")


def describe_expected(setting: FieldInfo) -> str | None:
    """What a setting that is a number or one of a few words must be; None for other settings."""
    kinds = get_args(setting.annotation) or (setting.annotation,)
    if get_origin(setting.annotation) is Literal:
        return f"one of {', '.join(map(str, kinds))} is expected"
    if not {int, float, Decimal} & set(kinds):
        return None
    number = "a whole number" if int in kinds else "a number"
    bounds = {type(bound): bound for bound in setting.metadata}
    low, above, high = bounds.get(Ge), bounds.get(Gt), bounds.get(Le)
    parts = [
        *([f"from {low.ge}"] if low else [f"above {above.gt}"] if above else []),
        *([f"{'to' if low else 'and up to'} {high.le}"] if high else []),
        *(["or none"] if type(None) in kinds else []),
    ]
    return f"{' '.join([number, *parts])} is expected"


def _without_credentials(value: str) -> str:
    """A value as it may be shown: an address without user, password and query, which may hold secrets."""
    scheme, separator, rest = value.partition("://")
    if not separator:
        return value
    rest = rest.partition("?")[0]
    before, at, host = rest.rpartition("@")
    return f"{scheme}://{'...@' if at else ''}{host if at else before or rest}"


def describe_wrong(variable: str, message: str, given: Any, *, secret: bool) -> str:
    """What is wrong with a setting: its name, what was given unless that is secret, what is expected."""
    said = message.removeprefix("Value error, ")
    said = said[:1].lower() + said[1:] if said.startswith("Input should") else said
    if secret or given is None:
        return f"{variable}: {said}"
    text = _without_credentials(str(given))
    shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
    hint = ""
    if text.startswith("tcp://"):
        hint = " (Kubernetes sets this beside a service that is called longlead: say enableServiceLinks: false)"
    return f"{variable} is {shown!r}: {said}{hint}"
