"""Which folders an embedded server uses: its data, its socket, and where they go when the obvious place will not do."""

import hashlib
import logging
import os
import re
import secrets
import stat
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from domain.errors import StorageError
from storage.account import Account, hand_over, nobody_uid, own_account, server_account

SHELTER = Path("/var/lib/longlead")
"""Where root keeps what the server's user must reach: data and programs that would else lie in a closed folder."""

_POINTER = "cluster-location"
_LONGEST_SOCKET_PATH = 100
"""Bytes. The kernel's limit for a socket's address is 108 on Linux and 104 on macOS."""
_SOCKET_NAME = ".s.PGSQL.5432"
_UNSAFE_IN_SOCKET_PATH = re.compile(r"[^\w ./-]", re.ASCII)

logger = logging.getLogger(__name__)


class PlacementError(StorageError):
    """A folder of the embedded server is missing, closed or somebody else's. The message says which."""


@dataclass(frozen=True)
class Placement:
    """Where one embedded server lives, and as whom."""

    data_dir: Path
    """The folder that the user named: locks and the server's log."""
    home: Path
    """`data_dir`, or a folder elsewhere when the server's user cannot reach that."""
    account: Account | None
    """The user of the server process; None: ourselves."""

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.data_dir / "server.log"


def prepare_data_dir(data_dir: Path) -> Path:
    """Create the folder when it is missing and return its real path; PlacementError when it cannot be used."""
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True, exist_ok=True)
            # Root's server runs as another user, who must be able to pass through.
            data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        real = data_dir.resolve()
    except OSError as error:
        raise PlacementError(
            f"The data folder {data_dir} cannot be created: {error}. Name a folder that can be written."
        ) from error
    if not os.access(real, os.R_OK | os.W_OK | os.X_OK):
        raise PlacementError(
            f"The data folder {real} belongs to another user. Start Longlead as that user, or name another folder."
        )
    return real


def place(data_dir: Path) -> Placement:
    """Decide where the server of `data_dir` (a prepared folder) lives. Call it under the boot lock.

    The server's user (see `server_account`) must be able to pass through every folder above its data. Where it
    cannot, as below /root, the data goes to a folder under SHELTER, and `data_dir` remembers which.

    Raises:
        PlacementError: the remembered folder is gone, or existing data can no longer be reached.
        AccountError: there is no user for the server.
    """
    pointer = data_dir / _POINTER
    home = _remembered(pointer) if pointer.exists() else data_dir
    account = server_account(home / "cluster")
    if account is None or account.reaches(home):
        return Placement(data_dir, home, account)
    if (home / "cluster").exists():
        raise PlacementError(
            f"The server's user {account.name} cannot pass through the folders above {home / 'cluster'}. Allow it "
            "with `chmod o+x` on each, or move the data folder to a place that is open to it."
        )
    return Placement(data_dir, _move_in(data_dir, pointer, account), account)


def _remembered(pointer: Path) -> Path:
    home = Path(pointer.read_text(encoding="utf-8").strip())
    if not home.is_dir():
        raise PlacementError(
            f"{pointer} says that PostgreSQL's data is in {home}, but that folder is gone. Bring it back, or remove "
            f"{pointer} to begin with an empty database."
        )
    return home


def _move_in(data_dir: Path, pointer: Path, account: Account) -> Path:
    # The random part keeps a data folder that was deleted on purpose from finding its old data again.
    home = SHELTER / f"{_digest(data_dir)}-{secrets.token_hex(4)}"
    try:
        home.mkdir(parents=True)
        for folder in (SHELTER, home):
            folder.chmod(0o711)
        if not account.reaches(home):
            raise PermissionError(f"user {account.name} cannot reach it")
        partial = pointer.with_suffix(".partial")
        partial.write_text(f"{home}\n", encoding="utf-8")
        partial.replace(pointer)
    except OSError as error:
        raise PlacementError(
            f"The server's user {account.name} cannot reach {data_dir}, and {home} cannot take its place: {error}. "
            "Name a data folder that is open to that user, or start Longlead as a normal user."
        ) from error
    logger.warning(
        "User %s cannot reach %s, so PostgreSQL's data is kept in %s. Back up that folder as well, and in a container "
        "put a volume there.",
        account.name,
        data_dir,
        home,
    )
    return home


