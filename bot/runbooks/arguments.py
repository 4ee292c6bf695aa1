"""What a step or a check takes under ``with``: a JSON schema (Draft 2020-12) for each argument by name, and where a
value breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.runbooks import schema_errors, template
from bot.runbooks.schema_errors import Key

Json = Mapping[str, Any]

NAME: Json = {"type": "string", "minLength": 1}
TEXT: Json = {"type": ["string", "number", "boolean"]}
"""What is written as text; a number of a parameter is too."""
TEXTS: Json = {"type": "array", "items": TEXT, "maxItems": 100}
NAMED_TEXTS: Json = {"type": "object", "additionalProperties": TEXT, "maxProperties": 100}
ANYTHING: Json = {}


def whole(least: int, most: int = 2**31 - 1) -> Json:
    """A whole number; Kubernetes counts with 32 bits."""
    return {"type": "integer", "minimum": least, "maximum": most}


def one_of(names: Mapping[str, Any]) -> Json:
    """One of the names of a closed set."""
    return {"enum": sorted(names)}


def faults(takes: Mapping[str, Json], given: Json) -> list[tuple[Key, str]]:
    """Return every place where the values of ``given`` break their schemas, with a sentence each."""
    return schema_errors.faults({"properties": dict(takes)}, dict(given))


def written_faults(takes: Mapping[str, Json], given: Json) -> Iterator[tuple[Key, str]]:
    """Yield the faults of what is written out in a runbook; what a parameter gets into is judged when it is planned."""
    for key, sentence in faults(takes, given):
        value: Any = given
        for part in key:
            value = value[part]
        if not (isinstance(value, str) and any(True for _ in template.references(value))):
            yield key, sentence


def refusal(what: str, takes: Mapping[str, Json], given: Json) -> str:
    """Say what is wrong with what a step or a check has once its parameters are filled in, or an empty string."""
    found = [f"{'.'.join(map(str, key))} {sentence}" for key, sentence in faults(takes, given)]
    return f"{what} does not take these arguments: {'; '.join(found[:5])}." if found else ""
