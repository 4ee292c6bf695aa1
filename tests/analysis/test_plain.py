import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  a\n b\t\tc ", "a b c"),
        ("red\x1b[31m", "red [31m"),
        ("abc\u202edef", "abc def"),
        ("in\u200bvisible", "in visible"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("half \ud800 surrogate", "half surrogate"),
        ("naïve → ok", "naïve → ok"),
        (None, ""),
        (["list"], ""),
    ],
)
def test_a_line_is_plain(text, shown):
    assert plain.line(text, 100) == shown


def test_a_cut_is_shown():
    assert plain.line("abcdefgh", 5) == "abcd…"


@settings(max_examples=80)
@given(st.text(st.characters(), max_size=300), st.integers(1, 80))
def test_no_text_gets_out_of_its_line(text, limit):
    shown = plain.line(text, limit)
    assert len(shown) <= limit
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in shown)
    shown.encode()


def test_lines_stay_lines():
    assert plain.lines("a\r\nb\x00c\u2028d") == "a\nb c\nd"


def test_a_huge_text_costs_little():
    assert plain.line("x" * 50_000_000, 10) == "xxxxxxxxx…"
