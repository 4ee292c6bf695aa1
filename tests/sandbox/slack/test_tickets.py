"""A trigger lives three seconds and works once; a response URL works five times within thirty minutes."""

import random

from bot.sandbox.slack.tickets import ResponseUrls, Triggers


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_trigger_works_once() -> None:
    triggers = Triggers(Clock(), random.Random(1), 3.0)
    trigger = triggers.give("U1")
    assert triggers.spend(trigger) == ("U1", "")
    assert triggers.spend(trigger) == ("", "exchanged_trigger_id")
    assert triggers.spend("1.2.3") == ("", "invalid_trigger_id")


def test_a_trigger_is_good_at_three_seconds_and_expired_after() -> None:
    clock = Clock()
    triggers = Triggers(clock, random.Random(1), 3.0)
    in_time, late = triggers.give("U1"), triggers.give("U1")
    clock.now = 3.0
    assert triggers.spend(in_time) == ("U1", "")
    clock.now = 3.01
    assert triggers.spend(late) == ("", "expired_trigger_id")


def test_a_response_url_counts_its_uses() -> None:
    urls = ResponseUrls(Clock(), random.Random(1), 1800.0, 5)
    key = urls.give("U1", "C1", None)
    for _ in range(5):
        target, error = urls.find(key)
        assert target is not None
        assert error == ""
        target.uses += 1
    assert urls.find(key) == (None, "used_url")


def test_a_response_url_expires_after_thirty_minutes() -> None:
    clock = Clock()
    urls = ResponseUrls(clock, random.Random(1), 1800.0, 5)
    key = urls.give("U1", "C1", None)
    clock.now = 1800.0
    assert urls.find(key)[1] == ""
    clock.now = 1800.1
    assert urls.find(key) == (None, "expired_url")
    assert urls.find("made up") == (None, "invalid_url")
