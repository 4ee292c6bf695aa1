"""Sentences instead of validator messages, and patterns that mean what they say."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.schema_errors import faults, matches


def test_a_pattern_means_the_whole_text() -> None:
    assert matches("^[a-z]+$", "checkout")
    assert not matches("^[a-z]+$", "checkout\n")
    assert not matches("^a|b$", "a; rm -rf b")
    assert matches("^a|b$", "b")


@pytest.mark.parametrize(
    ("schema", "data", "key", "sentence"),
    [
        ({"required": ["a"], "properties": {"a": {"description": "The a."}}}, {}, (), "a is missing: The a."),
        ({"required": ["a", "a b"]}, {"a": 1}, (), "a b is missing"),
        ({"properties": {"a": {"type": "string"}}}, {"a": [1]}, ("a",), "must be text, not a list"),
        ({"type": ["string", "integer"]}, None, (), "must be text or a whole number, not null"),
        ({"items": {"const": 1}}, [1, 2], (1,), "must be 1, not 2"),
        ({"minItems": 1}, [], (), "is too short; at least 1 entries are needed"),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, (), "is too long (2); at most 1 keys are accepted"),
        ({"uniqueItems": True}, [1, 1], (), "has the same entry twice"),
        (
            {"properties": {}, "additionalProperties": False},
            {"x": 1},
            ("x",),
            '"x" is not known here; none is accepted',
        ),
        ({"enum": ["a"]}, "b" * 200, (), f'"{"b" * 76}… is not accepted; one of "a" is'),
        ({"multipleOf": 2}, 3, (), "3 is not a multiple of 2"),
    ],
)
def test_each_fault_says_what_is_accepted(
    schema: dict[str, Any], data: Any, key: tuple[Any, ...], sentence: str
) -> None:
    assert faults(schema, data) == [(key, sentence)]


def test_every_fault_is_reported_in_order() -> None:
    schema = {"required": ["z"], "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}
    assert [key for key, _ in faults(schema, {"b": 1, "a": 1})] == [(), ("a",), ("b",)]
