"""`longlead status`: how the service is, read from the database itself."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from cli.database import Data, existing_database
from cli.output import Json, print_fields, print_json
from runtime.settings import Settings, load_settings
from storage.database import connect
from storage.health import Snapshot, snapshot


def status(data: Data = None, as_json: Json = False) -> None:
    """Say how the service is: workers, backlog, dead events, open questions. Reads the database, not the service."""
    counted = asyncio.run(_read(load_settings(data_dir=data)))
    if as_json:
        print_json(asdict(counted))
    else:
        print_fields(_for_people(counted))


async def _read(settings: Settings) -> Snapshot:
    async with (
        existing_database(settings) as conninfo,
        await connect(conninfo, application_name="longlead status") as conn,
    ):
        return await snapshot(conn, settings.stalled_after)


def _for_people(counted: Snapshot) -> dict[str, Any]:
    oldest = counted.oldest_waiting
    dead = counted.events_with("dead")
    return {
        "workers": counted.workers or "none: start one with `longlead worker` or `longlead serve`",
        "buildings": counted.buildings,
        "queued events": counted.events_with("queued"),
        "running events": counted.events_with("running"),
        "oldest waiting": "-" if oldest is None else f"{(datetime.now(UTC) - oldest).total_seconds():.0f} s",
        "done events": counted.events_with("done"),
        "dead events": f"{dead}: see `longlead events list BUILDING --status dead`" if dead else 0,
        "pending approvals": counted.pending_approvals,
        "outbox": ", ".join(f"{count} {state}" for state, count in counted.outbox) or "empty",
    }
