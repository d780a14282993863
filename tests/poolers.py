"""PgBouncer in front of a server, where it is installed."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

PROGRAM = shutil.which("pgbouncer") or ("/usr/sbin/pgbouncer" if Path("/usr/sbin/pgbouncer").exists() else None)
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed (package pgbouncer)")

CONFIG = """
[databases]
* = host={host} port={port} user={user} password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
{settings}
"""


@contextmanager
def pooler(folder: Path, conninfo: str, **settings: str | int) -> Iterator[str]:
    """The conninfo of a pooler with these settings, in front of that server."""
    server, listen = conninfo_to_dict(conninfo), _free_port()
    words = "\n".join(f"{name} = {value}" for name, value in settings.items())
    password = str(server["password"]).replace("'", "''")
    file = folder / f"pgbouncer-{listen}.ini"
    file.write_text(CONFIG.format(**{**server, "password": password}, listen=listen, settings=words))
    file.chmod(0o644)
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [str(PROGRAM), "-q", *user, str(file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _await_port(listen)
            yield make_conninfo(host="127.0.0.1", port=listen, user=server["user"], dbname=server["dbname"])
        finally:
            process.kill()


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
