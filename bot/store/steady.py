"""A process's own time: where the database's clock stands behind the time that was reached, it goes on by what elapses.

The highest time of all processes is stored, so no clock that is set back undoes anything. But a clock that was ahead
for a moment, or is set back by hours, must not let time stand still for as long: retries and expiries wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

STANDS_US = 1_000_000
"""Microseconds by which a clock may be behind and is waited for, so that small corrections add up to nothing."""


class Steady:
    """The highest time that a process has read, in microseconds. ``monotonic`` returns seconds. Threads share it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._time = 0
        self._read_at = 0.0
        self._behind = False

    def least(self) -> int:
        """Return the time that it is at least."""
        with self._lock:
            return self._least()

    def saw(self, time: int, clock: int) -> None:
        """Take notice that it is ``time`` and that the database's clock says ``clock``."""
        behind = time - clock > STANDS_US
        with self._lock:
            if time > self._least() or behind != self._behind:
                self._time, self._read_at, self._behind = max(time, self._least()), self._monotonic(), behind

    def _least(self) -> int:
        elapsed = int((self._monotonic() - self._read_at) * 1_000_000) if self._behind else 0
        return self._time + elapsed
