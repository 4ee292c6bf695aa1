"""Objects and items of a JSON text are counted as a parser finds them, and no text makes that take long."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake import structure
from bot.intake.structure import Structure

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab\\",[{}]:\n€😀', max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('a\\",[', max_size=3), inner, max_size=4),
    max_leaves=25,
)


def counted(value: Any) -> Structure:
    if not isinstance(value, (dict, list)):
        return Structure(0, 0)
    inner = [counted(each) for each in (value.values() if isinstance(value, dict) else value)]
    items = sum(each.items for each in inner) + max(0, len(value) - 1)
    return Structure(1 + sum(each.containers for each in inner), items)


@given(values, st.booleans())
def test_it_counts_what_a_parser_finds(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert structure.of(text) == counted(value)
    most = structure.at_most(text)
    assert counted(value).within(most.containers, most.items)


def test_strings_longer_than_a_window_and_pairs_at_its_edge() -> None:
    for length in (65_535, 65_536, 65_537):
        value = ["," * length, {"a": "[" * length}, 1]
        assert structure.of(json.dumps(value).encode()) == Structure(2, 2)


@pytest.mark.parametrize("piece", [b'"', b'"",', b"\\", b'\\"', b",", b'"a,\\"",', b"[]"])
def test_any_32_megabytes_are_counted_in_seconds(piece: bytes) -> None:
    text = piece * (32 * 1024 * 1024 // len(piece))
    started = time.monotonic()
    structure.of(text)
    # Far above what it takes (about half a second), far below what a pattern takes that looks twice.
    assert time.monotonic() - started < 15
