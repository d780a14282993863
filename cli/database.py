"""`longlead db`: bring the database up to date, save it, bring it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal

from cli.late_progress import LateProgress
from cli.output import Json, print_json, print_table
from cli.sentences import CommandError

if TYPE_CHECKING:  # imported where they are used: `longlead db --help` needs none of them
    from runtime.settings import Settings
    from storage.adopted_lines import LineOfBuilding
    from storage.backup import BackupReport, RestoreReport
    from storage.migrate import MigrationReport
    from storage.retention import KeptTable, Pruned

app = typer.Typer(no_args_is_help=True, help="Bring the database up to date, save it, bring it back.")

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the embedded database; LONGLEAD_DATA_DIR when absent.", show_default=False),
]


@app.command()
def migrate(
    data: Data = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; list the lines of earlier versions whose status will change."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Create or update the tables. Safe at any time: it does nothing where nothing is missing."""
    from runtime.settings import load_settings

    if check:
        _show_check(asyncio.run(_check(load_settings(data_dir=data))), as_json)
        return
    if as_json:
        raise CommandError("--json goes with --check.")
    report = asyncio.run(_migrate(load_settings(data_dir=data)))
    if report.already_current:
        print("The database is up to date.")
    else:
        print(f"Applied: {', '.join(report.applied)}.")


def _show_check(found: "Checked", as_json: bool) -> None:
    changes = [_row_of(one) for one in found.lines if one.line.status_now != one.line.status_then]
    stay = [_row_of(one) for one in found.lines if one.line.stays_released]
    if as_json:
        names = ("building", "line", "name", "status_now", "status_then", "why")
        print_json(
            {
                "to_apply": found.to_apply,
                "lines": found.looked_at,
                "changes": [dict(zip(names, row, strict=True)) for row in changes],
                "stay_released": [dict(zip(names, row, strict=True)) for row in stay],
            }
        )
        return
    print(f"To apply: {', '.join(found.to_apply)}." if found.to_apply else "The database is up to date.")
    print(
        f"{found.looked_at:,} lines of earlier versions were looked at in {found.seconds:.1f} s. Nothing was changed."
    )
    columns = ["building", "line", "name", "status now", "status then", "why"]
    empty = "No line changes its status."
    print_table("Lines whose status changes with their next entry", columns, changes, empty=empty)
    if stay:
        print_table("Lines that stay released, though their reports do not release them", columns, stay, empty="")


def _row_of(one: "LineOfBuilding") -> list[str]:
    line = one.line
    return [one.building_id, line.item_id, line.name, line.status_now, line.status_then, line.why]


@app.command()
def backup(
    file: Annotated[
        Path, typer.Argument(help="File to write; an earlier backup there is replaced.", show_default=False)
    ],
    data: Data = None,
) -> None:
    """Save the whole database as it is now, while it is in use. Says how much it was and how long it took."""
    from runtime.settings import load_settings

    report = asyncio.run(_backup(load_settings(data_dir=data), file))
    print(f"Saved to {file}: {decimal(report.size_bytes)} in {report.seconds:.1f} s.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="File that `longlead db backup` wrote.", show_default=False)],
    data: Data = None,
) -> None:
    """Bring a backup back into an empty database: all of it, or nothing. Links that were sent before end."""
    from runtime.settings import load_settings

    report = asyncio.run(_restore(load_settings(data_dir=data), file))
    print(
        f"Restored from {file}: {decimal(report.size_bytes)} in {report.seconds:.1f} s. Links that were sent before no "
        "longer open; reminders bring new ones."
    )
    if report.left_out:
        print("Memory's vectors were left out: there is no pgvector here. Memory is searched by words without them.")


