"""Slack's rate limits as token buckets: one a method and workspace, and for posting one a channel as well.

Sources: docs "Rate limits" (tiers 1, 20, 50 and 100 a minute; chat.postMessage one a second and channel with short
bursts, several hundred a minute in all). Slack does not publish the size of a burst: a tier's bucket holds one
minute's worth, a channel's holds `POST_BURST` messages.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

PER_MINUTE = {"t1": 1, "t2": 20, "t3": 50, "t4": 100, "special": 600, "posting": 300}
POST_BURST = 5


@dataclass
class _Bucket:
    size: float
    per_second: float
    level: float
    at: float

    def take(self, now: float) -> float:
        """Take one token; 0.0 when there was one, else the seconds until there will be."""
        self.level = min(self.size, self.level + max(0.0, now - self.at) * self.per_second)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.per_second


class RateLimits:
    """Decides whether a call may pass. `scale` multiplies every allowance; 0 switches the limits off."""

    def __init__(self, clock: Callable[[], float], scale: float = 1.0) -> None:
        self._clock = clock
        self._scale = scale
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    @property
    def scale(self) -> float:
        """The present multiplier."""
        return self._scale

    def rescale(self, scale: float) -> None:
        """Set another multiplier and start with full buckets."""
        if not (math.isfinite(scale) and scale >= 0):
            raise ValueError("the rate limit scale is a number from 0 (off) upwards")
        self._scale = scale
        self._buckets.clear()

    def seconds_to_wait(self, method: str, tier: str, channel: str = "") -> int | None:
        """None when the call may pass, else the whole seconds for Retry-After (at least 1)."""
        if self._scale == 0:
            return None
        per_minute = PER_MINUTE[tier] * self._scale
        wait = self._take((method, ""), per_minute, per_minute / 60)
        if not wait and tier == "posting" and channel:
            wait = self._take((method, channel), max(1.0, POST_BURST * self._scale), self._scale)
        return max(1, math.ceil(wait)) if wait else None

    def _take(self, key: tuple[str, str], size: float, per_second: float) -> float:
        now = self._clock()
        size = max(1.0, size)
        bucket = self._buckets.setdefault(key, _Bucket(size, per_second, size, now))
        return bucket.take(now)
