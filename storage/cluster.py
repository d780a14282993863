"""One PostgreSQL cluster: make its files, boot it, ask whether it answers, stop it.

Nothing here keeps two processes apart; `storage/embedded.py` does, with its locks.
"""

import atexit
import contextlib
import fcntl
import hashlib
import logging
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from domain.errors import StorageError
from storage.account import Account, process_options
from storage.binaries import MAJOR, Binaries

SUPERUSER = "longlead"
PORT = 5432
_LARGEST_LOG = 10 * 1024 * 1024
_PAUSE_S = 0.02
_ORPHAN_GRACE_S = 2.0
_FAST_STOP_S = 60.0
_IMMEDIATE_STOP_S = 10.0

DURABLE: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "io_method": "sync",  # pages come from memory: to hand each read to another process is a wait for its turn
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%a ",
}
"""Settings of every server started here. What was committed survives a power cut; that is not for sale."""

logger = logging.getLogger(__name__)

# A child that nobody waits for stays a zombie, and its Popen warns when it is collected.
_spawned: list[subprocess.Popen[bytes]] = []


@atexit.register
def _let_go() -> None:
    """A server that other processes still use outlives the one that booted it, on purpose: its Popen need not warn."""
    for server in _spawned:
        if server.poll() is None:
            server.returncode = 0  # what its end looks at


class ServerStartError(StorageError):
    """The database server did not start. The message ends with what it wrote to its log."""


class ServerStopError(StorageError):
    """The database server does not stop. Its process has to be ended by hand."""


