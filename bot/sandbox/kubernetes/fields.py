"""`managedFields`: who wrote which field last.

Coarser than the real server: lists are owned as a whole, and only updates are tracked (no server-side
apply). Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_SYSTEM = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "name", "namespace")


def owned_fields(entries: list[Json], old: Json, new: Json, manager: str, time: str) -> list[Json]:
    """The entries after `manager` turned `old` into `new`: it owns what it changed, nobody else does."""
    changed = _changed(_visible(old), _visible(new))
    if not changed:
        return entries
    result: list[Json] = []
    mine: Json = {}
    for entry in entries:
        if entry["manager"] == manager and "subresource" not in entry:
            mine = entry["fieldsV1"]
            continue
        left = _without(entry["fieldsV1"], changed)
        if left:
            result.append({**entry, "fieldsV1": left})
    result.append(
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": new["apiVersion"] if "apiVersion" in new else old.get("apiVersion", "v1"),
            "time": time,
            "fieldsType": "FieldsV1",
            "fieldsV1": _joined(mine, changed),
        }
    )
    return result


def _visible(obj: Json) -> Json:
    meta = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _SYSTEM}
    kept = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    return {**kept, **({"metadata": meta} if meta else {})}


def _changed(old: Any, new: Any) -> Json:
    fields: Json = {}
    for key, value in new.items():
        before = old.get(key) if isinstance(old, dict) else None
        if value == before and key in old:
            continue
        nested = isinstance(value, dict) and value
        fields[f"f:{key}"] = _changed(before if isinstance(before, dict) else {}, value) if nested else {}
    return fields


def _without(owned: Json, taken: Json) -> Json:
    left: Json = {}
    for key, inner in owned.items():
        if key not in taken:
            left[key] = inner
        elif inner and taken[key] and (rest := _without(inner, taken[key])):
            left[key] = rest
    return left


def _joined(mine: Json, more: Json) -> Json:
    result = dict(mine)
    for key, inner in more.items():
        result[key] = _joined(result.get(key, {}), inner)
    return result
