"""A cluster's clock: the caller's time source, shifted and stretched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch as the cluster sees them.

    `shift` moves the clock at once (a scenario lives its past with it); `set_rate` makes time run faster.
    """

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self._anchor = source()
        self._base = self._anchor
        self._rate = 1.0

    def now(self) -> float:
        """The present, in seconds since the epoch."""
        return self._base + (self._source() - self._anchor) * self._rate

    def shift(self, seconds: float) -> None:
        """Move the clock by `seconds`, which may be negative."""
        self._base += seconds

    def set_rate(self, rate: float) -> None:
        """Let one second of the source be `rate` seconds here. Raises ValueError outside 0..1000."""
        if not 0 < rate <= 1000:
            raise ValueError(f"the clock's rate is above 0 and at most 1000, not {rate}")
        self._base, self._anchor = self.now(), self._source()
        self._rate = rate


def rfc3339(seconds: float) -> str:
    """`metav1.Time` on the wire: UTC, whole seconds (apimachinery meta/v1/time.go)."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_nano(seconds: float) -> str:
    """The timestamp that the kubelet writes before each log line (RFC 3339 with nanoseconds)."""
    whole = int(seconds)
    nanos = round((seconds - whole) * 1_000_000) * 1000
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{min(nanos, 999_999_999):09d}Z"


def parse_time(text: str) -> float:
    """Read an RFC 3339 time. Raises ValueError, also for a time without a zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return time.timestamp()
