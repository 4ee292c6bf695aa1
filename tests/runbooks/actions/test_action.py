"""What is incomplete is no action, and what Kubernetes takes for the same has the same fingerprint."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Action, Unrehearsed, fingerprint

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("kind", "has", "lacks"),
    [
        (Action, (), "fields"),
        (Action, ("fields",), "render"),
        (Unrehearsed, ("fields", "render"), "foresee"),
    ],
)
def test_an_action_that_lacks_a_part_cannot_be_made(kind: type[Action], has: tuple[str, ...], lacks: str) -> None:
    half: Any = type("Half", (kind,), dict.fromkeys(has, lambda *_: None))
    with pytest.raises(TypeError, match=lacks):
        half()


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_states_what_it_is(name: str) -> None:
    action = ACTIONS[name]
    assert action.name == name
    assert action.kinds
    assert action.inverse
    assert action.verbs is not None
    assert action.literal <= action.arguments | action.optional


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_absent_and_null_are_the_same(fields: dict[str, Any]) -> None:
    assert fingerprint(fields | {"more": None}) == fingerprint({k: v for k, v in fields.items() if k != "more"})


def test_order_of_keys_is_no_difference_and_order_of_items_is() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": [1, 2]}) != fingerprint({"a": [2, 1]})
    assert fingerprint({"a": 2**63}) != fingerprint({"a": 2**63 + 1})
