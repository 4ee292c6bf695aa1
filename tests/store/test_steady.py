"""Time goes on by what elapses while the clock is behind it, and by the clock while that is right."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.store.steady import STANDS_US, Steady

SECOND = 1_000_000


def test_it_goes_on_from_the_highest_time_that_was_seen() -> None:
    seconds = 5.0
    steady = Steady(lambda: seconds)
    steady.saw(100 * SECOND, 100 * SECOND)
    seconds = 6.0
    assert steady.least() == 100 * SECOND, "the clock is right"
    steady.saw(100 * SECOND, 10 * SECOND)
    seconds = 8.5
    assert steady.least() == 102_500_000
    steady.saw(102_500_000, 102_500_000)
    seconds = 60.0
    assert steady.least() == 102_500_000


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), min_size=1, max_size=40))
def test_it_never_goes_back_and_never_runs_ahead_of_both_clocks(steps: list[tuple[int, int]]) -> None:
    elapsed, clock, time, highest = 0, 1000 * SECOND, 0, 0
    steady = Steady(lambda: elapsed)
    for leap, waited in steps:
        elapsed += waited
        clock += (leap + waited) * SECOND
        before, time = time, max(clock, steady.least())
        highest = max(highest, clock)
        steady.saw(time, clock)
        assert before <= time <= max(highest, before + waited * SECOND)
        if clock < before - STANDS_US and before:
            assert time >= before
