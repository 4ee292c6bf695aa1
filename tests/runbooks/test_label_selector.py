"""A label selector is written as the API takes it in a query."""

from __future__ import annotations

import pytest

from bot.runbooks.label_selector import as_text


def test_a_selector_is_written_as_a_list_takes_it() -> None:
    spec = {
        "matchLabels": {"b": "2", "a": "1"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["x", "y"]},
            {"key": "old", "operator": "DoesNotExist"},
            {"key": "new", "operator": "Exists"},
            {"key": "env", "operator": "NotIn", "values": ["dev"]},
        ],
    }
    assert as_text(spec) == "a=1,b=2,tier in (x,y),!old,new,env notin (dev)"
    with pytest.raises(ValueError, match="unknown selector operator"):
        as_text({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]})
