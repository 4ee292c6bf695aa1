from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.clock import instant

NINE = datetime(2026, 11, 21, 9, 3, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T09:03:22Z",
        "2026-11-21T10:03:22+01:00",
        "2026-11-21 09:03:22",
        "2026-11-21 09:03:22 UTC",
        "2026/11/21 09:03:22",
        "26/11/21 09:03:22",
        "2026-11-21-09.03.22",
        "20261121-09:03:22",
        "261121 090322",
        "21/Nov/2026:10:03:22 +0100",
        "Sat Nov 21 09:03:22 2026",
        "Nov 21 09:03:22",
        "Nov 21, 2026 9:03:22 AM",
        "21 Nov 2026 09:03:22",
        "11-21 09:03:22",
        "1121 09:03:22",
        "1795251802",
        "1795251802000",
    ],
)
def test_the_usual_times_are_read(text: str) -> None:
    assert instant(text, 2026) == int(NINE.timestamp()) * 1_000_000


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert instant("2026-11-21T09:03:22.123456789Z", 1) == int(NINE.timestamp()) * 1_000_000 + 123_456
    assert instant("Nov 21 09:03:22.5", 2026) == int(NINE.timestamp()) * 1_000_000 + 500_000


@pytest.mark.parametrize("text", ["", "09:03:22", "Jun 68 11:43:00", "2026-99-99T00:00:00Z", "12.345678", "x"])
def test_what_is_no_instant_is_none(text: str) -> None:
    assert instant(text, 2026) is None


@given(st.text(alphabet="0123456789:-/. TZJanSat+,", max_size=30))
@settings(max_examples=200)
def test_any_text_is_read_without_an_error(text: str) -> None:
    instant(text, 2026)
