"""What people type after /ops logs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.logs_asked import DEFAULT_SECONDS, LogsAsked, read


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("shop/checkout", LogsAsked("", "shop", "checkout")),
        ("staging/shop/checkout 30m", LogsAsked("staging", "shop", "checkout", 1800)),
        (
            "shop/checkout 2h timeout ledger-db:5432",
            LogsAsked("", "shop", "checkout", 7200, ("timeout", "ledger-db:5432")),
        ),
        ("shop/checkout a&lt;b &amp;c", LogsAsked("", "shop", "checkout", DEFAULT_SECONDS, ("a<b", "&c"))),
        ("  shop/checkout   7d ", LogsAsked("", "shop", "checkout", 604_800)),
    ],
)
def test_whose_logs_how_far_back_and_which_words(text: str, asked: LogsAsked) -> None:
    assert read(text) == asked


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Whose logs?"),
        ("checkout", "names no workload"),
        ("shop/../etcd", "names no workload"),
        ("a/b/c/d", "names no workload"),
        ("Shop/checkout", "names no workload"),
        ("shop/checkout 8d", "seven days"),
        ("shop/checkout 0m", "seven days"),
        ("shop/checkout 1h a b c d e f", "at most 5 words"),
        ("shop/checkout 1h " + "x" * 61, "at most 5 words"),
        ("shop/checkout " + "x " * 400, "too long"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(text: str, problem: str) -> None:
    assert problem in read(text).problem


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    asked = read(text)
    assert asked.problem or (asked.namespace and asked.workload)
