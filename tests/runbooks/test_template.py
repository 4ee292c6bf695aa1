"""References are replaced by data once, and by nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runbooks.template import fill, references

SCOPE = {"parameters": {"name": "checkout", "count": 3, "force": True}, "target": {"namespace": "shop"}}


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("${parameters.count}", 3),
        ("${parameters.force}", True),
        ("n-${parameters.count}", "n-3"),
        ("${parameters.force}!", "true!"),
        ("${target.namespace}/${parameters.name}", "shop/checkout"),
        ({"a": ["${parameters.count}", 7, None]}, {"a": [3, 7, None]}),
        (
            "$parameters.name {parameters.name} $(parameters.name)",
            "$parameters.name {parameters.name} $(parameters.name)",
        ),
    ],
)
def test_filling(value: object, filled: object) -> None:
    assert fill(value, SCOPE) == filled


def test_an_unknown_reference_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("${parameters.nothing}", SCOPE)


def test_references_are_listed_with_their_place_and_so_is_what_only_looks_like_one() -> None:
    found = list(references({"a": ["${parameters.x}", "${x}"], "b": "${target.y}-${parameters.x"}))
    assert found == [
        (("a", 0), "parameters", "x"),
        (("a", 1), "", ""),
        (("b",), "target", "y"),
        (("b",), "", ""),
    ]


@given(st.text(max_size=40))
def test_what_is_put_in_is_never_read_again(value: str) -> None:
    data = f"${{parameters.other}}{value}"
    scope = {"parameters": {"x": data, "other": "SECRET"}}
    assert fill("<${parameters.x}>", scope) == f"<{data}>"
    assert fill("${parameters.x}", scope) == data
