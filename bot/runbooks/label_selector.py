"""A LabelSelector of an object as the text by which a list chooses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_text(selector: Mapping[str, Any]) -> str:
    """Write a LabelSelector as the text that a list takes. Raises ``ValueError`` on an operator it does not know."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or []:
        key, operator = expression["key"], expression["operator"]
        values = ",".join(expression.get("values") or [])
        match operator:
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(key)
            case "DoesNotExist":
                parts.append(f"!{key}")
            case _:
                raise ValueError(f"unknown selector operator {operator!r}")
    return ",".join(parts)