@app.command()
def prune(
    data: Data = None,
    events: Annotated[
        int | None,
        typer.Option(min=1, help="Last events of a building whose checkpoints stay; LONGLEAD_RETENTION_EVENTS."),
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0, help="Days for which every checkpoint stays; LONGLEAD_RETENTION_DAYS.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Delete checkpoints, ended jobs and delivered messages that need not be kept. Safe while the service runs.

    What happened stays: events, changes, decisions and actions are never deleted.
    """
    from runtime.settings import load_settings

    settings = load_settings(data_dir=data, retention_events=events, retention_days=days)
    pruned, kept, seconds = asyncio.run(_prune(settings))
    if as_json:
        tables = {table: {"rows": rows, "bytes": size} for table, (rows, size) in pruned.deleted.items()}
        stays = {one.table: {"rows": one.rows, "bytes": one.size_bytes} for one in kept}
        told = {"threads": pruned.threads, "skipped": pruned.skipped, "seconds": seconds}
        print_json({**told, "deleted": tables, "kept": stays})
        return
    rows = [[table, f"{rows:,}", f"{size:,}"] for table, (rows, size) in pruned.deleted.items()]
    print_table("Deleted", ["table", "rows", "bytes"], rows, empty="There was nothing to delete.")
    sizes = [[one.table, f"{one.rows:,}", decimal(one.size_bytes)] for one in kept]
    print_table("Never deleted", ["table", "rows (about)", "on disk"], sizes, empty="There is nothing.")
    print(f"{pruned.threads} threads in {seconds:.1f} s." + _left(pruned))


def _left(pruned: "Pruned") -> str:
    if not pruned.skipped:
        return ""
    return f" {pruned.skipped} were running, and are left to the service's own next look."


@asynccontextmanager
async def existing_database(settings: "Settings") -> AsyncIterator[str]:
    """The database's conninfo, without making an embedded one only to look at it.

    Raises:
        CommandError: the data folder is not there.
    """
    from runtime.resources import database

    if settings.embedded and not settings.data_dir.exists():
        raise CommandError(
            f"There is no database in {settings.data_dir}. Start the service with `longlead serve`, or name the "
            "folder with --data or LONGLEAD_DATA_DIR."
        )
    async with database(settings) as conninfo:
        yield conninfo


async def _migrate(settings: "Settings") -> "MigrationReport":
    from runtime.resources import database
    from storage.database import connect
    from storage.migrate import migrate as run_migrations
    from storage.server_check import check_server

    async with database(settings) as conninfo:
        async with await connect(conninfo, application_name="longlead migrate") as conn:
            await check_server(conn, conninfo)
        return await run_migrations(conninfo)


@dataclass
class Checked:
    """What a migration would do to lines of earlier versions."""

    to_apply: list[str]
    lines: list["LineOfBuilding"] = field(default_factory=list)
    looked_at: int = 0
    seconds: float = 0


async def _check(settings: "Settings") -> Checked:
    from storage.adopted_lines import look_at_lines
    from storage.database import connect
    from storage.migrate import pending

    with LateProgress("Looking at lines") as progress:
        async with existing_database(settings) as conninfo:
            checked = Checked(await pending(conninfo))

            def count(number: int) -> None:
                checked.looked_at += number
                progress.describe(f"{progress.what}: {checked.looked_at:,}")

            async with await connect(conninfo, application_name="longlead migrate") as conn:
                checked.lines = [one async for one in look_at_lines(conn, on_lines=count)]
    checked.seconds = progress.seconds
    return checked


async def _backup(settings: "Settings", file: Path) -> "BackupReport":
    from storage import backup as backups

    async with existing_database(settings) as conninfo:
        with LateProgress("Saving") as progress:
            return await asyncio.to_thread(backups.backup, conninfo, file, on_progress=progress.show_size)


async def _restore(settings: "Settings", file: Path) -> "RestoreReport":
    from domain.principals import LOCAL_PRINCIPAL
    from runtime.resources import embedded
    from storage import backup as backups
    from storage import links
    from storage.database import connect
    from storage.migrate import migrate as run_migrations

    backups.require_backup_file(file)  # else a data folder is made for nothing
    async with embedded(settings) as server:
        conninfo = settings.database_url if server is None else server.conninfo
        vector = server is None or server.vector
        with LateProgress("Restoring") as progress:
            report = await asyncio.to_thread(
                backups.restore, conninfo, file, vector=vector, on_progress=progress.show_size
            )
        # What was revoked after the backup was made is not in it: no link of before opens again.
        await run_migrations(conninfo, vector=vector)
        async with await connect(conninfo, application_name="longlead restore") as conn:
            await links.revoke(conn, links.Revocation("all"), "the database was restored", LOCAL_PRINCIPAL.author)
    return report


async def _prune(settings: "Settings") -> tuple["Pruned", "list[KeptTable]", float]:
    from storage.database import connect
    from storage.retention import kept_tables, prune_all

    with LateProgress("Deleting") as progress:

        def tell(pruned: "Pruned") -> None:
            progress.describe(f"{progress.what}: {pruned.threads:,} threads, {pruned.rows:,} rows")

        async with (
            existing_database(settings) as conninfo,
            await connect(conninfo, application_name="longlead prune") as conn,
        ):
            pruned = await prune_all(conn, settings.retention_policy, datetime.now(UTC), tell)
            kept = await kept_tables(conn)
    return pruned, kept, progress.seconds
