"""`python -m evals.reading`: what a model reads in mails and replies, and what comes of it; those that were
held out apart.

Replays the recorded answers; with OPENAI_BASE_URL and LONGLEAD_MODELS_READER (or LONGLEAD_MODELS) set it asks that
model, live, and puts its answers on file. Ends with 1 where anything was carried out that should not have been.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from rich.console import Console
from rich.table import Table

from evals.reading.cases import MailCase, ReplyCase, Result, counted, mails, replies
from evals.reading.recorded import MODEL, recording, replayed
from evals.reading.run import play_mail, play_reply
from evals.scratch import scratch_database, scratch_server
from runtime.settings import Settings, load_settings
from tools.models import ModelAccess


def main() -> int:
    settings = load_settings()
    live = bool(settings.openai_base_url and settings.has_models)
    with scratch_server(settings) as conninfo:
        read = asyncio.run(_played(conninfo, settings if live else None))
    console = Console()
    model = ", ".join(settings.models_reader or settings.models) if live else f"{MODEL}, recorded"
    for name, results in read.items():
        console.print(_table(f"{name} ({model})", results))
    return 1 if any(result.outcome == "wrong" for results in read.values() for result in results) else 0


async def _played(conninfo: str, live: Settings | None) -> dict[str, list[Result]]:
    async with scratch_database(conninfo) as database:
        return {
            "mails": await _mails(database, "mails", mails(), live),
            "mails held out": await _mails(database, "mails_held_out", mails(held_out=True), live),
            "replies": await _replies(database, "replies", replies(), live),
            "replies held out": await _replies(database, "replies_held_out", replies(held_out=True), live),
        }


def _access(name: str, live: Settings | None) -> AbstractAsyncContextManager[ModelAccess]:
    return replayed(name) if live is None else recording(live, name)


async def _mails(database: str, file: str, cases: Sequence[MailCase], live: Settings | None) -> list[Result]:
    async with _access(file, live) as models:
        return [await play_mail(database, models, case) for case in cases]


async def _replies(database: str, file: str, cases: Sequence[ReplyCase], live: Settings | None) -> list[Result]:
    async with _access(file, live) as models:
        return [await play_reply(database, models, case) for case in cases]


def _table(title: str, results: Sequence[Result]) -> Table:
    """Every case, and what it came to."""
    sums = ", ".join(f"{name} {number}" for name, number in counted(results).items())
    table = Table("case", "outcome", "read right", "what was read or doubted", title=f"{title}: {sums}")
    for result in results:
        table.add_row(result.id, result.outcome, "yes" if result.read else "no", result.detail[:200])
    return table


if __name__ == "__main__":
    sys.exit(main())
