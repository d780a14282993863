"""Root's server has a user of its own: no other unprivileged process can connect, read its files or take its locks."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import storage.account
from storage.account import NAME, Account, AccountError, hand_over, own_account, process_options
from storage.binaries import binaries_for
from storage.cluster import Cluster
from storage.embedded import EmbeddedServer
from storage.placement import SHELTER

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a server as another user")

REACH = """
import fcntl, os, sys
for folder, folders, files in os.walk(sys.argv[1]):
    for name in files:
        path = os.path.join(folder, name)
        for mode in (os.O_RDONLY, os.O_WRONLY):
            try:
                fcntl.lockf(os.open(path, mode), fcntl.LOCK_NB | (fcntl.LOCK_EX if mode else fcntl.LOCK_SH))
            except OSError:
                continue
            print(path)
"""
CONNECT = """
import socket, struct, sys
caller = socket.socket(socket.AF_UNIX)
caller.connect(sys.argv[1])
names = b"user\\0longlead\\0database\\0longlead\\0\\0"
caller.sendall(struct.pack("!ii", len(names) + 8, 196608) + names)
print(caller.recv(4096))
"""


def nobody() -> Account:
    entry = pwd.getpwnam("nobody")
    return Account("nobody", entry.pw_uid, entry.pw_gid)


def as_nobody(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program as the user that every unprivileged service shares."""
    places = (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin"))
    python = next((place for place in places if place and nobody().reaches(Path(place))), None)
    if python is None:
        pytest.skip("nobody can reach no Python")
    command = [python, "-I", "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **process_options(nobody()))


@pytest.fixture
def folder(open_tmp_path: Path) -> Path:
    return open_tmp_path / "data"


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(folder) as started:
        yield started


def socket_of(server: EmbeddedServer) -> Path:
    with psycopg.connect(server.conninfo) as conn:
        return Path(conn.info.host, f".s.PGSQL.{conn.info.port}")


def test_roots_server_runs_as_a_system_user_that_nobody_can_log_in_as(server: EmbeddedServer, folder: Path) -> None:
    account = own_account()
    assert account.name == NAME
    assert account.uid not in (0, nobody().uid)
    assert pwd.getpwuid(account.uid).pw_shell.endswith(("nologin", "false"))
    postmaster = (folder / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0]
    assert Path(f"/proc/{postmaster}").stat().st_uid == account.uid
    for path in [folder / "cluster", *(folder / "cluster").rglob("*")]:
        assert path.lstat().st_uid == account.uid, path


def test_another_user_can_open_and_lock_no_file_of_the_database(server: EmbeddedServer, folder: Path) -> None:
    probe = as_nobody(REACH, folder)
    assert (probe.stdout, probe.returncode) == ("", 0), probe.stderr
    for name in ("boot.lock", "users.lock", "server.log", "cluster.alive"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name


def test_locks_that_an_earlier_version_left_open_are_closed(folder: Path) -> None:
    folder.mkdir(mode=0o711)
    for name in ("boot.lock", "users.lock"):
        (folder / name).touch(mode=0o666)
        (folder / name).chmod(0o666)
    with EmbeddedServer(folder), EmbeddedServer(folder):
        assert as_nobody(REACH, folder).stdout == ""


def test_another_user_cannot_connect_and_not_even_where_the_socket_lies_open(server: EmbeddedServer) -> None:
    socket = socket_of(server)
    assert "PermissionError" in as_nobody(CONNECT, socket).stderr
    socket.parent.chmod(0o755)
    socket.chmod(0o777)
    assert "Peer authentication failed" in as_nobody(CONNECT, socket).stdout


def test_the_server_cannot_change_who_may_connect(server: EmbeddedServer) -> None:
    with psycopg.connect(server.conninfo) as conn:
        for setting in ("hba_file", "ident_file"):
            row = conn.execute(f"SHOW {setting}").fetchone()
            assert row is not None
            assert (Path(row[0]).stat().st_uid, stat.S_IMODE(Path(row[0]).stat().st_mode)) == (0, 0o640)


def leave_data_of_nobody(folder: Path) -> Cluster:
    """A server as an earlier version started it, still running, with a table in it."""
    folder.mkdir(mode=0o711)
    (folder / "socket").mkdir(mode=0o700)
    nobody().own(folder / "socket")
    programs = binaries_for(nobody(), SHELTER)
    cluster = Cluster(folder / "cluster", folder / "socket", folder / "server.log", programs, nobody())
    cluster.create()
    cluster.bring_up({}, 60)
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as conn:
        conn.execute("CREATE DATABASE longlead")
    with psycopg.connect(cluster.conninfo("longlead"), autocommit=True) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 7 AS n")
    return cluster


@pytest.mark.slow
def test_data_of_nobody_is_carried_over_at_the_next_start_and_not_under_a_running_server(folder: Path) -> None:
    earlier = leave_data_of_nobody(folder)
    with EmbeddedServer(folder) as joined, psycopg.connect(joined.conninfo) as conn:
        assert conn.execute("SELECT n FROM kept").fetchone() == (7,)
        assert (folder / "cluster").stat().st_uid == nobody().uid
    assert earlier.is_gone()
    (folder / "socket").mkdir(mode=0o700, exist_ok=True)  # as a crash would leave it
    nobody().own(folder / "socket")
    with EmbeddedServer(folder) as server, psycopg.connect(server.conninfo) as conn:
        assert conn.execute("SELECT n FROM kept").fetchone() == (7,)
        owners = {path.lstat().st_uid for path in [folder / "cluster", *(folder / "cluster").rglob("*")]}
        assert owners == {own_account().uid}
        assert as_nobody(REACH, folder).stdout == ""


def test_handing_data_over_reaches_nothing_outside_of_it(open_tmp_path: Path) -> None:
    inside, outside = open_tmp_path / "inside", open_tmp_path / "outside"
    (inside / "deep").mkdir(parents=True)
    outside.mkdir()
    (outside / "theirs").touch()
    (inside / "deep" / "link").symlink_to(outside)
    (inside / "deep" / "file").touch()
    (inside / "of root").touch()
    for path in (inside, inside / "deep", inside / "deep" / "link", inside / "deep" / "file", outside / "theirs"):
        os.chown(path, nobody().uid, nobody().gid, follow_symlinks=False)
    hand_over(inside, nobody().uid, own_account())
    given = {path.name: path.lstat().st_uid for path in (inside, *inside.rglob("*"))}
    assert given == {name: own_account().uid for name in ("inside", "deep", "link", "file")} | {"of root": 0}
    assert (outside.stat().st_uid, (outside / "theirs").stat().st_uid) == (0, nobody().uid)


def test_a_file_under_two_names_is_not_handed_over(open_tmp_path: Path) -> None:
    inside = open_tmp_path / "inside"
    inside.mkdir()
    (open_tmp_path / "theirs").touch()
    os.chown(open_tmp_path / "theirs", nobody().uid, nobody().gid)
    os.link(open_tmp_path / "theirs", inside / "ours")
    with pytest.raises(AccountError, match="no plain file"):
        hand_over(inside, nobody().uid, own_account())
    assert (open_tmp_path / "theirs").stat().st_uid == nobody().uid


def test_where_no_tool_creates_users_the_two_lines_are_written_with_an_id_that_nothing_else_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwd, group = tmp_path / "passwd", tmp_path / "group"
    passwd.write_text("root:x:0:0::/root:/bin/sh")  # no line end, as people leave it
    group.write_text("root:x:0:\n")

    def known() -> Account | None:
        found = [line.split(":") for line in passwd.read_text().split("\n") if line.startswith(f"{NAME}:")]
        return Account(NAME, int(found[0][2]), int(found[0][3])) if found else None

    for name, value in {"_PASSWD": passwd, "_GROUP": group, "_LOCK": tmp_path / "lock", "_known": known}.items():
        monkeypatch.setattr(storage.account, name, value)
    monkeypatch.setattr(storage.account, "_ADD_USER", ("no-such-tool",))
    account = own_account()
    assert account == own_account()
    assert passwd.read_text().startswith("root:x:0:0::/root:/bin/sh\n")
    assert passwd.read_text().count(NAME) == group.read_text().count(NAME) == 1
    assert 100 <= account.uid <= 999
    with pytest.raises(KeyError):
        pwd.getpwuid(account.uid)


def test_without_a_user_of_its_own_the_server_does_not_start_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.account, "_known", lambda: None)
    monkeypatch.setattr(storage.account, "_ADD_USER", ("no-such-tool",))
    monkeypatch.setattr(storage.account, "_LOCK", Path("/proc/none"))
    with pytest.raises(AccountError, match="useradd --system longlead-db"):
        own_account()
