"""Parameters of one use of a runbook: checked against its JSON schema, completed with its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks import schema_errors


def complete(schema: Mapping[str, Any], given: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the parameters with defaults filled in, and one sentence for each thing that is wrong with ``given``."""
    if not isinstance(given, Mapping):
        return {}, ("the parameters must be a mapping of names to values",)
    values = {name: _plain(value) for name, value in given.items()}
    problems = tuple(
        f"{'.'.join(str(part) for part in key)}: {sentence}" if key else sentence
        for key, sentence in schema_errors.faults(schema, values)
    )
    for name, declared in schema["properties"].items():
        if name not in values and "default" in declared:
            values[name] = declared["default"]
    return dict(sorted(values.items())) if not problems else {}, problems


def _plain(value: Any) -> Any:
    """JSON has one kind of number: 3.0 counts as the integer 3 and must read like it wherever it is put in."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
