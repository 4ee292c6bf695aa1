"""A cron expression and a time zone are what the library and the database know, or the fault is said."""

from __future__ import annotations

import pytest

from bot.domain.cron import fault, is_zone


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 18 * * FRI", ""),
        ("*/15 9-17 1,15 * *", ""),
        ("@daily", "five fields"),
        ("0 0 18 * * FRI", "five fields"),
        ("0 25 * * *", "Bad hour"),
        ("0 0 31 2 *", "Bad day-of-month"),
        ("", "five fields"),
    ],
)
def test_a_cron_expression_is_checked(cron: str, said: str) -> None:
    found = fault(cron)
    assert (said in found) if said else not found


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("UTC", True),
        ("Europe/Berlin", True),
        ("Europe/Atlantis", False),
        ("", False),
        ("../etc/passwd", False),
        ("CEST7", False),
    ],
)
def test_a_time_zone_is_one_of_the_database(name: str, known: bool) -> None:
    assert is_zone(name) == known
