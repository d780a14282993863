"""The secret by which `longlead studio` knows itself to the server that it starts: made at each start, in a file that
only this account reads, and gone at the end."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.settings import Settings

REGISTRAR_HEADER = "x-longlead-registrar"
_NAME = "registrar.key"


def studio_folder(settings: Settings) -> Path:
    """The folder of LangGraph's dev server in the data folder."""
    return settings.data_dir.absolute() / "studio"


@contextmanager
def new_registrar_secret(settings: Settings) -> Iterator[str]:
    """Make the secret, and remove its file at the end."""
    folder = studio_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    path, secret = folder / _NAME, secrets.token_urlsafe(32)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
    try:
        yield secret
    finally:
        path.unlink(missing_ok=True)


def read_registrar_secret(settings: Settings) -> str | None:
    """The secret of the `longlead studio` that started this server; None if the server was started by hand."""
    with contextlib.suppress(FileNotFoundError):
        return (studio_folder(settings) / _NAME).read_text() or None
    return None
