"""A JSON Schema error as a place and a sentence that says what is accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Key = tuple[str | int, ...]

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
}


@cache
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, ValidationError, validators

    def pattern(_validator: Any, expected: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not matches(expected, instance):
            yield ValidationError(f"does not match {expected}")

    extend: Any = validators.extend  # its stub has no types
    return extend(Draft202012Validator, {"pattern": pattern})


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole of ``text`` matches, by RE2: in linear time, and never but for a newline at the end.

    JSON Schema itself only searches; a pattern written as ``^(…)$`` means the same to both. Raises ``re2.error``.
    """
    import re2

    return re2.compile(pattern, _options()).fullmatch(text) is not None


@cache
def _options() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return options


def faults(schema: Any, data: Any) -> list[tuple[Key, str]]:
    """Return every place where ``data`` breaks ``schema`` (trusted, Draft 2020-12), with a sentence each."""
    found: list[tuple[Key, str]] = []
    for error in _validator_class()(schema).iter_errors(data):
        found.extend(_explain(error))
    return sorted(found, key=lambda fault: [str(part) for part in fault[0]])


def _explain(error: ValidationError) -> Iterator[tuple[Key, str]]:
    key: Key = tuple(error.absolute_path)
    value: Any = error.instance
    limit: Any = error.validator_value
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    if error.context:
        for inner in error.context:
            yield from _explain(inner)
        return
    match error.validator:
        case "required":
            # jsonschema reports each missing key by itself, naming it in the message only.
            missing = next(name for name in limit if error.message.startswith(repr(name)))
            hint = schema.get("properties", {}).get(missing, {}).get("description", "")
            yield key, f"{missing} is missing" + (f": {hint}" if hint else "")
        case "additionalProperties" if isinstance(value, dict) and limit is False:
            known = sorted(schema.get("properties", {}))
            accepted = f"accepted are {', '.join(known)}" if known else "none is accepted"
            for name in sorted(set(value) - set(known)):
                yield (*key, name), f"{_shown(name)} is not known here; {accepted}"
        case "type":
            names = [limit] if isinstance(limit, str) else list(limit)
            yield key, f"must be {' or '.join(_TYPES.get(name, name) for name in names)}, not {_shown(value)}"
        case "enum":
            yield key, f"{_shown(value)} is not accepted; one of {', '.join(_shown(item) for item in limit)} is"
        case "const":
            yield key, f"must be {_shown(limit)}, not {_shown(value)}"
        case "pattern":
            yield key, f"{_shown(value)} does not match {limit}"
        case "minimum" | "exclusiveMinimum":
            yield key, f"{_shown(value)} is too small; at least {limit} is accepted"
        case "maximum" | "exclusiveMaximum":
            yield key, f"{_shown(value)} is too large; at most {limit} is accepted"
        case "minLength" | "minItems" | "minProperties":
            yield key, f"is too short; at least {limit} {_unit(str(error.validator))} are needed"
        case "maxLength" | "maxItems" | "maxProperties":
            yield key, f"is too long ({len(value)}); at most {limit} {_unit(str(error.validator))} are accepted"
        case "uniqueItems":
            yield key, "has the same entry twice"
        case _:
            yield key, error.message[:300]


def _unit(keyword: str) -> str:
    return {"Length": "characters", "Items": "entries", "Properties": "keys"}[keyword[3:]]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "…"
