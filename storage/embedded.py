"""The database server that comes along: booted by the first process that needs it, stopped by the last.

Two locks on files do the counting. Whoever boots or stops the server holds `boot.lock`; every process that uses it
holds `users.lock` in shared mode. The kernel drops both when a process dies, however it dies, so nothing goes stale.
"""

import atexit
import logging
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import fasteners
import psycopg

from storage.binaries import Binaries, binaries_for, find_binaries, vector_support
from storage.cluster import Cluster, ServerStartError
from storage.placement import (
    SHELTER,
    Placement,
    PlacementError,
    make_private_file,
    place,
    prepare_data_dir,
    prepare_socket_folder,
    take_over,
)

DATABASE = "longlead"
_START_TIMEOUT_S = 120.0
_BOOT_LOCK_TIMEOUT_S = 180.0

logger = logging.getLogger(__name__)


@dataclass
class _Use:
    """This process's claim on one server, whatever the number of EmbeddedServer objects that share it.

    These locks belong to the process and not to the object: closing any descriptor of the file drops them, so there
    must be one holder. They are not inherited by a forked child, hence the process id.
    """

    pid: int
    data_dir: Path
    lock: fasteners.InterProcessReaderWriterLock
    cluster: Cluster
    count: int = 0


_uses: dict[Path, _Use] = {}
_threads = threading.RLock()


def _after_fork_in_child() -> None:
    # Close the inherited descriptors now: closed later, they would drop the locks that the child has taken since.
    for use in _uses.values():
        use.lock.release_read_lock()
    _uses.clear()
    _threads.release()


os.register_at_fork(before=_threads.acquire, after_in_parent=_threads.release, after_in_child=_after_fork_in_child)


