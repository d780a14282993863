"""The service's processes: started, killed, frozen, and started again whenever they end."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evals.chaos.database import Database
from evals.chaos.record import Ending, Record
from runtime.settings import child_environment

ROOT = Path(__file__).resolve().parents[2]
PAUSE_S = 0.3
LOOK_S = 0.05
SLOW_END_S = 30.0


@dataclass(frozen=True)
class Member:
    """A process as it is started each time."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]

    @property
    def is_worker(self) -> bool:
        return self.name.startswith("worker")


@dataclass
class Fleet:
    """All of them, each kept running by a task of its own, as a supervisor would."""

    members: Sequence[Member]
    database: Database
    record: Record
    logs: Path
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    cut_off: set[str] = field(default_factory=set)
    """Those whose host does not reach the database just now."""
    starts: int = 0
    _sent: dict[int, str] = field(default_factory=dict)
    _keepers: list["asyncio.Task[None]"] = field(default_factory=list)
    _over: bool = False

    def start(self) -> None:
        """Start all, and keep them running until `stop`."""
        self._keepers = [asyncio.create_task(self._keep(member)) for member in self.members]

    async def stop(self) -> None:
        """SIGTERM for all, and wait until they are gone. Whatever happens meanwhile, none is left behind."""
        self._over = True
        try:
            for name in list(self.running):
                self.send(name, signal.SIGTERM)
            await asyncio.gather(*self._keepers)
        finally:
            for process in self.running.values():
                process.kill()

    def names(self, *, workers: bool) -> list[str]:
        """The names of all workers, or of all APIs."""
        return [member.name for member in self.members if member.is_worker == workers]

    def send(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a process; False when it is just not there."""
        process = self.running.get(name)
        if process is None or process.poll() is not None:
            return False
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._sent[process.pid] = number.name
        process.send_signal(number)
        return True

    async def _keep(self, member: Member) -> None:
        while not self._over:
            process = self.running[member.name] = self._started(member)
            self.starts += 1
            await self._ended(member, process)
            await asyncio.sleep(PAUSE_S)

    def _reaches_database(self, member: Member) -> bool:
        return self.database.up and member.name not in self.cut_off

    def _started(self, member: Member) -> "subprocess.Popen[bytes]":
        with (self.logs / f"{member.name}.log").open("ab") as log:
            return subprocess.Popen(
                member.command,
                cwd=ROOT,
                env=child_environment(member.environment, fresh=True),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _ended(self, member: Member, process: "subprocess.Popen[bytes]") -> None:
        asked_at = None
        while process.poll() is None:
            if self._sent.get(process.pid) == signal.SIGTERM.name:
                asked_at = asked_at or time.monotonic()
                if time.monotonic() - asked_at > SLOW_END_S:
                    if self._reaches_database(member):
                        self.record.complaints.append(f"{member.name} did not end within {SLOW_END_S:.0f} s of SIGTERM")
                    process.kill()
            await asyncio.sleep(LOOK_S)
        sent, there = self._sent.pop(process.pid, ""), self._reaches_database(member)
        self.record.endings.append(Ending(member.name, sent, process.returncode, there))
