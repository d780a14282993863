"""A worker with a fault: what the product does right is taken out, in this process alone.

    python -m tests.chaos.faulty_worker [suicidal] [keyless] [unfenced] [slow]

`suicidal`: killed at the worst moment again and again, after an effect was committed and before its step was noted.
`keyless`: the ledger's key is never the same twice. `unfenced`: nobody asks for the thread's lock or the epoch.
`slow`: no fault, but a worker that is stopped is stopped in the middle of an entry.
"""

import asyncio
import itertools
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import runtime.drain
import storage.inbox
import tools.effects
import tools.recording
from runtime.service import work
from runtime.settings import load_settings
from storage.ledger import EffectKey
from storage.transaction import BuildingTransaction, building_transaction

DIES_AFTER = 25
"""Effects."""
TAKES_S = 0.2
"""Before what an entry says is recorded."""


def suicidal() -> None:
    effects = itertools.count(1)

    @asynccontextmanager
    async def fatal(*arguments: Any, **options: Any) -> AsyncIterator[BuildingTransaction]:
        async with building_transaction(*arguments, **options) as transaction:
            yield transaction
        if next(effects) == DIES_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)

    tools.effects.building_transaction = fatal  # type: ignore[attr-defined]


def keyless() -> None:
    def ever_new(building_id: str, seq: int, action: str, item: str, ordinal: int) -> EffectKey:
        return EffectKey(building_id, seq, action, item, 1000 * random.randrange(1, 10**6) + ordinal)

    tools.effects.EffectKey = ever_new  # type: ignore[attr-defined,assignment,misc]


def unfenced() -> None:
    @asynccontextmanager
    async def no_lock(*_: Any) -> AsyncIterator[None]:
        yield

    runtime.drain.thread_lock = no_lock  # type: ignore[assignment]
    asked = "epoch = %(epoch)s"
    for name in ("FINISH", "FINISH_AND_CLAIM"):
        statement: str = getattr(storage.inbox, name)
        assert asked in statement
        setattr(storage.inbox, name, statement.replace(asked, "%(epoch)s::bigint > 0"))


def slow() -> None:
    effect = tools.recording.run_effect

    async def late(*arguments: Any, **options: Any) -> Any:
        await asyncio.sleep(TAKES_S)
        return await effect(*arguments, **options)

    tools.recording.run_effect = late  # type: ignore[assignment]


if __name__ == "__main__":
    for fault in sys.argv[1:]:
        {"suicidal": suicidal, "keyless": keyless, "unfenced": unfenced, "slow": slow}[fault]()
    asyncio.run(work(load_settings()))
