import pytest

from bot.sandbox.kubernetes.clock import Clock, parse_time, rfc3339, rfc3339_nano


def test_a_clock_shifts_and_runs_faster():
    now = 1000.0
    clock = Clock(lambda: now)
    clock.shift(-100)
    assert clock.now() == 900
    clock.set_rate(10)
    now = 1002.0
    assert clock.now() == 920
    clock.set_rate(1)
    now = 1003.0
    assert clock.now() == 921


@pytest.mark.parametrize("rate", [0, -1, 1001])
def test_a_rate_has_bounds(rate):
    with pytest.raises(ValueError, match="above 0 and at most 1000"):
        Clock(lambda: 0.0).set_rate(rate)


def test_times_are_written_as_the_server_does():
    assert rfc3339(1763712000.9) == "2025-11-21T08:00:00Z"
    assert rfc3339_nano(1763712000.25) == "2025-11-21T08:00:00.250000000Z"
    assert parse_time("2025-11-21T08:00:00Z") == 1763712000
