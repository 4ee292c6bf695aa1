"""Waiting for what will happen, with a deadline and no fixed sleep."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def wait_until(condition: Callable[[], T | Awaitable[T]], seconds: float = 10.0, what: str = "") -> T:
    """Ask until the answer is true, and return it. Fails the test after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        answer = await found if inspect.isawaitable(found) else found
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain" + (f" for {what}" if what else ""))
        await asyncio.sleep(0.01)
