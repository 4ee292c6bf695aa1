"""A record is read without raising, whatever stands in it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.plan_record import call_of, many, one, rehearsals

_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["calls", "dry_run", "call"]), inner),
)


@given(record=st.dictionaries(st.sampled_from(["calls", "dry_run", "call"]), _anything), entry=_anything)
def test_what_is_of_another_shape_is_empty(record: dict[str, Any], entry: Any) -> None:
    for key in ("calls", "dry_run", "nothing"):
        assert all(isinstance(each, dict) for each in many(record, key))
        assert isinstance(one(record, key), dict)
    assert rehearsals(record) == many(record, "dry_run")
    assert isinstance(call_of(record, entry if isinstance(entry, dict) else {}), dict)


def test_a_rehearsal_names_its_call_by_its_number() -> None:
    record = {"calls": [{"step": "a"}, {"step": "b"}]}
    assert call_of(record, {"call": 1}) == {"step": "b"}
    assert call_of(record, {"call": 2}) == call_of(record, {"call": -1}) == call_of(record, {}) == {}
