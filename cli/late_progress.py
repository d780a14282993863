"""How far a long command has come: on standard error, and only once it has taken two seconds."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console

if TYPE_CHECKING:  # rich's own module for it takes long to import
    from rich.progress import Progress

SHOWN_AFTER_S = 2.0


class LateProgress:
    """A line that says what is being done and how long it has taken, with a bar where the end is known.

    Quick work shows nothing.
    """

    def __init__(
        self,
        what: str,
        total: int | None = None,
        *,
        shown_after_s: float | None = None,
        console: Console | None = None,
    ) -> None:
        """Describe the line.

        Args:
            what: what is being done, such as "Saving".
            total: how many there are to do; a bar is shown on a terminal alone. Without it, a spinner.
            shown_after_s: seconds before anything is shown; two when absent.
            console: where to; standard error when absent.
        """
        self.what = what
        self._shown_after_s = SHOWN_AFTER_S if shown_after_s is None else shown_after_s
        self._started = time.monotonic()
        self._is_shown = False
        self._progress = _make_line(console or Console(stderr=True), is_counted=total is not None)
        self._task = self._progress.add_task(f"{what} ..." if total is None else what, total=total)

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
        from rich.filesize import decimal

        self.describe(f"{self.what}: {decimal(size_bytes)}")

    def describe(self, text: str) -> None:
        """Say what is being done, or how much of it is done by now."""
        self._progress.update(self._task, description=text)
        self._show_if_late()

    def advance(self, number: int = 1) -> None:
        """Count so many more as done."""
        self._progress.advance(self._task, number)
        self._show_if_late()

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self._started

    @property
    def done(self) -> int:
        """How many were counted."""
        return int(self._progress.tasks[0].completed)

    def _show_if_late(self) -> None:
        if not self._is_shown and self.seconds >= self._shown_after_s:
            self._is_shown = True
            self._progress.start()


def _make_line(console: Console, *, is_counted: bool) -> "Progress":
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    description = TextColumn("{task.description}", markup=False)
    if not is_counted:
        return Progress(SpinnerColumn(), description, TimeElapsedColumn(), console=console)
    columns = (description, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True))
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
