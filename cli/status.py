"""`longlead status`: how the service is, read from the database itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.database import Data, existing_database
from cli.output import Cell, Json, print_fields, print_json, print_table

if TYPE_CHECKING:
    from runtime.settings import Settings
    from storage.health import AtWork, Report, Snapshot, Waiting
    from storage.workers import WorkerProcess

MOST_ERROR = 160
"""Characters of an error in a table; `longlead events list` and `longlead messages list` have more with `--json`."""


def status(data: Data = None, as_json: Json = False) -> None:
    """Say how the service is: workers and what they do, backlog, dead events, open questions, messages.

    Reads the database, not the service: it works when nothing runs.
    """
    from runtime.settings import load_settings

    settings, now = load_settings(data_dir=data), datetime.now(UTC)
    told = asyncio.run(_read(settings, now))
    if as_json:
        print_json(_for_machines(told))
        return
    print_fields(_for_people(told, now))
    _print_lists(told, now, settings.stalled_after)


async def _read(settings: "Settings", now: datetime) -> "Report":
    from storage.database import connect
    from storage.health import report

    async with (
        existing_database(settings) as conninfo,
        await connect(conninfo, application_name="longlead status") as conn,
    ):
        return await report(conn, settings.stalled_after, now)


def _for_machines(told: "Report") -> Mapping[str, object]:
    counted = told.snapshot
    lists = {name: value for name, value in asdict(told).items() if name != "snapshot"}
    sums = {"pending_approvals": counted.pending_approvals, "overdue_approvals": counted.overdue_approvals}
    return {**asdict(counted), **sums, **lists}


def _for_people(told: "Report", now: datetime) -> Mapping[str, Cell]:
    counted = told.snapshot
    dead = counted.events_with("dead")
    return {
        "workers": _workers(told),
        "buildings": counted.buildings,
        "queued events": counted.events_with("queued"),
        "running events": counted.events_with("running"),
        "oldest waiting": _ago(counted.oldest_waiting, now),
        "done events": counted.ended_as("done"),
        "retries": counted.ended_as("retried"),
        "dead events": f"{dead}: see below; `longlead events retry` after a fix" if dead else 0,
        "pending approvals": _approvals(counted),
        "outbox": _outbox(counted),
    }


def _workers(told: "Report") -> str:
    if not told.snapshot.workers:
        return "none: start one with `longlead worker` or `longlead serve`"
    slots = sum(row.slots or 0 for row in told.worker_processes)
    in_use = sum(row.slots_in_use for row in told.worker_processes)
    return f"{len(told.worker_processes)}, with {in_use} of {slots} slots in use"


def _outbox(counted: "Snapshot") -> str:
    waits = ", ".join(f"{count} {state}" for state, count in counted.outbox) or "nothing waits"
    return f"{waits}: see below; `longlead messages retry` after a fix" if "dead" in dict(counted.outbox) else waits


def _approvals(counted: "Snapshot") -> str:
    kinds = ", ".join(f"{pending} {kind}" for kind, pending, _ in counted.approvals)
    late = f", {counted.overdue_approvals} overdue" if counted.overdue_approvals else ""
    return f"{counted.pending_approvals}{late}" + (f" ({kinds})" if kinds else "")


def _print_lists(told: "Report", now: datetime, stalled_after: float) -> None:
    if told.worker_processes:
        columns = [
            *("host", "pid", "slots in use", "open", "connections at most"),
            *("version", "started", "sign of life"),
        ]
        rows = [_process(row, now, stalled_after) for row in told.worker_processes]
        print_table("Workers", columns, rows, empty="")
    if at_work := [row for row in told.at_work if row.task is not None]:
        columns = ["host", "pid", "doing"]
        doing: list[list[Cell]] = [[row.host or "?", row.pid or "?", _doing(row, now)] for row in at_work]
        print_table("At work", columns, doing, empty="")
    if told.most_waiting:
        waiting: list[list[Cell]] = [
            [row.building_id, row.waiting, _ago(row.oldest, now), _held_up_by(row, now)] for row in told.most_waiting
        ]
        print_table("Most waiting", ["building", "events", "oldest", "held up by"], waiting, empty="")
    if told.dead_letters:
        dead: list[list[Cell]] = [
            [row.building_id, row.event_id, row.event_type, _error(row.error)] for row in told.dead_letters
        ]
        print_table("Dead events", ["building", "event", "type", "error"], dead, empty="")
    if told.dead_messages:
        lost: list[list[Cell]] = [
            [row.outbox_id, row.building_id, row.recipient, row.subject, _error(row.error)]
            for row in told.dead_messages
        ]
        print_table("Messages given up", ["id", "building", "to", "subject", "error"], lost, empty="")


def _process(row: "WorkerProcess", now: datetime, stalled_after: float) -> list[Cell]:
    sign = _sign(row, now, stalled_after)
    if row.pid is None:  # of a version that did not say more
        return ["?", "?", row.slots_in_use, "?", "?", "?", "?", sign]
    slots = f"{row.slots_in_use} of {row.slots}"
    started = f"{_ago(row.started_at, now)} ago"
    return [row.host, row.pid, slots, row.slots_open, row.connections, row.version, started, sign]


def _sign(row: "WorkerProcess", now: datetime, stalled_after: float) -> str:
    late = (now - row.last_heartbeat).total_seconds() > stalled_after
    return _ago(row.last_heartbeat, now) + (": believed dead" if late else "")


def _doing(row: "AtWork", now: datetime) -> str:
    if row.seq is None:
        return f"{row.task} {row.building_id or ''}".rstrip()
    return f"{row.building_id}: {row.event_type} (no. {row.seq}), for {_ago(row.started_at, now)}"


def _error(error: str | None) -> str:
    text = " ".join((error or "-").split())
    return text if len(text) <= MOST_ERROR else f"{text[:MOST_ERROR]} ..."


def _held_up_by(row: "Waiting", now: datetime) -> str:
    """The entry that failed and is to be tried again before the others; empty where none did."""
    if row.error is None:
        return ""
    pause = (row.not_before - now).total_seconds() if row.not_before is not None else 0
    again = f"again in {pause / 60:.0f} min" if pause > 60 else "again at once"
    return f"{row.event_type} {row.event_id}, {again}; now with `longlead events retry`: {_error(row.error)}"


def _ago(moment: datetime | None, now: datetime) -> str:
    """A span for people: `12 s`, `5 min`, `3 h`, `9 d`."""
    if moment is None:
        return "-"
    seconds = max(0, (now - moment).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
