"""How far a long command has come: on standard error, and only once it has taken two seconds."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

SHOWN_AFTER_S = 2.0


class LateProgress:
    """A line with a spinner, the size done so far and the time it took. Quick work shows nothing."""

    def __init__(self, verb: str, *, shown_after_s: float | None = None) -> None:
        """Describe the line.

        Args:
            verb: what is being done, such as "Saving".
            shown_after_s: seconds before anything is shown; two when absent.
        """
        self._verb = verb
        self._shown_after_s = SHOWN_AFTER_S if shown_after_s is None else shown_after_s
        self._started = time.monotonic()
        self._is_shown = False
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=Console(stderr=True)
        )
        self._task = self._progress.add_task(f"{verb} ...")

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_shown:
            self._progress.stop()

    def show_size(self, size_bytes: int) -> None:
        """Tell how many bytes are done. May be called from another thread."""
        self._progress.update(self._task, description=f"{self._verb}: {decimal(size_bytes)}")
        if not self._is_shown and time.monotonic() - self._started >= self._shown_after_s:
            self._is_shown = True
            self._progress.start()
