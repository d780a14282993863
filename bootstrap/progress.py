"""One line that says how far it is: packages, megabytes and seconds."""

import queue
import re
import subprocess
import sys
import threading
import time

COLLECTED = re.compile(r"^(?:Collecting|Processing) (\S+)")
FETCHED = re.compile(r"^\s*(?:Downloading|Downloaded) (\S+) \(([\d.]+) ?(kB|KiB|MB|MiB|GB|GiB)\)")
CACHED = re.compile(r"^\s*Using cached \S+ \(([\d.]+) ?(kB|MB|GB)\)")
INSTALLING = re.compile(r"^Installing collected packages: (.*)$")
UNIT_MB = {"kB": 1e-3, "KiB": 1.024e-3, "MB": 1.0, "MiB": 1.048576, "GB": 1e3, "GiB": 1073.741824}

TERMINAL_PAUSE_S = 0.5
LOG_PAUSE_S = 10.0  # where the lines stay, as in a log


class Progress:
    """What an installer prints, summed up. On a terminal one line is redrawn, elsewhere one is added now and then."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.packages = 0
        self.fetched_mb = 0.0
        self.cached_mb = 0.0
        self.now = ""
        self._is_terminal = sys.stderr.isatty()
        self._began = time.monotonic()

    def follow(self, process: "subprocess.Popen[str]") -> str:
        """Read the output of a process to its end, and return all of it."""
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_pour, args=(process, lines), daemon=True).start()
        output: list[str] = []
        pause = TERMINAL_PAUSE_S if self._is_terminal else LOG_PAUSE_S
        self._show(end="" if self._is_terminal else "\n")
        shown = time.monotonic()
        while True:
            try:
                line = lines.get(timeout=max(0.05, shown + pause - time.monotonic()))
            except queue.Empty:
                line = ""
            if line is None:
                break
            if line:
                output.append(line)
                self.take(line)
            if time.monotonic() >= shown + pause:
                self._show(end="" if self._is_terminal else "\n")
                shown = time.monotonic()
        process.wait()
        if self._is_terminal or shown > self._began + pause:
            self._show(end="\n")
        return "".join(output)

    def take(self, line: str) -> None:
        """Take in one line of an installer."""
        if match := COLLECTED.match(line):
            self.packages += 1
            self.now = match[1].rpartition("/")[2]
        elif match := FETCHED.match(line):
            size = float(match[2]) * UNIT_MB[match[3]]
            self.fetched_mb += size
            self.now = f"{match[1]} ({size:.1f} MB)"
        elif match := CACHED.match(line):
            self.cached_mb += float(match[1]) * UNIT_MB[match[2]]
        elif match := INSTALLING.match(line):
            self.now = f"putting {len(match[1].split(', '))} packages in place"

    def describe(self) -> str:
        """The line as it is shown."""
        parts = [f"{self.packages} packages"] if self.packages else []
        if self.fetched_mb:
            parts.append(f"{self.fetched_mb:.0f} MB downloaded")
        if self.cached_mb:
            parts.append(f"{self.cached_mb:.0f} MB from the cache")
        seconds = round(time.monotonic() - self._began)
        if not parts and not seconds:
            return f"  {self.title} ..."
        return f"  {self.title}: {', '.join([*parts, f'{seconds} s'])}{'; ' + self.now if self.now else ''}"

    def _show(self, *, end: str) -> None:
        if self._is_terminal:
            line = self.describe() if not end else self.describe().partition(";")[0]
            print(f"\r\x1b[2K{line[:118]}", end=end, file=sys.stderr, flush=True)
        else:
            print(self.describe(), end=end, file=sys.stderr, flush=True)


def _pour(process: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)
