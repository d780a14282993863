"""`python -m evals.reading`: what a model reads in mails and replies, what it advises, words and summarises, and what
comes of it. Mails and replies that were held out stand apart.

Replays the recorded answers; with OPENAI_BASE_URL and LONGLEAD_MODELS (or LONGLEAD_MODELS_READER, ...) set it asks that
model, live, and puts its answers on file. Ends with 1 where anything was carried out that should not have been.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from rich.console import Console
from rich.table import Table

from evals.reading.cases import MailCase, ReplyCase, Result, counted, mails, replies
from evals.reading.paths import ADVICE, ANSWERS, Path, play_advice, play_summary, play_wording
from evals.reading.recorded import MODEL, of_worker, only, recording, replayed
from evals.reading.run import play_mail, play_reply
from evals.scratch import scratch_database, scratch_server
from runtime.settings import Settings, load_settings
from tools.models import ModelAccess, Worker

Play = Callable[[str, ModelAccess], Awaitable[Result | Path]]


def main() -> int:
    settings = load_settings()
    live = settings if settings.openai_base_url and settings.has_models else None
    wrong = False
    with scratch_server(settings) as conninfo:
        for name, worker, plays in groups():
            if live is not None and not of_worker(worker, live):
                continue
            results = asyncio.run(_played(conninfo, name, worker, plays, live))
            model = f"{MODEL}, recorded" if live is None else ", ".join(of_worker(worker, live))
            Console().print(_table(f"{name} ({model})", results))
            wrong = wrong or any(_is_wrong(result) for result in results)
    return 1 if wrong else 0


def groups() -> list[tuple[str, Worker, list[Play]]]:
    """Every group of cases by the name of its file of recorded answers, who is asked in it, and how each is played."""
    return [
        ("mails", "reader", [_mail(case) for case in mails()]),
        ("mails_held_out", "reader", [_mail(case) for case in mails(held_out=True)]),
        ("replies", "reader", [_reply(case) for case in replies()]),
        ("replies_held_out", "reader", [_reply(case) for case in replies(held_out=True)]),
        ("advice", "adviser", [_path(play_advice, case) for case in ADVICE]),
        ("wording", "adviser", [_path(play_wording, case) for case in ANSWERS]),
        ("summary", "summariser", [_path(play_summary, "notes")]),
    ]


def _mail(case: MailCase) -> Play:
    return lambda conninfo, models: play_mail(conninfo, models, case)


def _reply(case: ReplyCase) -> Play:
    return lambda conninfo, models: play_reply(conninfo, models, case)


def _path(play: Callable[[str, ModelAccess, str], Awaitable[Path]], case: str) -> Play:
    return lambda conninfo, models: play(conninfo, models, case)


async def _played(
    conninfo: str, name: str, worker: Worker, plays: Sequence[Play], live: Settings | None
) -> list[Result | Path]:
    """The cases of a group, one after the other, on a database of their own."""
    async with scratch_database(conninfo) as database, _access(name, worker, live) as models:
        return [await play(database, models) for play in plays]


def _access(name: str, worker: Worker, live: Settings | None) -> AbstractAsyncContextManager[ModelAccess]:
    if live is None:
        return replayed(name, worker)
    return recording(only(worker, of_worker(worker, live), live), name)


def _is_wrong(result: Result | Path) -> bool:
    return bool(result.faults) if isinstance(result, Path) else result.outcome == "wrong"


def _table(title: str, results: Sequence[Result | Path]) -> Table:
    """Every case, and what it came to."""
    read = [one for one in results if isinstance(one, Result)]
    paths = [one for one in results if isinstance(one, Path)]
    sums = counted(read) if read else {"cases": len(paths), "words taken": sum(one.taken for one in paths)}
    title = f"{title}: {', '.join(f'{name} {number}' for name, number in sums.items())}"
    table = Table("case", "outcome", "taken" if paths else "read right", "what was said, read or doubted", title=title)
    for one in read:
        table.add_row(one.id, one.outcome, "yes" if one.read else "no", one.detail[:200])
    for path in paths:
        told = "; ".join(path.faults) or path.said
        table.add_row(path.id, "wrong" if path.faults else "right", "yes" if path.taken else "no", told[:400])
    return table


if __name__ == "__main__":
    sys.exit(main())
