"""The demo's pace: slow enough to read on a terminal, with keys to go faster or to end; fast elsewhere."""

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator

FAST_KEYS, END_KEYS = "fF", "qQ"
MAX_PAUSE_S = 5.0


class Pace:
    """Stands still for as long as a text takes to be skimmed. Slow only where somebody sits at a terminal."""

    def __init__(self, *, slow: bool) -> None:
        self.slow = slow
        self._keys: int | None = None

    @contextlib.contextmanager
    def listen(self) -> Iterator[None]:
        """Take single keys, without showing them, while this lasts; the terminal is put back afterwards."""
        descriptor = _own_terminal() if is_watched() else None
        if descriptor is None:
            yield
            return
        before = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor)
            self._keys = descriptor
            yield
        finally:
            self._keys = None
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def pause(self, seconds: float) -> None:
        """Stand still. F goes on without pauses from here, Q ends, any other key ends this pause.

        Raises:
            KeyboardInterrupt: Q was pressed.
        """
        if not self.slow and self._keys is None:
            return
        key = self.wait_for_key(min(seconds, MAX_PAUSE_S) if self.slow else 0)
        if key in tuple(FAST_KEYS):
            self.slow = False
        elif key in tuple(END_KEYS):
            raise KeyboardInterrupt

    def wait_for_key(self, seconds: float) -> str:
        """The key that is pressed within so many seconds; an empty text where none is."""
        if self._keys is None:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([self._keys], [], [], seconds)
        if not ready:
            return ""
        pressed = os.read(self._keys, 64)
        if not pressed:  # the terminal is gone
            raise KeyboardInterrupt
        return pressed[:1].decode("ascii", "replace")


def is_watched() -> bool:
    """Whether a person sits at a terminal: it shows the output, and has keys."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _own_terminal() -> int | None:
    """The terminal that the keys come from; None in the background, where touching it would stop the process."""
    try:
        descriptor = sys.stdin.fileno()
        return descriptor if os.tcgetpgrp(descriptor) == os.getpgrp() else None
    except (OSError, ValueError, AttributeError):
        return None
