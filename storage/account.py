"""The operating system user under which an embedded server runs. PostgreSQL refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from domain.errors import StorageError

_CANDIDATES = ("longlead", "nobody")


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

    For root it is the owner of the data that is already there, else `longlead` if such a user exists, else `nobody`.
    AccountError when there is none, or when the data belongs to root.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists():
        return _owner(cluster)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise AccountError(
        "PostgreSQL does not run as root, and this system has neither a user `longlead` nor `nobody`. Create one with "
        "`useradd --system longlead`, or start Longlead as a normal user."
    )


def _owner(cluster: Path) -> Account:
    found = cluster.stat()
    if found.st_uid == 0:
        raise AccountError(
            f"{cluster} belongs to root, and PostgreSQL does not run as root. Give it to another user, for instance "
            f"with `chown -R nobody '{cluster}'`."
        )
    try:
        name = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        raise AccountError(
            f"{cluster} belongs to user id {found.st_uid}, which this system does not know. Create that user, or "
            f"give the folder to a known one, for instance with `chown -R nobody '{cluster}'`."
        ) from None
    return Account(name, found.st_uid, found.st_gid)