@dataclass(frozen=True)
class Cluster:
    """The files and the server process of one PostgreSQL cluster."""

    data: Path
    sockets: Path
    log: Path
    binaries: Binaries
    account: Account | None
    port: int = PORT
    """Names the socket's file; TCP is off unless a setting turns it on."""
    guests: tuple[str, ...] = ()
    """Further lines of pg_hba.conf: who else may log in."""

    @property
    def name(self) -> str:
        """The server's `cluster_name`, which is in the title of each of its processes."""
        return f"longlead-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]}"

    @property
    def _alive_file(self) -> Path:
        return self.data.with_name(f"{self.data.name}.alive")

    def conninfo(self, database: str) -> str:
        """A libpq connection string over the unix socket."""
        return make_conninfo(
            host=str(self.sockets),
            port=self.port,
            user=SUPERUSER,
            dbname=database,
            sslmode="disable",
            gssencmode="disable",
        )

    def create(self, *options: str) -> None:
        """Make the cluster's files unless they are there. A crash half way leaves nothing under the final name.

        Args:
            options: further arguments for initdb.

        Raises:
            ServerStartError: initdb failed, or the files are those of another major version.
        """
        if self.data.exists():
            self._check_version()
            return
        for leftover in self.data.parent.glob(f"{self.data.name}.initdb-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        partial = self.data.with_name(f"{self.data.name}.initdb-{os.getpid()}")
        partial.mkdir(mode=0o700)
        if self.account:
            self.account.own(partial)
        try:
            self._initdb(partial, options)
            partial.rename(self.data)
            _sync_folder(self.data.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _initdb(self, folder: Path, options: tuple[str, ...]) -> None:
        # The builtin locale sorts the same on every system, so the indexes survive an upgrade of its C library.
        arguments = ["--pgdata", str(folder), "--username", SUPERUSER, "--encoding", "UTF8", "--locale", "C"]
        arguments += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"]
        arguments += ["--auth-local", "peer", "--auth-host", "scram-sha-256", *options]
        run = subprocess.run(
            [self.binaries.program("initdb"), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            env=_bare_environment(),
            check=False,
            **process_options(self.account),
        )
        if run.returncode != 0:
            raise ServerStartError(
                f"The database's files could not be made in {self.data}. Check that the disk has room and that the "
                f"folder can be written. initdb said:\n{_last_lines(run.stderr or run.stdout)}"
            )

    def _check_version(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except OSError as error:
            raise ServerStartError(
                f"{self.data} is not a PostgreSQL data folder: {error}. Restore it, or move it away to begin with an "
                "empty database."
            ) from error
        if found != str(MAJOR):
            raise ServerStartError(
                f"{self.data} was written by PostgreSQL {found}, but this is PostgreSQL {MAJOR}. Make a backup with "
                f"the version of Longlead that wrote it, move the folder away, and restore the backup with this one."
            )

    def bring_up(self, settings: Mapping[str, str], timeout_s: float) -> bool:
        """Return once the server answers, booting it unless it runs; whether it had to be booted.

        A server that is still starting or recovering is waited for; processes that a killed postmaster left
        behind are ended; a `postmaster.pid` without a server is stepped over.

        Raises:
            ServerStartError: it ended at once, or does not answer within `timeout_s` seconds.
        """
        began = time.monotonic()
        log_start = self._log_size()
        server: subprocess.Popen[bytes] | None = None
        while refusal := self._refusal():
            waited_s = time.monotonic() - began
            if waited_s > timeout_s:
                raise self._start_error(f"does not answer within {timeout_s:.0f} s ({refusal})", log_start)
            if server is None:
                server = self._boot(settings)
            elif server.poll() is not None:
                raise self._start_error("ended at once", log_start)
            if server is None and waited_s > _ORPHAN_GRACE_S:
                self._end_orphans()
            time.sleep(_PAUSE_S)
        return server is not None

    def answers(self) -> bool:
        """Whether a server on exactly these files takes connections. A process id would prove nothing.

        A server whose connections are all taken counts as answering.
        """
        return self._refusal() is None

    def _refusal(self) -> str | None:
        """Why there is no answer; None when there is one."""
        if self.is_gone():  # who answers all the same has files that were deleted under it
            return "it is not running"
        try:
            with psycopg.connect(self.conninfo("postgres"), connect_timeout=5, autocommit=True) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError as error:
            full = "too many clients" in str(error) or "remaining connection slots" in str(error)
            return None if full else str(error).strip()
        if row is None or Path(row[0]).resolve() != self.data.resolve():
            return f"a server on other data answers in {self.sockets}: {row and row[0]}"
        return None

    def _boot(self, settings: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
        """Spawn the postmaster; None while any process of an earlier one is alive."""
        alive = os.open(self._alive_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            self._step_over_stale_pid_file()
            return self._spawn(settings, alive)
        finally:
            os.close(alive)

    def _spawn(self, settings: Mapping[str, str], alive: int) -> subprocess.Popen[bytes]:
        self.trim_log()
        sockets = str(self.sockets).replace('"', '""')
        fixed = {"unix_socket_directories": f'"{sockets}"', "unix_socket_permissions": "0700"}
        fixed |= self._write_access()
        fixed |= {"port": str(self.port), "listen_addresses": "", "cluster_name": self.name}
        options = [f"--{name}={value}" for name, value in {**DURABLE, **fixed, **settings}.items()]
        _spawned[:] = [child for child in _spawned if child.poll() is None]
        log = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # `alive` is the one descriptor that the server inherits: its lock lasts until the last of its processes
            # is gone, which no process id can tell, least of all across containers that share the folder.
            server = subprocess.Popen(
                [self.binaries.program("postgres"), "-D", self.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_bare_environment(),
                start_new_session=True,  # else Ctrl-C in the terminal stops it under its users
                close_fds=True,
                pass_fds=(alive,),
                umask=0o077,
                **process_options(self.account),
            )
        except OSError as error:
            raise ServerStartError(
                f"PostgreSQL could not be started{f' as user {self.account.name}' if self.account else ''}: {error}."
            ) from error
        finally:
            os.close(log)
        _spawned.append(server)
        _let_callers_go_on(server.pid)
        return server

    def _write_access(self) -> dict[str, str]:
        """Write who may connect, and return the settings that name the files.

        Over the socket PostgreSQL asks the kernel who calls: only the server's own user and root are let in. The files
        lie beside the data, where root's server cannot change them.
        """
        names = {_user_name(0) or "root", _user_name(self.account.uid if self.account else os.geteuid())}
        by = (
            "trust" if None in names else f"peer map={SUPERUSER}"
        )  # the kernel's answer needs a name; the folder is 0700
        rules = [f"local all all {by}", "host all all 127.0.0.1/32 scram-sha-256", "host all all ::1/128 scram-sha-256"]
        users = [f'{SUPERUSER} "{name}" all' for name in sorted(filter(None, names))]
        return {
            "hba_file": str(self._write_beside("hba", [*rules, *self.guests])),
            "ident_file": str(self._write_beside("ident", users)),
        }

    def _write_beside(self, kind: str, lines: Iterable[str]) -> Path:
        target = self.data.with_name(f"{self.data.name}.{kind}.conf")
        partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "w", encoding="utf-8") as written:
                written.write("".join(f"{line}\n" for line in lines))
                if self.account:
                    os.fchown(file, -1, self.account.gid)
                    os.fchmod(file, 0o640)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)  # on a full disk this is tried again every second
        return target

    def _step_over_stale_pid_file(self) -> None:
        """Remove what a crash left. PostgreSQL itself gives up when the old process id is in use again."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        strangers = self._processes()
        if strangers:
            raise ServerStartError(
                f"A PostgreSQL that Longlead did not start (process {strangers[0]}) uses {self.data}. Stop it first, "
                f"for instance with `kill -INT {strangers[0]}`."
            )
        logger.warning("Stepping over %s, which an unclean end left behind.", pid_file)
        socket = self.sockets / f".s.PGSQL.{self.port}"
        for stale in (socket, socket.with_name(f"{socket.name}.lock"), pid_file):
            stale.unlink(missing_ok=True)

    def is_unused(self) -> bool:
        """Whether nothing runs on these files, whoever started it."""
        return self.is_gone() and not self._processes()

    def is_gone(self) -> bool:
        """Whether no process of this cluster is alive, not even one that outlived its postmaster."""
        try:
            alive = os.open(self._alive_file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(alive)
        return True

    def stop(self) -> None:
        """Stop the server: at once but cleanly, and the hard way when that takes longer than a minute.

        Raises:
            ServerStopError: it is still there after that.
        """
        for order, patience_s in ((signal.SIGINT, _FAST_STOP_S), (signal.SIGQUIT, _IMMEDIATE_STOP_S)):
            postmaster = self._postmaster()
            if postmaster is not None:
                _send(postmaster, order)
            if self._gone_within(patience_s if postmaster else _ORPHAN_GRACE_S):
                break
        else:
            self._end_orphans()
            if not self._gone_within(_IMMEDIATE_STOP_S):
                raise ServerStopError(
                    f"The database server on {self.data} does not stop. End its processes by hand: "
                    f"{self._processes() or 'they are not visible from here'}."
                )
        _spawned[:] = [child for child in _spawned if child.poll() is None]
        with contextlib.suppress(OSError):  # a folder in the temporary directory would stay for good
            self.sockets.rmdir()

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self.is_gone():
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_S)
        return True

    def _end_orphans(self) -> None:
        """End server processes whose postmaster is dead: nothing that they still do can be committed."""
        if self._postmaster() is not None:
            return
        for pid in self._processes():
            logger.warning("Ending process %s, which outlived its postmaster on %s.", pid, self.data)
            _send(pid, signal.SIGKILL)

    def _postmaster(self) -> int | None:
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def _processes(self) -> list[int]:
        # Command lines are readable where working folders are not: root in a container lacks the right to trace.
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._is_ours(int(entry.name))]

    def _is_ours(self, pid: int) -> bool:
        if not Path("/proc/self").exists():  # macOS: whoever calls has seen that the server is alive
            return True
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        postmaster = b"/postgres\0-D\0" + os.fsencode(self.data) + b"\0"
        return postmaster in command or command.startswith(f"postgres: {self.name}: ".encode())

    def trim_log(self) -> None:
        """Keep the log under twice ten megabytes. Safe while the server writes: it appends."""
        if self._log_size() > _LARGEST_LOG:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    def _log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def _start_error(self, what: str, log_start: int) -> ServerStartError:
        written = ""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(log_start if log_start <= self._log_size() else 0)
                written = log.read().decode(errors="replace")
        return ServerStartError(
            f"The database server on {self.data} {what}. Its log is {self.log}; correct what it complains of and start "
            f"again. It ends with:\n{_last_lines(written) or '(nothing was written)'}"
        )


def _let_callers_go_on(pid: int) -> None:
    """Let no process of the server interrupt another one because it has just been given work: it waits for a core, or
    for its turn. Here whoever asks runs on the same cores: under load a busy worker was put on and off its core a
    thousand times a second, with this three hundred times. Only Linux knows such a policy; nothing depends on it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))


def _user_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _send(pid: int, order: signal.Signals) -> None:
    try:
        os.kill(pid, order)
    except ProcessLookupError:
        return


def _last_lines(text: str, count: int = 20) -> str:
    return "\n".join(text.strip().splitlines()[-count:])


def _bare_environment() -> dict[str, str]:
    # Not ours: variables such as PGPORT, TZ or LD_LIBRARY_PATH would change what the server does.
    return {"PATH": os.defpath, "LC_ALL": "C"}
