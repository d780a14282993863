"""The operating system user under which an embedded server runs. PostgreSQL refuses to run as root."""

import fcntl
import grp
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from domain.errors import StorageError

NAME = "longlead-db"
"""The system user that root's server runs as. Nothing else runs as this user."""
_SYSTEM_IDS = range(999, 99, -1)
_PASSWD, _GROUP, _LOCK = Path("/etc/passwd"), Path("/etc/group"), Path("/etc/.pwd.lock")
_ADD_USER = ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent")
_TIMEOUT_S = 30.0


class AccountError(StorageError):
    """There is no user under which the server can run. Create one, or do not start as root."""


class ProcessOptions(TypedDict, total=False):
    """Keyword arguments of `subprocess` that start a program as another user; none of them: as ourselves."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user other than the present one, and its main group."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` to this user."""
        os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether this user may pass through every folder above `path`, and use `path` itself.

        Judged by mode bits alone: an access list that allows more costs a copy, nothing else.
        """
        path = path.resolve()
        return all(self._may_pass(place) for place in (path, *path.parents) if place.exists())

    def _may_pass(self, path: Path) -> bool:
        found = path.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def process_options(account: Account | None) -> ProcessOptions:
    """What `subprocess` needs in order to start a program as `account`; None: as ourselves."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def server_account(cluster: Path) -> Account | None:
    """The user for the server on `cluster`: None (ourselves) unless we are root.

    For root it is the owner of the data that is already there, else a system user that is created for it.
    AccountError when there can be none, or when the data belongs to root.
    """
    if os.geteuid() != 0:
        return None
    return _owner(cluster) if cluster.exists() else own_account()


def own_account() -> Account:
    """The system user `longlead-db`, created when it is missing. Only root can.

    Raises:
        AccountError: it cannot be created, or is root under another name.
    """
    account = _known() or _created_by_tool() or _created_by_hand()
    if account is None or account.uid == 0 or account.uid == nobody_uid():
        raise AccountError(
            f"PostgreSQL does not run as root, and the system user `{NAME}` cannot be created here. Create it with "
            f"`useradd --system {NAME}`, or start Longlead as a normal user."
        )
    return account


def nobody_uid() -> int | None:
    """The id that every unprivileged service shares; None where there is no such user."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return None


def _known() -> Account | None:
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _created_by_tool() -> Account | None:
    if not shutil.which(_ADD_USER[0]):
        return None
    shell = next((path for path in ("/usr/sbin/nologin", "/sbin/nologin") if os.path.exists(path)), "/bin/false")
    # Another process may be creating it too: only whether it is there afterwards counts.
    subprocess.run(
        [*_ADD_USER, "--shell", shell, NAME],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
        cwd="/",
    )
    return _known()


def _created_by_hand() -> Account | None:
    """Small images have no useradd: write the same two lines, under the lock that such tools take."""
    try:
        with _LOCK.open("a") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            if _known() is None:
                uid = _free_id()
                _append(_GROUP, f"{NAME}:x:{uid}:\n")
                _append(_PASSWD, f"{NAME}:x:{uid}:{uid}:Longlead's database:/nonexistent:/bin/false\n")
    except (OSError, StopIteration):
        return None
    return _known()


def _free_id() -> int:
    """A system id that no user, group or process has; StopIteration when all are taken."""
    taken = {entry.pw_uid for entry in pwd.getpwall()} | {entry.gr_gid for entry in grp.getgrall()}
    taken |= {_owner_of(process) for process in Path("/proc").glob("[0-9]*")}
    return next(number for number in _SYSTEM_IDS if number not in taken)


def _owner_of(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return 0


def _append(path: Path, line: str) -> None:
    before = path.read_bytes() if path.exists() else b""
    with path.open("a", encoding="ascii") as file:
        file.write(line if not before or before.endswith(b"\n") else f"\n{line}")


def hand_over(folder: Path, giver: int, taker: Account) -> None:
    """Give all that `giver` owns in `folder` to `taker`. Nothing may run there meanwhile.

    A link is given itself, never what it leads to: files that the giver made must not become a way to others.

    Raises:
        AccountError: something in it is not a plain file, folder or link, or is a file under two names.
    """
    _hand_over_entry(folder, giver, taker)  # first: from now on the giver cannot come in
    for inside, folders, files, _ in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            _hand_over_entry(Path(inside, name), giver, taker)


def _hand_over_entry(path: Path, giver: int, taker: Account) -> None:
    found = path.lstat()
    if found.st_uid != giver:
        return
    is_file = stat.S_ISREG(found.st_mode)
    if (is_file and found.st_nlink > 1) or not (
        is_file or stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode) or stat.S_ISSOCK(found.st_mode)
    ):
        raise AccountError(f"{path} is no plain file of a database. Remove it, and start again.")
    os.chown(path, taker.uid, taker.gid, follow_symlinks=False)


def _owner(cluster: Path) -> Account:
    found = cluster.stat()
    if found.st_uid == 0:
        raise AccountError(
            f"{cluster} belongs to root, and PostgreSQL does not run as root. Give it to another user, for instance "
            f"with `chown -R {own_account().name} '{cluster}'`."
        )
    try:
        name = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        raise AccountError(
            f"{cluster} belongs to user id {found.st_uid}, which this system does not know. Create that user, or "
            f"give the folder to a known one, for instance with `chown -R {own_account().name} '{cluster}'`."
        ) from None
    return Account(name, found.st_uid, found.st_gid)
