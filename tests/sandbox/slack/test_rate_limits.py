"""Token buckets: tiers a minute, posting one a second and channel with a short burst."""

import pytest

from bot.sandbox.slack.rate_limits import POST_BURST, RateLimits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("tier", "per_minute"), [("t1", 1), ("t2", 20), ("t3", 50), ("t4", 100)])
def test_a_tier_allows_its_number_a_minute(tier: str, per_minute: int) -> None:
    clock = Clock()
    limits = RateLimits(clock)
    assert [limits.seconds_to_wait("m", tier) for _ in range(per_minute)] == [None] * per_minute
    wait = limits.seconds_to_wait("m", tier)
    assert wait is not None
    clock.now = wait
    assert limits.seconds_to_wait("m", tier) is None


def test_methods_do_not_share_an_allowance() -> None:
    limits = RateLimits(Clock())
    assert limits.seconds_to_wait("a", "t1") is None
    assert limits.seconds_to_wait("b", "t1") is None
    assert limits.seconds_to_wait("a", "t1") == 60


def test_posting_has_a_burst_and_then_one_a_second_in_each_channel() -> None:
    clock = Clock()
    limits = RateLimits(clock)
    assert [limits.seconds_to_wait("post", "posting", "C1") for _ in range(POST_BURST)] == [None] * POST_BURST
    assert limits.seconds_to_wait("post", "posting", "C1") == 1
    assert limits.seconds_to_wait("post", "posting", "C2") is None
    clock.now = 1
    assert limits.seconds_to_wait("post", "posting", "C1") is None
    assert limits.seconds_to_wait("post", "posting", "C1") == 1


def test_the_scale_multiplies_and_zero_switches_off() -> None:
    limits = RateLimits(Clock())
    limits.rescale(2)
    assert [limits.seconds_to_wait("m", "t1") for _ in range(3)] == [None, None, 30]
    limits.rescale(0)
    assert [limits.seconds_to_wait("m", "t1") for _ in range(5)] == [None] * 5


@pytest.mark.parametrize("scale", [-1, float("nan"), float("inf")])
def test_a_senseless_scale_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        RateLimits(Clock()).rescale(scale)
