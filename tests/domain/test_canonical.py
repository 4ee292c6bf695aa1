"""Canonical JSON: one form for equal data, and a refusal of what JSON cannot carry exactly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.canonical import canonical, digest

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abé€😀", max_size=3), inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_and_nothing_is_spaced() -> None:
    assert canonical({"b": [1, True, None], "a": "é\n"}) == '{"a":"é\\n","b":[1,true,null]}'.encode()


def test_the_digest_is_the_hex_sha_256() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53 + 1, object(), {1: "a"}, "\ud800", b"bytes", {"a"}]
)
def test_what_json_cannot_carry_exactly_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical({"value": value})


@given(plain)
def test_it_reads_back_as_it_was(data) -> None:
    assert json.loads(canonical(data)) == data


@given(st.dictionaries(st.text("abé€😀", max_size=3), plain, max_size=5), st.randoms())
def test_the_order_of_keys_says_nothing(data, random) -> None:
    items = list(data.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(data)
