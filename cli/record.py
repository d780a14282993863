"""`longlead record`: a real building's history as a scenario that is played ever after."""

import asyncio
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import Data, existing_database
from cli.files import written_to
from cli.sentences import CommandError

if TYPE_CHECKING:
    from evals.recording import Recorded
    from runtime.settings import Settings


def record(
    building: Annotated[str, typer.Argument(help="Id of the building.", show_default=False)],
    first: Annotated[
        int | None,
        typer.Option(
            "--from", min=1, help="First entry that is judged; what came before is given.", show_default=False
        ),
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", min=1, help="Last entry that is played.", show_default=False)
    ] = None,
    anonymise: Annotated[
        bool, typer.Option("--anonymise", help="Replace names, documents and texts; multiply all amounts.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; else it is printed.", show_default=False)
    ] = None,
    data: Data = None,
) -> None:
    """Turn a building's history (events, answers, time) into a scenario for `longlead evals`.

    Reads the database of LONGLEAD_DATABASE_URL or the embedded one, also while the service runs. What the agent did
    becomes what is expected of it. Nothing is written to the database.
    """
    from evals.anonymising import anonymised
    from evals.library import scenario_of
    from evals.source import read_yaml
    from runtime.settings import load_settings

    if first is not None and last is not None and first > last:
        raise CommandError(f"--from {first} comes after --to {last}: there is nothing in between.")
    recorded = asyncio.run(_record(load_settings(data_dir=data), building, first, last))
    if anonymise:
        recorded = anonymised(recorded, f"building-{secrets.token_hex(3)}", factor=secrets.choice(range(2, 10)))
    text = recorded.text()
    scenario_of(read_yaml(str(output or "the scenario"), text), output.stem if output else building)
    if output is None:
        print(text, end="")
        return
    with written_to(output):
        output.write_text(text, encoding="utf-8")
    print(f"Written to {output}: {len(recorded.steps)} steps. Play it with `longlead evals {output}`.")
    for remark in recorded.remarks:
        print(f"Note: {remark}", file=sys.stderr)


async def _record(settings: "Settings", building: str, first: int | None, last: int | None) -> "Recorded":
    from evals.recording import record as record_history
    from storage.database import connect

    async with (
        existing_database(settings) as conninfo,
        await connect(conninfo, application_name="longlead record") as conn,
    ):
        return await record_history(conn, building, first, last)
