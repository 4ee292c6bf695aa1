"""The shape of each type: fields that it does not have are dropped and named, wrong types are refused.

The fields come from the official client's generated models (`openapi_types`), which come from the API
server's own OpenAPI document. What happens to an unknown field is the `fieldValidation` parameter:
https://kubernetes.io/docs/reference/using-api/api-concepts/#setting-the-field-validation-level.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.sandbox.kubernetes.clock import parse_time

_LIST: Final = re.compile(r"(?:list|List)\[(.+)\]")
_MAP: Final = re.compile(r"(?:dict|Dict)[\[(]str, (.+)[\])]")
_INT_OR_STRING: Final = frozenset({"maxSurge", "maxUnavailable", "minAvailable", "port", "targetPort"})
_INT64: Final = 2**63
_GO_TYPES: Final = {"int": "int32", "str": "string", "bool": "bool"}


@dataclass
class Shape:
    """What a walk over an object found: `unknown` field paths and the first `mistakes` in types."""

    unknown: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)


@functools.cache
def _fields(model: str) -> Mapping[str, str] | None:
    from kubernetes.client import models  # 0.6 s of CPU: only a running stand-in pays it

    found = getattr(models, model, None)
    if found is None or not hasattr(found, "openapi_types"):
        return None
    return {found.attribute_map[name]: kind for name, kind in found.openapi_types.items()}


def conform(model: str, value: Any) -> tuple[Any, Shape]:
    """A copy of `value` with exactly the fields that `model` has, and what was wrong with it.

    Nulls and empty lists and maps are left out, as Go's `omitempty` does on the wire.
    """
    shape = Shape()
    return _walk(model, value, "", model.removeprefix("Core").removeprefix("V1").removeprefix("V2"), shape), shape


def _walk(kind: str, value: Any, path: str, owner: str, shape: Shape) -> Any:
    if (listed := _LIST.fullmatch(kind)) is not None:
        if not isinstance(value, list):
            return _mistake(value, path, owner, f"[]{_go(listed[1])}", shape)
        return [_walk(listed[1], item, f"{path}[{i}]", owner, shape) for i, item in enumerate(value)]
    if (mapped := _MAP.fullmatch(kind)) is not None:
        if not isinstance(value, dict):
            return _mistake(value, path, owner, f"map[string]{_go(mapped[1])}", shape)
        quantities = path.rpartition(".")[2] in ("limits", "requests", "capacity", "allocatable", "hard")
        return {
            key: str(item)
            if quantities and isinstance(item, int | float) and not isinstance(item, bool)
            else _walk(mapped[1], item, f"{path}.{key}", owner, shape)
            for key, item in value.items()
            if item is not None
        }
    if kind == "datetime":
        return _time(value, path, owner, shape)
    if kind in ("int", "str", "bool", "bytes"):
        wanted = {"int": int, "str": str, "bool": bool, "bytes": str}[kind]
        if not isinstance(value, wanted) or (kind == "int" and isinstance(value, bool)):
            return _mistake(value, path, owner, _GO_TYPES.get(kind, "[]uint8"), shape)
        if isinstance(value, int) and not -_INT64 <= value < _INT64:
            return _mistake(value, path, owner, "int64", shape)
        return value
    if kind == "object" and path.rpartition(".")[2] in _INT_OR_STRING:
        if not isinstance(value, int | str) or isinstance(value, bool):
            return _mistake(value, path, owner, "IntOrString", shape)
        return value
    fields = _fields(kind)
    if fields is None:
        return value
    if not isinstance(value, dict):
        return _mistake(value, path, owner, _go(kind), shape)
    kept: dict[str, Any] = {}
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        if key not in fields:
            shape.unknown.append(where)
        elif item is not None:
            walked = _walk(fields[key], item, where, _go(kind), shape)
            if walked not in ([], {}) or not (_LIST.fullmatch(fields[key]) or _MAP.fullmatch(fields[key])):
                kept[key] = walked
    return kept


def _time(value: Any, path: str, owner: str, shape: Shape) -> Any:
    try:
        parse_time(value)
    except (TypeError, ValueError):
        return _mistake(value, path, owner, "Time", shape)
    return value


def _go(kind: str) -> str:
    return _GO_TYPES.get(kind, kind.removeprefix("Core").removeprefix("V1").removeprefix("V2"))


def _mistake(value: Any, path: str, owner: str, wanted: str, shape: Shape) -> Any:
    got = {dict: "object", list: "array", str: "string", bool: "bool"}.get(type(value), "number")
    if len(shape.mistakes) < 20:
        shape.mistakes.append(f"json: cannot unmarshal {got} into Go struct field {owner}.{path} of type {wanted}")
    return value
