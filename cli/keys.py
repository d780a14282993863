"""`longlead keys`: who may call, whether the keys are right, and a new secret for one of them."""

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from cli.output import Cell, Json, print_json, print_table
from cli.sentences import CommandError

if TYPE_CHECKING:
    from runtime.keys import ApiKey

app = typer.Typer(no_args_is_help=True, help="See and check the API keys; give one a new secret.")

File = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="File of keys; what LONGLEAD_API_KEYS names when absent.", show_default=False),
]
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_COLUMNS = ["id", "fingerprint", "name", "type", "roles", "buildings", "sources", "approver", "expires"]


@app.command("list")
def list_(file: File = None, as_json: Json = False) -> None:
    """List the keys, without their secrets."""
    now = datetime.now(UTC)
    rows = [_shown(key, now) for key in _keys(file)]
    if as_json:
        print_json(rows)
        return
    print_table("Keys", _COLUMNS, map(_row, rows), "No keys are configured: only this machine may call.")


@app.command()
def check(file: File = None, as_json: Json = False) -> None:
    """Say what is wrong with the keys, and what may surprise. Exit code 1 where the service would not start."""
    from runtime.keys import warn_about
    from runtime.settings import load_settings

    keys = _keys(file)
    warnings = warn_about(keys, datetime.now(UTC)) + _readable_by_others(file or load_settings().keys_file)
    if as_json:
        print_json({"keys": len(keys), "warnings": warnings})
        return
    for warning in warnings:
        print(f"Warning: {warning}.")
    print(f"{len(keys)} keys are right." if keys else "No keys are configured: only this machine may call.")


@app.command("rotate")
def rotate_(
    caller_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the key.", show_default=False)],
    file: File = None,
    overlap: Annotated[
        str, typer.Option("--overlap", help="How long the old secret still counts: 30m, 24h, 7d; 0 ends it at once.")
    ] = "24h",
    as_json: Json = False,
) -> None:
    """Give a key a new secret, and print it once. The service reads the file again by itself."""
    from runtime.keys import edited_key_file, rotate
    from runtime.settings import load_settings

    named = file or load_settings().keys_file
    if named is None:
        raise CommandError("Name the file of keys with --file: LONGLEAD_API_KEYS names none.")
    now, secret = datetime.now(UTC), secrets.token_urlsafe(32)
    ends = now + _duration(overlap)
    try:
        with edited_key_file(named) as keys:
            keys[:] = rotate(keys, caller_id, secret, now, ends - now)
    except (OSError, ValueError) as error:
        raise CommandError(f"The keys were not changed: {error}.") from error
    if as_json:
        print_json({"id": caller_id, "key": secret, "old_expires_at": ends.replace(microsecond=0)})
        return
    print(secret)
    print(f"The old secret of {caller_id} counts until {ends:%Y-%m-%d %H:%M} UTC. This one is not shown again.")


def _keys(file: Path | None) -> list["ApiKey"]:
    from runtime.keys import read_key_file
    from runtime.settings import load_settings

    if file is None:
        return load_settings().api_keys
    try:
        return read_key_file(file)
    except (OSError, ValueError) as error:
        raise CommandError(f"The keys are wrong: {error}.") from error


class _Shown(TypedDict):
    """A key without its secret."""

    id: str
    fingerprint: str
    name: str
    type: str
    roles: Sequence[str]
    buildings: Sequence[str] | None
    sources: Sequence[str] | None
    approver: str | None
    expires_at: datetime | None
    expired: bool


def _shown(key: "ApiKey", now: datetime) -> _Shown:
    return {
        "id": key.id,
        "fingerprint": key.fingerprint,
        "name": key.name,
        "type": key.type,
        "roles": key.roles,
        "buildings": key.buildings,
        "sources": key.sources,
        "approver": key.approver,
        "expires_at": key.expires_at,
        "expired": key.is_expired(now),
    }


def _row(shown: _Shown) -> list[Cell]:
    ends = shown["expires_at"]
    expires = "never" if ends is None else f"{ends:%Y-%m-%d %H:%M}{' (expired)' if shown['expired'] else ''}"
    return [
        shown["id"],
        shown["fingerprint"],
        shown["name"],
        shown["type"],
        ", ".join(shown["roles"]),
        *(", ".join(named) if named else "all" for named in (shown["buildings"], shown["sources"])),
        shown["approver"] or "none",
        expires,
    ]


def _readable_by_others(file: Path | None) -> list[str]:
    if file is None or not file.exists() or not file.stat().st_mode & 0o077:
        return []
    return [f"{file} can be read by other users of this machine: chmod 600 it"]


_DURATION = re.compile(r"([0-9]{1,4})([mhd])|0")


def _duration(given: str) -> timedelta:
    found = _DURATION.fullmatch(given.strip())
    if found is None:
        raise CommandError(f"--overlap {given!r} is no duration: write 30m, 24h, 7d or 0.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found[2] else timedelta()
