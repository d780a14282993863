"""What goes wrong, and when: planned from the seed, spread over the traffic."""

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from evals.chaos.database import Database
from evals.chaos.fleet import Fleet

TERMINATED = 0.3
"""Share of kills that are SIGTERM; the others are SIGKILL."""
OF_APIS = 0.2


@dataclass(frozen=True)
class Amount:
    """How much goes wrong within how much time."""

    kills: int
    freezes: int
    seconds: float
    frozen_s: float
    """Longer than the lease: the others take over from the frozen worker, and then it wakes."""
    restarts: int = 2
    """Of PostgreSQL: a fast one, then an immediate one."""

    @property
    def acts(self) -> int:
        return self.kills + self.freezes + self.restarts


@dataclass
class Havoc:
    """Carries the plan out. `share` is how much of it has happened: the traffic keeps pace with it."""

    fleet: Fleet
    database: Database
    chance: Random
    amount: Amount
    tell: Callable[[str], None]
    done: dict[str, int] = field(default_factory=dict)
    acts: int = 0
    _thawing: list["asyncio.Task[None]"] = field(default_factory=list)

    @property
    def share(self) -> float:
        return min(1.0, (self.acts + 1) / max(1, self.amount.acts))

    async def run(self, progress: Callable[[], float]) -> None:
        """One act after the other, evenly spread, and none before its part of the traffic was sent; then wait for
        whoever is still frozen."""
        pause = self.amount.seconds / max(1, self.amount.acts)
        for act in self.plan():
            while True:
                if progress() >= (self.acts - 1) / self.amount.acts:
                    break
                await asyncio.sleep(0.05)
            began = time.monotonic()
            self.tell(act)
            await self._do(act)
            self.done[act] = self.done.get(act, 0) + 1
            self.acts += 1
            await asyncio.sleep(max(0.0, pause * self.chance.uniform(0.6, 1.4) - (time.monotonic() - began)))
        await asyncio.gather(*self._thawing)

    def plan(self) -> list[str]:
        """The acts in their order: PostgreSQL goes after a third and after two thirds."""
        amount, chance = self.amount, self.chance
        acts = ["freeze"] * amount.freezes + [
            f"{'SIGTERM' if chance.random() < TERMINATED else 'SIGKILL'} "
            f"{'API' if chance.random() < OF_APIS else 'worker'}"
            for _ in range(amount.kills)
        ]
        chance.shuffle(acts)
        if amount.restarts:
            acts.insert(2 * len(acts) // 3, "restart immediate")
            acts.insert(len(acts) // 3, "restart fast")
        return acts

    async def _do(self, act: str) -> None:
        what, _, whom = act.partition(" ")
        if what == "restart":
            await self.database.restart(immediate=whom == "immediate", away_s=self.chance.uniform(0.3, 2.0))
        elif what == "freeze":
            await self._freeze()
        else:
            await self._send(signal.Signals[what], workers=whom == "worker")

    async def _send(self, number: signal.Signals, *, workers: bool) -> None:
        names = self.fleet.names(workers=workers)
        while True:
            if self.fleet.send(self.chance.choice(names), number):
                return
            await asyncio.sleep(0.05)

    async def _freeze(self) -> None:
        """Stop a worker in the middle of what it does, and let it go on when it was believed dead."""
        name = self.chance.choice(self.fleet.names(workers=True))
        if self.fleet.send(name, signal.SIGSTOP):
            self._thawing.append(asyncio.create_task(self._thaw(name)))

    async def _thaw(self, name: str) -> None:
        process = self.fleet.running[name]
        await asyncio.sleep(self.amount.frozen_s)
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
