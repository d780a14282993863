"""`python -m evals.chaos [--events N] [--kills N] [--seed N] [--hosts | --no-hosts]`: run the chaos, print the verdict.

Ends with 1 when the checker found a violation. Sends to this machine only, and stops by itself.
"""

import argparse
import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from evals.chaos.havoc import Amount
from evals.chaos.hosts import chaos_on_hosts, why_not
from evals.chaos.run import Outcome, Plan, Tell, chaos

MOST_SHOWN = 20
PACE_S = 4.5
"""Seconds for each thing that goes wrong: a process that was killed needs some to be of use again."""
HOSTS_SHARE = 5
"""The run on hosts of their own has this part of the events and kills; most of its time one of them is cut off."""

Run = Callable[[Plan, Path, Tell], AbstractAsyncContextManager[Outcome]]


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; 0 when nothing was violated."""
    asked = _asked(arguments)
    console = Console()
    console.width = max(console.width, 100)
    console.print(f"seed {asked.seed} (again with --seed {asked.seed})")
    violated = False
    if asked.hosts is not True:
        violated |= _run("chaos", chaos, _plan(asked, 1), console)
    if asked.hosts is not False:
        reason = why_not()
        if reason:
            console.print(f"chaos on hosts of their own: skipped, since {reason}")
        else:
            violated |= _run("chaos on hosts of their own", chaos_on_hosts, _plan(asked, HOSTS_SHARE), console)
    return 1 if violated else 0


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--events", type=int, default=5000, help="posted events (5000)")
    parser.add_argument("--kills", type=int, default=100, help="SIGKILL and SIGTERM of workers and APIs (100)")
    parser.add_argument("--buildings", type=int, default=100)
    parser.add_argument("--workers", type=int, default=3, help="worker processes (3)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of traffic and havoc; random")
    parser.add_argument(
        "--hosts", action=argparse.BooleanOptionalAction, help="only, or not, with the workers on hosts of their own"
    )
    return parser.parse_args(arguments)


def _plan(asked: argparse.Namespace, part: int) -> Plan:
    kills = max(1, asked.kills // part)
    freezes = max(1, kills // 20)
    amount = Amount(kills, freezes, seconds=PACE_S * (kills + freezes + 2), frozen_s=10)
    return Plan(
        seed=asked.seed,
        events=asked.events // part,
        amount=amount,
        buildings=asked.buildings,
        workers=asked.workers,
    )


def _run(title: str, run: Run, plan: Plan, console: Console) -> bool:
    """One run with its report; whether anything was violated. What it leaves is kept then."""
    folder = Path(tempfile.mkdtemp(prefix="longlead-chaos-")).resolve()
    folder.chmod(0o755)  # as root, the server runs as another user, who has to pass through
    violated = True
    try:
        outcome = asyncio.run(_shown(title, run, plan, folder, console))
        violated = bool(outcome.violations)
        console.print(report(title, outcome))
        for violation in outcome.violations[:MOST_SHOWN]:
            console.print(f"{violation.rule}: {violation.what}", markup=False, highlight=False)
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)
    finally:
        if violated:
            console.print(f"The processes' logs and the database's files are kept in {folder}.")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return violated


async def _shown(title: str, run: Run, plan: Plan, folder: Path, console: Console) -> Outcome:
    _stop_on_sigterm()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None)
        async with run(plan, folder, lambda text: progress.update(task, description=f"{title}: {text}")) as outcome:
            return outcome


def _stop_on_sigterm() -> None:
    """As Ctrl-C does it: cancelled, so that everything that was started is stopped."""
    running = asyncio.current_task()
    if running is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)


def report(title: str, outcome: Outcome) -> Table:
    """What happened, and the verdict."""
    record = outcome.record
    made = Table(title=title, title_justify="left", show_header=False)
    made.add_column()
    made.add_column(justify="right")
    rows = {
        "events accepted": len(record.events),
        "of them poison": sum(sent.poison for sent in record.events),
        "posts answered (the same again included)": sum(sent.posts for sent in record.events),
        "answers to questions accepted": sum(sent.accepted for sent in record.answers),
        "answers refused": sum(sent.refused for sent in record.answers),
        "messages received": len(record.received),
        "of them again": len(record.received) - len({(one.key, one.order) for one in record.received}),
        **outcome.havoc,
        "processes started": outcome.starts,
        "entries started more than once": outcome.restarted,
        "seconds": round(outcome.seconds),
    }
    for what, number in rows.items():
        made.add_row(what, f"{number:,}")
    counted = Counter(violation.rule for violation in outcome.violations)
    for rule, times in counted.items():
        made.add_row(f"[red]violated: {rule}[/]", f"{times:,}")
    made.add_row("[red]violations[/]" if counted else "[green]violations[/]", f"{counted.total():,}")
    return made


if __name__ == "__main__":
    sys.exit(main())
