"""The token estimate: additive, monotone, and close to what was measured."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.tokens import MARGIN, afford, estimate, weigh

TEXT = st.text(max_size=300)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a" * 1000, 504),
        ("7" * 1000, 798),
        ("." * 1000, 512),
        ("\n" * 1000, 512),
        (" " * 1000, 0),
        ("_" * 1000, 512),
        ("é" * 1000, 1000),
    ],
)
def test_each_kind_of_character_has_its_weight(text: str, tokens: float) -> None:
    assert weigh(text) == pytest.approx(tokens)


def test_the_estimate_carries_the_margin_and_is_never_zero() -> None:
    assert estimate("") == 1
    assert estimate("a" * 1000) == int(504 * MARGIN) + 1


@settings(max_examples=60)
@given(TEXT, TEXT)
def test_weights_add_up(one: str, other: str) -> None:
    assert weigh(one + other) == pytest.approx(weigh(one) + weigh(other))


@settings(max_examples=80)
@given(TEXT, st.floats(0, 200), st.sampled_from(["head", "tail"]))
def test_what_is_afforded_fits_and_is_an_end_of_the_text(text: str, budget: float, keep: str) -> None:
    piece = afford(text, budget, keep=keep)  # type: ignore[arg-type]
    assert weigh(piece) <= budget
    assert (text.startswith if keep == "head" else text.endswith)(piece)


def test_lines_stay_whole_where_one_fits() -> None:
    log = "first line\nsecond line\nthird line"
    assert afford(log, weigh("third line") + 3, keep="tail") == "third line"
    assert afford(log, weigh("first line") + 3, keep="head") == "first line"


def test_one_long_line_is_cut_rather_than_lost() -> None:
    assert afford("x" * 1000, 50.4, keep="tail") == "x" * 100
    assert afford("x" * 1000, 50.4, keep="head") == "x" * 100


def test_a_budget_of_nothing_buys_nothing() -> None:
    assert afford("text", 0, keep="tail") == ""
