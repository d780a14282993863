"""The run's PostgreSQL: durable, in a folder of its own, and restarted under load, gently or not."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from storage.account import server_account
from storage.binaries import binaries_for
from storage.cluster import Cluster
from storage.placement import SHELTER

NAME = "chaos"
PASSWORD = "only for this run"
START_S = 120.0
STOP_S = 60.0
LOOK_S = 0.05
RECENT_S = 8.0
"""What happens so shortly after a restart may be its doing."""


@dataclass
class Database:
    """The running server. `conninfo` is what the service gets: over the socket, or over TCP with a password."""

    cluster: Cluster
    settings: dict[str, str]
    addresses: Sequence[str] = ()
    restarts: list[str] = field(default_factory=list)
    _away_until: float = 0.0

    @property
    def conninfo(self) -> str:
        """For processes on this host: as the user who owns the database, and is no superuser."""
        return make_conninfo(self.cluster.conninfo(NAME), user=NAME)

    def conninfo_from(self, address: str) -> str:
        """For other hosts, which find the server at this address."""
        return make_conninfo(host=address, port=self.cluster.port, user=NAME, password=PASSWORD, dbname=NAME)

    @property
    def up(self) -> bool:
        """Whether it has been there for a while."""
        return time.monotonic() > self._away_until

    async def restart(self, *, immediate: bool, away_s: float) -> None:
        """Stop it as `pg_ctl -m fast` does, or `-m immediate`; leave it away for a while, then start it again."""
        self._away_until = float("inf")
        self.restarts.append("immediate" if immediate else "fast")
        pid = int((self.cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGQUIT if immediate else signal.SIGINT)
        deadline = time.monotonic() + STOP_S
        while not self.cluster.is_gone():
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL ({pid}) did not stop within {STOP_S:.0f} s")
            await asyncio.sleep(LOOK_S)
        await asyncio.sleep(away_s)
        await asyncio.to_thread(self.cluster.bring_up, self.settings, START_S)
        self._away_until = time.monotonic() + RECENT_S


@contextmanager
def database(folder: Path, *, addresses: Sequence[str] = (), port: int = 5432) -> Iterator[Database]:
    """Make the server's files in `folder`, boot it, and stop it at the end.

    With addresses it also listens there, on the port, to one user with a password.
    """
    account = server_account(folder / "cluster")
    sockets = Path(tempfile.mkdtemp(prefix="longlead-chaos-"))
    if account:
        account.own(sockets)
    cluster = Cluster(
        folder / "cluster",
        sockets,
        folder / "server.log",
        binaries_for(account, SHELTER),
        account,
        port,
        _let_in(addresses),
    )
    settings = {"max_connections": "300", "listen_addresses": ",".join(addresses)}
    cluster.create()
    cluster.bring_up(settings, START_S)
    try:
        _make(cluster)
        yield Database(cluster, settings, addresses)
    finally:
        cluster.stop()
        shutil.rmtree(sockets, ignore_errors=True)


def _let_in(addresses: Sequence[str]) -> tuple[str, ...]:
    """The network of each address may log in, with the password."""
    return tuple(f"host {NAME} {NAME} {address}/24 scram-sha-256" for address in addresses)


def _make(cluster: Cluster) -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(NAME), sql.Literal(PASSWORD))
        )
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(NAME), sql.Identifier(NAME)))
