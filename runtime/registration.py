"""A worker process says who it is, where the job engine registers its workers and their signs of life."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from procrastinate.connector import BaseAsyncConnector
from procrastinate.manager import JobManager

from runtime.clock import Clock
from storage.workers import REGISTER_WORKER, UPDATE_WORKER, ProcessIdentity

DISTRIBUTION = "longlead"


@dataclass(frozen=True)
class Registration:
    """What a process registers for each of its workers."""

    identity: ProcessIdentity
    count_slots: Callable[[], int]
    """Its slots that are open now."""

    @classmethod
    def of_this_process(
        cls, clock: Clock, *, slots: int, connections: int, count_slots: Callable[[], int]
    ) -> "Registration":
        """This process, as begun now.

        Args:
            clock: tells when it began.
            slots: buildings that it runs at once at most.
            connections: of the database, at most.
            count_slots: how many slots are open.
        """
        host, number = socket.gethostname(), version(DISTRIBUTION)
        identity = ProcessIdentity(host, os.getpid(), number, clock.now(), connections, slots)
        return cls(identity, count_slots)

    def manager(self, connector: BaseAsyncConnector) -> JobManager:
        """The engine's manager of jobs, which also registers this process."""
        return _RegisteringManager(connector, self)


class _RegisteringManager(JobManager):
    def __init__(self, connector: BaseAsyncConnector, registration: Registration) -> None:
        super().__init__(connector)
        self._registration = registration

    async def register_worker(self) -> int:
        worker_id = await super().register_worker()
        identity, slots_open = self._registration.identity, self._registration.count_slots()
        await self.connector.execute_query_async(
            REGISTER_WORKER, worker_id=worker_id, slots_open=slots_open, **identity.as_parameters()
        )
        return worker_id

    async def update_heartbeat(self, worker_id: int) -> None:
        await super().update_heartbeat(worker_id)
        slots_open = self._registration.count_slots()
        await self.connector.execute_query_async(UPDATE_WORKER, worker_id=worker_id, slots_open=slots_open)