class EmbeddedServer:
    """A PostgreSQL server on the files in a folder, shared by every process that starts it there.

    Objects are cheap; `start` and `stop` pair up. A process that ends without `stop` counts as gone.
    """

    def __init__(
        self, data_dir: Path, *, max_connections: int = 200, _extra_settings: Mapping[str, str] | None = None
    ) -> None:
        """Describe the server; nothing is touched before `start`.

        Args:
            data_dir: where its files are, or will be. Any path: spaces, quotes and great length are fine.
            max_connections: of the server, when this process is the one that boots it.
            _extra_settings: for tests, which need no durability.
        """
        self._data_dir = data_dir.absolute()
        self._settings = {"max_connections": str(max_connections), **(_extra_settings or {})}
        self._use: _Use | None = None
        self._vector: tuple[bool, str] | None = None

    def start(self) -> str:
        """Boot the server, or join the one that runs; return the conninfo of its database `longlead`.

        Blocks for about a second on the very first boot. Calling it again changes nothing.

        Raises:
            StorageError: it cannot be started; the message says why, with the end of the server's log.
        """
        with _threads:
            if not self._started():
                self._use = self._join()
                self._use.count += 1
                atexit.register(self.stop)
            return self.conninfo

    def stop(self) -> None:
        """Give the server up; the last process to do so stops it. Calling it again changes nothing."""
        with _threads:
            use, self._use = self._use, None
            if use is None or use.pid != os.getpid():  # a forked child has no claim of its own
                return
            atexit.unregister(self.stop)
            use.count -= 1
            if use.count == 0:
                del _uses[use.data_dir]
                self._leave(use)

    def ensure_running(self) -> bool:
        """Boot the server again if it died; whether that was needed. Call it every few seconds, off the event loop.

        Raises:
            StorageError: `start` was not called, or the server cannot be booted again.
        """
        with _threads:
            use = self._claim()
            if use.cluster.answers():
                use.cluster.trim_log()
                return False
            with _BootLock(use.data_dir):
                booted = use.cluster.bring_up(self._settings, _START_TIMEOUT_S)
        if booted:
            logger.warning("The database server on %s had died and was started again.", use.cluster.data)
        return booted

    def is_gone(self) -> bool:
        """Whether the server has died: a look at a lock on a file, cheap enough for every second."""
        return self._claim().cluster.is_gone()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def free_bytes(self) -> int:
        """Bytes that are free for its files on their disk; StorageError before `start`."""
        return shutil.disk_usage(self._claim().cluster.data).free

    @property
    def conninfo(self) -> str:
        """The libpq connection string of the database; StorageError before `start`."""
        return self._claim().cluster.conninfo(DATABASE)

    @property
    def binaries(self) -> Binaries:
        """The programs that the server was started with; StorageError before `start`."""
        return self._claim().cluster.binaries

    @property
    def vector(self) -> bool:
        """Whether pgvector may be created and used in this server, on this processor."""
        return self._vector_support()[0]

    @property
    def vector_reason(self) -> str:
        """Why `vector` is what it is, for the service's log."""
        return self._vector_support()[1]

    def _vector_support(self) -> tuple[bool, str]:
        if self._vector is None:
            self._vector = vector_support(find_binaries())
        return self._vector

    def _started(self) -> bool:
        return self._use is not None and self._use.pid == os.getpid()

    def _claim(self) -> _Use:
        if self._use is None or self._use.pid != os.getpid():
            raise ServerStartError("The embedded server is not in use by this process. Call start() first.")
        return self._use

    def _join(self) -> _Use:
        data_dir = prepare_data_dir(self._data_dir)
        use = _uses.get(data_dir)
        if use is not None and use.pid == os.getpid():
            return use
        with _BootLock(data_dir):
            cluster = _cluster(_owned(place(data_dir)))
            cluster.create()
            cluster.bring_up(self._settings, _START_TIMEOUT_S)
            _ensure_database(cluster)
            make_private_file(data_dir / "users.lock")
            lock = fasteners.InterProcessReaderWriterLock(data_dir / "users.lock")
            lock.acquire_read_lock()
        _uses[data_dir] = use = _Use(os.getpid(), data_dir, lock, cluster)
        return use

    def _leave(self, use: _Use) -> None:
        if not use.data_dir.exists():  # deleted under us; PostgreSQL notices within a minute and ends
            use.lock.release_read_lock()
            return
        with _BootLock(use.data_dir):
            # Our own shared lock turns exclusive exactly when nobody else holds one.
            alone = use.lock.acquire_write_lock(blocking=False)
            try:
                if alone:
                    use.cluster.stop()
            finally:
                use.lock.release_read_lock()


class _BootLock:
    """Keeps apart the processes that start and stop one server."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "boot.lock"
        make_private_file(self._path)
        self._lock = fasteners.InterProcessLock(self._path)

    def __enter__(self) -> None:
        try:
            acquired = self._lock.acquire(timeout=_BOOT_LOCK_TIMEOUT_S)
        except PermissionError as error:
            raise PlacementError(
                f"{self._path} belongs to another user. Start Longlead as that user, or name another data folder."
            ) from error
        if not acquired:
            raise ServerStartError(
                f"Another process has been starting or stopping the server for {_BOOT_LOCK_TIMEOUT_S:.0f} s: it holds "
                f"{self._path}. Find it with `fuser '{self._path}'` and end it."
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


def _owned(placement: Placement) -> Placement:
    """The same place, where the data does not belong to `nobody` any more: unless a server still runs on it."""
    if placement.account is None or not placement.cluster.exists():
        return placement
    idle = Cluster(placement.cluster, placement.home, placement.log, find_binaries(), placement.account).is_unused()
    return take_over(placement) if idle else placement


def _cluster(placement: Placement) -> Cluster:
    return Cluster(
        data=placement.cluster,
        sockets=prepare_socket_folder(placement),
        log=placement.log,
        binaries=binaries_for(placement.account, SHELTER),
        account=placement.account,
    )


def _ensure_database(cluster: Cluster) -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if found is None:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
