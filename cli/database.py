"""`longlead db`: bring the database up to date, save it, bring it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.sentences import CommandError
from runtime.resources import database, embedded
from runtime.settings import Settings, load_settings
from storage import backup as backups
from storage.migrate import MigrationReport
from storage.migrate import migrate as run_migrations

app = typer.Typer(no_args_is_help=True, help="Bring the database up to date, save it, bring it back.")

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the embedded database; LONGLEAD_DATA_DIR when absent.", show_default=False),
]


@app.command()
def migrate(data: Data = None) -> None:
    """Create or update the tables. Safe at any time: it does nothing where nothing is missing."""
    report = asyncio.run(_migrate(load_settings(data_dir=data)))
    if report.already_current:
        print("The database is up to date.")
    else:
        print(f"Applied: {', '.join(report.applied)}.")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; replaced if it is there.", show_default=False)],
    data: Data = None,
) -> None:
    """Save the whole database as it is now, while it is in use."""
    asyncio.run(_backup(load_settings(data_dir=data), file))
    print(f"Saved to {file}.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="File that `longlead db backup` wrote.", show_default=False)],
    data: Data = None,
) -> None:
    """Bring a backup back into an empty database: all of it, or nothing."""
    asyncio.run(_restore(load_settings(data_dir=data), file))
    print(f"Restored from {file}.")


@asynccontextmanager
async def existing_database(settings: Settings) -> AsyncIterator[str]:
    """The database's conninfo, without making an embedded one only to look at it.

    Raises:
        CommandError: the data folder is not there.
    """
    if settings.embedded and not settings.data_dir.exists():
        raise CommandError(
            f"There is no database in {settings.data_dir}. Start the service with `longlead serve`, or name the "
            "folder with --data or LONGLEAD_DATA_DIR."
        )
    async with database(settings) as conninfo:
        yield conninfo


async def _migrate(settings: Settings) -> MigrationReport:
    async with database(settings) as conninfo:
        return await run_migrations(conninfo)


async def _backup(settings: Settings, file: Path) -> None:
    async with existing_database(settings) as conninfo:
        await asyncio.to_thread(backups.backup, conninfo, file)


async def _restore(settings: Settings, file: Path) -> None:
    async with embedded(settings) as server:
        conninfo = settings.database_url if server is None else server.conninfo
        await asyncio.to_thread(backups.restore, conninfo, file, vector=server is None or server.vector)
