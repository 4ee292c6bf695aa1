import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.messages.output_schema import MAX_OPTIONAL, MAX_UNIONS, problem


def obj(properties=None, required=None, **more):
    properties = {} if properties is None else properties
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
        **more,
    }


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    "schema",
    [
        obj(),
        obj({"a": {"type": "string", "format": "date-time"}, "b": {"type": "array", "items": TEXT, "minItems": 1}}),
        obj({"a": {"enum": ["x", 1, None]}, "b": {"const": True}, "c": {"anyOf": [TEXT, {"type": "null"}]}}),
        obj({"a": {"type": ["string", "null"]}}),
        obj({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": obj({"b": TEXT})}}),
        obj({"a": {"allOf": [{"$ref": "#/$defs/A"}]}}, **{"$defs": {"A": TEXT}, "title": "T", "description": "D"}),
    ],
)
def test_what_the_api_takes(schema):
    assert problem(schema) is None


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ([], "Input should be an object"),
        ({}, "needs a type"),
        ({"type": "object", "properties": {}}, "'additionalProperties' must be explicitly set to false"),
        (obj(additionalProperties=TEXT), "must be explicitly set to false"),
        (obj({"a": {"type": "integer", "minimum": 1}}), "^For 'integer' type, property 'minimum' is not supported"),
        (
            obj({"a": {"type": "number", "minimum": 0, "maximum": 1}}),
            "^For 'number' type, properties maximum, minimum are not supported",
        ),
        (obj({"a": {"type": "string", "maxLength": 3}}), "'maxLength' is not supported"),
        (obj({"a": {"type": "string", "pattern": "x"}}), "'pattern' is not supported"),
        (obj({"a": {"type": "string", "format": "regex"}}), "format 'regex' is not supported"),
        (obj({"a": {"type": "array", "items": TEXT, "maxItems": 3}}), "'maxItems' is not supported"),
        (obj({"a": {"type": "array", "items": TEXT, "minItems": 2}}), "values other than 0 or 1"),
        (obj({"a": {"type": "array", "items": TEXT, "uniqueItems": True}}), "'uniqueItems' is not supported"),
        (obj({"a": {"oneOf": [TEXT]}}), "needs a type"),
        (obj({"a": {"type": "text"}}), "type 'text' is not supported"),
        (obj({"a": {"enum": []}}), "an enum is not empty"),
        (obj({"a": {"enum": [{}]}}), "enum and const take"),
        (obj(patternProperties={}), "'patternProperties' is not supported"),
        (obj({"a": TEXT}, ["b"]), "required names 'b'"),
        (obj({"a": {"$ref": "https://example.com/s"}}), "has to name an entry of"),
        (obj({"a": {"$ref": "#/$defs/B"}}, **{"$defs": {}}), "has to name an entry of"),
        (obj({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": obj({"b": {"$ref": "#/$defs/A"}})}}), "Recursive"),
        (
            obj(**{"$defs": {"A": {"anyOf": [{"$ref": "#/$defs/B"}]}, "B": {"anyOf": [{"$ref": "#/$defs/A"}]}}}),
            "Recursive",
        ),
        (obj({"a": True}), "each schema should be an object"),
    ],
)
def test_what_it_refuses(schema, why):
    assert re.search(why, problem(schema) or "")


def test_limits_at_n_and_one_more():
    assert problem(obj({f"p{i}": TEXT for i in range(MAX_OPTIONAL)}, [])) is None
    assert "too many optional" in (problem(obj({f"p{i}": TEXT for i in range(MAX_OPTIONAL + 1)}, [])) or "")
    union = {"anyOf": [TEXT, {"type": "null"}]}
    assert problem(obj({f"p{i}": union for i in range(MAX_UNIONS)})) is None
    assert "union types" in (problem(obj({f"p{i}": union for i in range(MAX_UNIONS + 1)})) or "")


def test_a_deep_schema_is_read_without_recursion():
    schema = TEXT
    for _ in range(1500):
        schema = {"type": "array", "items": schema}
    assert problem(schema) is None
    for _ in range(1500):
        schema = {"type": "array", "items": schema}
    assert problem(schema) == "Schema is too complex"


leaves = st.sampled_from([{"type": t} for t in ("string", "integer", "number", "boolean", "null")])
full = st.recursive(
    leaves
    | st.just({"type": "integer", "minimum": 1})
    | st.just({"type": "string", "pattern": "x", "maxLength": 4})
    | st.just({"enum": ["a", "b"]}),
    lambda inner: (
        st.builds(lambda i, n: {"type": "array", "items": i, "minItems": n, "maxItems": 9}, inner, st.integers(0, 4))
        | st.builds(
            lambda p: {"type": "object", "properties": p, "required": list(p)},
            st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3),
        )
    ),
    max_leaves=6,
)


@settings(max_examples=40)
@given(full)
def test_whatever_the_sdk_transforms_is_taken(schema):
    from anthropic import transform_schema

    assert problem(transform_schema(schema)) is None
