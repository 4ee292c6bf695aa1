from __future__ import annotations

import pytest

from bot.sandbox.github.rate_limits import Limits, RateLimits
from bot.sandbox.github.refusal import Refusal


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_primary_limit_says_when_it_ends() -> None:
    clock = Clock()
    limits = RateLimits(clock)
    limits.limits = Limits(per_hour=2)
    assert limits.take("t", "1", method="GET", content=False)["x-ratelimit-remaining"] == "1"
    limits.take("t", "1", method="GET", content=False)
    with pytest.raises(Refusal, match="API rate limit exceeded") as refused:
        limits.take("t", "1", method="GET", content=False)
    assert refused.value.headers["x-ratelimit-remaining"] == "0"
    assert refused.value.headers["x-ratelimit-reset"] == "4600"
    clock.now = 4600.0
    limits.take("t", "1", method="GET", content=False)


@pytest.mark.parametrize(
    ("allowance", "method", "content", "passes"),
    [
        (Limits(content_per_minute=3), "POST", True, 3),
        (Limits(content_per_hour=2), "POST", True, 2),
        (Limits(points_per_minute=11), "POST", False, 2),
        (Limits(points_per_minute=3), "GET", False, 3),
    ],
)
def test_a_secondary_limit_asks_to_wait(allowance: Limits, method: str, content: bool, passes: int) -> None:
    limits = RateLimits(Clock())
    limits.limits = allowance
    for _ in range(passes):
        limits.take("t", "1", method=method, content=content)
    with pytest.raises(Refusal, match="secondary rate limit") as refused:
        limits.take("t", "1", method=method, content=content)
    assert refused.value.headers["retry-after"] == "60"
