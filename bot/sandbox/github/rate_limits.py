"""GitHub's rate limits: requests an hour, points a minute, and what creates content.

Sources: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api: 5,000 requests an hour and token; 100
at a time; 900 points a minute, a read being one and a write five; 80 requests a minute and 500 an hour that create
content. The first answers 403 with ``x-ratelimit-remaining: 0``, the others 403 with ``retry-after``.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.github.refusal import Refusal

_PRIMARY = "API rate limit exceeded for installation ID {who}."
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
    "GitHub Support for help, please include the request ID."
)


@dataclass
class Limits:
    """The allowances; a test may set others."""

    per_hour: int = 5000
    points_per_minute: int = 900
    content_per_minute: int = 80
    content_per_hour: int = 500
    at_once: int = 100
    retry_after: int = 60


@dataclass
class _Used:
    window: float = 0.0
    requests: int = 0
    points: deque[tuple[float, int]] = field(default_factory=deque)
    content: deque[float] = field(default_factory=deque)


class RateLimits:
    """Counts by token. ``running`` is how many requests are being answered."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.limits = Limits()
        self.running = 0
        self._clock = clock
        self._used: dict[str, _Used] = defaultdict(_Used)

    def reset(self, limits: Limits | None = None) -> None:
        """Begin to count anew, with other allowances if given."""
        self.limits = limits or self.limits
        self._used.clear()

    def take(self, token: str, who: str, *, method: str, content: bool) -> dict[str, str]:
        """Count a request and return the headers that say how many are left. Raises ``Refusal`` at a limit."""
        now, used = self._clock(), self._used[token]
        if not used.requests or now - used.window >= 3600:
            used.window, used.requests = now, 0
        reset = math.ceil(used.window + 3600)
        if used.requests >= self.limits.per_hour:
            raise Refusal(403, _PRIMARY.format(who=who), headers=self._headers(used, reset))
        used.requests += 1
        headers = self._headers(used, reset)
        self._secondary(used, now, 1 if method in ("GET", "HEAD") else 5, content, headers)
        return headers

    def _headers(self, used: _Used, reset: int) -> dict[str, str]:
        limit = self.limits.per_hour
        return {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - used.requests)),
            "x-ratelimit-used": str(used.requests),
            "x-ratelimit-reset": str(reset),
            "x-ratelimit-resource": "core",
        }

    def _secondary(self, used: _Used, now: float, points: int, content: bool, headers: dict[str, str]) -> None:
        while used.points and now - used.points[0][0] >= 60:
            used.points.popleft()
        while used.content and now - used.content[0] >= 3600:
            used.content.popleft()
        used.points.append((now, points))
        if content:
            used.content.append(now)
        limits = self.limits
        if (
            self.running > limits.at_once
            or sum(cost for _, cost in used.points) > limits.points_per_minute
            or len(used.content) > limits.content_per_hour
            or sum(now - at < 60 for at in used.content) > limits.content_per_minute
        ):
            raise Refusal(403, _SECONDARY, headers={**headers, "retry-after": str(limits.retry_after)})
