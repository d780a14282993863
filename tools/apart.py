"""Long work on text from outside, away from the event loop: other buildings and requests go on meanwhile."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

A_BREATH = 25
"""Turns of a loop after which others are let go on."""

P = ParamSpec("P")
R = TypeVar("R")


async def work_apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a pure function in a thread. For what may take more than a few milliseconds."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def breathe(number: int) -> None:
    """Let others go on, once in so many turns of a long loop on the event loop."""
    if number % A_BREATH == A_BREATH - 1:
        await asyncio.sleep(0)