def prepare_socket_folder(placement: Placement) -> Path:
    """Create the folder of the server's socket, open to its user alone, and return it.

    It lies beside the data; where that path is too long or has characters that a connection string cannot carry, it
    is a folder with a hashed name under the temporary directory.

    Raises:
        PlacementError: somebody else already owns a folder of that name.
    """
    folder = _socket_in_use(placement.cluster) or _choose_socket_folder(placement)
    _clear_folder_of_nobody(folder, placement.account)
    folder.mkdir(mode=0o700, exist_ok=True)
    wanted = placement.account.uid if placement.account else os.geteuid()
    owner = folder.lstat().st_uid
    if placement.account and owner == os.geteuid() and not folder.is_symlink():
        placement.account.own(folder)
    elif owner != wanted or folder.is_symlink():
        raise PlacementError(
            f"{folder} is needed for the server's socket but belongs to another user. Remove it, or name another "
            "data folder with a shorter path."
        )
    folder.chmod(0o700)
    return folder


def _clear_folder_of_nobody(folder: Path, account: Account | None) -> None:
    """Remove the socket's folder that a server left behind when it still ran as `nobody`."""
    if account is None or account.uid == nobody_uid() or not os.path.lexists(folder):
        return
    if folder.is_symlink() or folder.lstat().st_uid != nobody_uid():
        return
    try:
        for name in (_SOCKET_NAME, f"{_SOCKET_NAME}.lock"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
    except OSError as error:
        raise PlacementError(f"{folder} is needed for the server's socket and is in the way: {error}.") from error


def make_private_file(path: Path) -> None:
    """Create a file that is open to its owner alone, or close one that others can open.

    It is never opened here when it exists: to close it again would drop this process's locks on it.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o600)
    except OSError:
        return  # the lock itself says what is wrong


def take_over(placement: Placement) -> Placement:
    """Give the data of a server that ran as `nobody` to a user of its own. Nothing may run on it meanwhile.

    Raises:
        AccountError: there is no such user, or a file is none of a database's.
        PlacementError: the new user cannot reach the data.
    """
    giver = nobody_uid()
    if placement.account is None or giver is None or placement.account.uid != giver:
        return placement
    account = own_account()
    if not account.reaches(placement.home):
        raise PlacementError(
            f"The database's data in {placement.cluster} belongs to `nobody`, as every unprivileged service does, and "
            f"its new user {account.name} cannot pass through the folders above it. Allow it with `chmod o+x` on each."
        )
    hand_over(placement.cluster, giver, account)
    logger.warning("The database's data in %s belonged to `nobody` and now to %s.", placement.cluster, account.name)
    return replace(placement, account=account)


def _socket_in_use(cluster: Path) -> Path | None:
    # The process that booted the server may have had another temporary directory than we have.
    try:
        folder = Path((cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n")[4])
    except (OSError, IndexError):
        return None
    return folder if folder.is_absolute() and folder.is_dir() else None


def _choose_socket_folder(placement: Placement) -> Path:
    folder = placement.home / "socket"
    if fits_a_socket(folder):
        return folder
    for temporary in (Path(tempfile.gettempdir()).resolve(), Path("/tmp")):
        folder = temporary / f"longlead-{_digest(placement.home)}"
        if fits_a_socket(folder) and (placement.account is None or placement.account.reaches(temporary)):
            return folder
    raise PlacementError(
        f"There is no folder for the server's socket: {placement.home} is too long, and the temporary directory is too "
        "long or closed to the server's user. Name a data folder with a shorter path."
    )


def fits_a_socket(folder: Path) -> bool:
    """Whether a socket in `folder` can be bound, and named in a connection string."""
    path = os.fsencode(folder / _SOCKET_NAME)
    return len(path) < _LONGEST_SOCKET_PATH and not _UNSAFE_IN_SOCKET_PATH.search(os.fsdecode(path))


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
