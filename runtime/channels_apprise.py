"""Mail, Slack, Teams and a hundred other channels, by their Apprise URL."""

import logging
import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio

from runtime.channels_letter import Letter
from runtime.channels_refusal import RefusedError
from runtime.channels_ways import ADDRESS

if TYPE_CHECKING:
    from apprise import Apprise
    from apprise.result import AppriseResult

SAMPLE_ADDRESS = "somebody@example.com"
"""What stands for a recipient's address where a URL is only checked."""
_THREADS = 16
_ADDRESS = re.compile(r"^(?:[^\s,;<>@]++@[^\s,;<>@]+|\+?[\d ()/-]{6,})$")
_STATUS = re.compile(r"\berror[=:]\s*(\d{3})\b")
_TYPES = {"urgent": "warning", "high": "warning"}


class AppriseSender:
    """Sends letters by Apprise, in threads of its own: the library blocks."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def load(self) -> None:
        """Have the library ready, before any attempt's time counts: its first use takes a second, on a busy machine
        several, and 40 MB, which whoever has no such channel is spared."""
        await anyio.to_thread.run_sync(_loaded, limiter=self._threads)

    async def send(self, url: str, letter: Letter) -> None:
        """Send it.

        Raises:
            RefusedError: it was not taken; the reason names no address and no secret.
        """
        # A thread cannot be stopped; Apprise's own limit ends it, and until then nobody waits for it.
        await anyio.to_thread.run_sync(
            _notify, url, letter, self._timeout_s, limiter=self._threads, abandon_on_cancel=True
        )


@cache
def _loaded() -> "type[Apprise]":
    from apprise import Apprise

    _hush()
    Apprise.instantiate("json://localhost")
    return Apprise


def _service(url: str, address: str) -> "Apprise":
    if ADDRESS in url:
        if not _ADDRESS.fullmatch(address):
            raise RefusedError(
                f"{address!r} is no address to send to: give the contact or the vendor one, or the channel a fixed one",
                final=True,
            )
        url = url.replace(ADDRESS, quote(address, safe=""))
    service = _loaded()()
    if not service.add(url):
        raise RefusedError("its URL in LONGLEAD_CHANNELS is not one that Apprise understands")
    return service


def is_understood(url: str) -> bool:
    """Whether Apprise knows what to do with this URL; nothing is sent. Blocks: the library is loaded."""
    return bool(_loaded()().add(url.replace(ADDRESS, quote(SAMPLE_ADDRESS, safe=""))))


def _notify(url: str, letter: Letter, timeout_s: float) -> None:
    result = _service(url, letter.recipient).notify(
        title=letter.title,
        body=letter.text,
        body_format="text",
        notify_type=_TYPES.get(letter.urgency, "info"),
        interpret_escapes=False,
        timeout=timeout_s,
    )
    if not result:
        raise RefusedError(_why(result))


def _why(result: "AppriseResult") -> str:
    """Only what cannot hold a secret is taken from what Apprise says: a status code."""
    codes = _STATUS.findall(" ".join(str(entry.message) for entry in result.logs()))
    return f"refused with status {codes[-1]}" if codes else "not taken: the service cannot be reached, or refuses"


def _hush() -> None:
    """Apprise writes whole addresses, passwords included, into its log."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
