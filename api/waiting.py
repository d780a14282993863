"""`Prefer: wait=N` (RFC 7240): answer when it is processed, without holding a connection meanwhile."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

MAX_WAIT_S = 60
_FIRST_PAUSE_S = 0.02
_LAST_PAUSE_S = 0.2
_WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])', re.IGNORECASE)
APPLIED = {"Preference-Applied": "wait"}


def wait_of(prefer: Sequence[str] | None) -> int:
    """Seconds that the caller wants to wait; 0 without such a preference. Others are passed over, as the RFC says."""
    found = _WAIT.search(",".join(prefer or ()))
    return min(int(found[1]), MAX_WAIT_S) if found else 0


async def until(look: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
    """Look again and again, less and less often; None when there is nothing after `seconds`."""
    end = asyncio.get_running_loop().time() + seconds
    pause = _FIRST_PAUSE_S
    while True:
        found = await look()
        left = end - asyncio.get_running_loop().time()
        if found is not None or left <= 0:
            return found
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, _LAST_PAUSE_S)
