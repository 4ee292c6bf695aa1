import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evidence.age import ago, instant, span

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01T00:00:01.000002Z", SECOND + 2),
        ("1970-01-01T01:00:01+01:00", SECOND),
        ("1970-01-01T00:00:01", SECOND),
        ("1969-12-31T23:59:59Z", -SECOND),
    ],
)
def test_reads_the_apis_timestamps(text, microseconds):
    assert instant(text) == microseconds


@pytest.mark.parametrize("value", [None, "", "soon", 7, "2026-13-01T00:00:00Z"])
def test_what_is_no_timestamp_is_not_known(value):
    assert instant(value) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (90, "1m30s"),
        (12 * 60 + 5, "12m"),
        (3600, "1h"),
        (5 * 3600 + 43 * 60, "5h43m"),
        (24 * 3600, "1d"),
        (76 * 3600, "3d4h"),
        (20 * 86400 + 3600, "20d"),
        (-5, "0s"),
    ],
)
def test_spans_have_at_most_two_units(seconds, text):
    assert span(seconds * SECOND) == text


def test_ago():
    assert ago(None, 0) == ""
    assert ago(10 * SECOND, 10 * SECOND) == "just now"
    assert ago(0, 61 * SECOND) == "1m1s ago"


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_any_span_is_short(microseconds):
    assert 2 <= len(span(microseconds)) <= 12
