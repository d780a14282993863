"""Workers on hosts of their own: network namespaces on one bridge, each with its address, one cut off for a while.

The database listens on the bridge's address, with a password; nothing is routed anywhere else.
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg

from evals.bench.processes import free_port
from evals.chaos.database import Database, database
from evals.chaos.fleet import Fleet, Member
from evals.chaos.receiver import Receiver
from evals.chaos.record import Record
from evals.chaos.run import SERVICE, START_S, Outcome, Plan, Stage, Tell, api, environment, finished, play
from storage.migrate import migrate

CUT_OFF_S = 60.0
BACK_WITHIN_S = 60.0
LONGEST_NAME = 15
"""Characters that Linux allows for the name of a link."""

SESSIONS = """
SELECT count(*) FROM pg_stat_activity
 WHERE client_addr = %s AND application_name LIKE %s AND backend_start > now() - %s * interval '1 s'"""
AT_WORK = "longlead slot"
"""What the connections of a worker are called that has a building in hand."""


def why_not() -> str:
    """Why there can be no such hosts here; empty when there can."""
    if shutil.which("ip") is None:
        return "there is no `ip` command; it is in the package iproute2"
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with Network.built(f"llprobe{os.getpid() % 10000}", ["probe"]):
            return ""
    except NetworkError as error:
        return str(error)


class NetworkError(Exception):
    """The kernel or the container does not allow namespaces, links or bridges."""


@dataclass(frozen=True)
class Host:
    """A network namespace with one link to the bridge."""

    name: str
    address: str
    bridge: str
    link: str

    def command(self, *command: str) -> tuple[str, ...]:
        """The command as it is started on this host."""
        return ("ip", "netns", "exec", self.name, *command)

    def cut_off(self) -> None:
        """As if a cable were pulled somewhere on the way: what is sent is lost, and nobody is told."""
        _ip("link", "set", self.link, "nomaster")

    def reconnect(self) -> None:
        _ip("link", "set", self.link, "master", self.bridge)


@dataclass(frozen=True)
class Network:
    """A bridge with the address where the hosts find everything, and the hosts on it."""

    gateway: str
    hosts: list[Host]

    @classmethod
    @contextmanager
    def built(cls, prefix: str, names: list[str]) -> Iterator["Network"]:
        """Make it, and take it away at the end.

        Raises:
            NetworkError: something of it is not allowed.
        """
        subnet = f"10.213.{os.getpid() % 250}"
        bridge = f"{prefix}br"[:LONGEST_NAME]
        with ExitStack() as stack:
            _ip("link", "add", bridge, "type", "bridge", "forward_delay", "0")
            stack.callback(_ip, "link", "del", bridge)
            _ip("address", "add", f"{subnet}.1/24", "dev", bridge)
            _ip("link", "set", bridge, "up")
            hosts = []
            for number, _ in enumerate(names):
                host = Host(f"{prefix}-{number}", f"{subnet}.{10 + number}", bridge, f"{prefix}{number}"[:LONGEST_NAME])
                stack.enter_context(_built(host))
                hosts.append(host)
            yield cls(f"{subnet}.1", hosts)


@contextmanager
def _built(host: Host) -> Iterator[None]:
    _ip("netns", "add", host.name)
    try:
        _ip("link", "add", host.link, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("link", "set", host.link, "master", host.bridge, "up")
        for command in (("address", "add", f"{host.address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            _ip("-n", host.name, *command)
        _ip("-n", host.name, "link", "set", "lo", "up")
        yield
    finally:
        _ip("netns", "del", host.name)  # its link goes with it


def _ip(*arguments: str) -> None:
    run = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise NetworkError(f"`ip {' '.join(arguments)}` is refused here: {run.stderr.strip()}")


@asynccontextmanager
async def chaos_on_hosts(plan: Plan, folder: Path, tell: Tell) -> AsyncIterator[Outcome]:
    """The same run with each worker on a host of its own; one is cut off for a minute while the others go on."""
    began, record = time.monotonic(), Record()
    names = [f"worker-{number}" for number in range(plan.workers)]
    with ExitStack() as stack:
        network = stack.enter_context(Network.built(f"ll{os.getpid() % 100000}", names))
        server = stack.enter_context(database(folder, addresses=[network.gateway], port=free_port()))
        receiver = Receiver(record, Random(plan.seed), address=network.gateway, late_s=1.5)
        stack.callback(receiver.close)
        tell("preparing the database")
        await migrate(server.conninfo)
        ports = [free_port() for _ in range(plan.apis)]
        here = {**SERVICE, **receiver.settings(), **plan.settings, "database_url": server.conninfo}
        there = environment({**here, "database_url": server.conninfo_from(network.gateway)})
        members = [api(f"API-{number}", port, here) for number, port in enumerate(ports)]
        members += [
            Member(name, host.command(*plan.worker), there) for name, host in zip(names, network.hosts, strict=True)
        ]
        fleet = Fleet(members, server, record, folder)
        cutting = asyncio.create_task(_cut_off(network.hosts[0], names[0], fleet, tell))
        stack.callback(cutting.cancel)
        havoc = await play(Stage(plan, server, fleet, record, tell), ports, beside=cutting)
        yield await finished(server, record, {**havoc, "cut off": 1}, fleet, began, tell)


async def _cut_off(host: Host, name: str, fleet: Fleet, tell: Tell) -> None:
    """Wait until the host works, cut it off, reconnect it, and see that its worker comes back by itself."""
    await _connected(fleet.database, host, START_S, AT_WORK)
    tell(f"{host.address} is cut off")
    fleet.cut_off.add(name)
    host.cut_off()
    try:
        await asyncio.sleep(CUT_OFF_S)
    finally:
        host.reconnect()
    tell(f"{host.address} is back")
    if not await _connected(fleet.database, host, BACK_WITHIN_S):
        fleet.record.complaints.append(f"the worker of {host.address} was not back within {BACK_WITHIN_S:.0f} s")
    fleet.cut_off.discard(name)


async def _connected(server: Database, host: Host, within_s: float, called: str = "%") -> bool:
    """Wait for a connection of that host and name which began after this did; whether there was one in time."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < within_s:
        if await _sessions(server, host, called, waited):
            return True
        await asyncio.sleep(0.5)
    return False


async def _sessions(server: Database, host: Host, called: str, seconds: float) -> int:
    """Connections of that host and name which began within the last so many seconds."""
    try:
        async with await psycopg.AsyncConnection.connect(server.conninfo, autocommit=True) as conn:
            row = await (await conn.execute(SESSIONS, (host.address, called, seconds))).fetchone()
    except psycopg.OperationalError:
        return 0
    return 0 if row is None else int(row[0])
