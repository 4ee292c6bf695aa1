"""What people are read as grows old while a decision waits for the rest."""

from __future__ import annotations

from bot.domain.approval import Electorate


def test_a_reading_is_as_much_older_as_the_rest_took_to_read() -> None:
    read = Electorate({}, {}, read_at=5_000_000, age_ms=9_000)
    later = read.at(7_500_000)
    assert (later.age_ms, later.read_at) == (11_500, 7_500_000)
    assert later.at(7_500_000) == later
