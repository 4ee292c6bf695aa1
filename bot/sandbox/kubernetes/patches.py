"""The three patch formats: JSON patch, JSON merge patch and strategic merge patch, on plain JSON.

Sources: RFC 6902, RFC 6901, RFC 7386; apimachinery/pkg/util/strategicpatch/patch.go and
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
for the directives; the `patchStrategy`/`patchMergeKey` tags in k8s.io/api for the merge keys.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]


class PatchError(ValueError):
    """The patch cannot be read or does not fit the object; the text says which part."""


# The last two field names of a path decide; the wider entry comes first.
_MERGE_KEYS: Final[Mapping[tuple[str, str], str]] = {
    ("containers", "ports"): "containerPort",
    ("initContainers", "ports"): "containerPort",
    ("ephemeralContainers", "ports"): "containerPort",
    ("spec", "ports"): "port",
    ("", "containers"): "name",
    ("", "initContainers"): "name",
    ("", "ephemeralContainers"): "name",
    ("", "env"): "name",
    ("", "volumes"): "name",
    ("", "volumeMounts"): "mountPath",
    ("", "volumeDevices"): "devicePath",
    ("", "imagePullSecrets"): "name",
    ("", "hostAliases"): "ip",
    ("", "topologySpreadConstraints"): "topologyKey",
    ("", "schedulingGates"): "name",
    ("", "resourceClaims"): "name",
    ("", "ownerReferences"): "uid",
    ("status", "conditions"): "type",
    ("status", "addresses"): "type",
    ("status", "podIPs"): "ip",
}
_MERGED_PRIMITIVES: Final = frozenset({"finalizers"})
_DIRECTIVES: Final = ("$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/")


def merge_key(parent: str, field: str) -> str | None:
    """The key that identifies the items of list `field`, or None for a list that is replaced as a whole."""
    return _MERGE_KEYS.get((parent, field)) or _MERGE_KEYS.get(("", field))


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null deletes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_merge(target: Json, patch: Json) -> Json:
    """Apply a strategic merge patch. Raises PatchError on a list item without its merge key or a directive
    that does not exist."""
    if not isinstance(patch, dict):
        raise PatchError("a strategic merge patch is an object")
    merged = _merge_map(target, patch, "", "")
    return {} if merged is None else merged


def _merge_map(target: Json, patch: Json, parent: str, field: str) -> Json | None:
    directive = patch.get("$patch")
    if directive == "delete":
        return None
    if directive == "replace":
        return {key: _plain(value) for key, value in patch.items() if key != "$patch" and value is not None}
    if directive not in (None, "merge"):
        raise PatchError(f"Unknown patch type found: {directive}")
    merged = dict(target)
    retain = patch.get("$retainKeys")
    if retain is not None:
        merged = {key: value for key, value in merged.items() if key in retain}
    for key, value in patch.items():
        if key in ("$patch", "$retainKeys") or key.startswith("$setElementOrder/"):
            continue
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            merged[name] = [item for item in merged.get(name) or [] if item not in value]
        elif key.startswith("$"):
            raise PatchError(f"unknown directive {key[:60]!r}")
        elif value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            current = merged.get(key)
            result = _merge_map(current if isinstance(current, dict) else {}, value, field, key)
            if result is None:
                merged.pop(key, None)
            else:
                merged[key] = result
        elif isinstance(value, list):
            order = patch.get(f"$setElementOrder/{key}")
            merged[key] = _merge_list(merged.get(key), value, field, key, order)
        else:
            merged[key] = value
    for key, order in patch.items():
        name = key.partition("/")[2]
        if key.startswith("$setElementOrder/") and name not in patch and isinstance(merged.get(name), list):
            merged[name] = _in_order(merged[name], order, target.get(name) or [], merge_key(field, name))
    return merged


def _merge_list(current: Any, patch: list[Any], parent: str, field: str, order: Any) -> list[Any]:
    existing = current if isinstance(current, list) else []
    key = merge_key(parent, field)
    if key is None:
        if field in _MERGED_PRIMITIVES:
            merged_values = [*existing, *(item for item in patch if item not in existing)]
            return _in_order(merged_values, patch if order is None else order, existing, None)
        return [_plain(item) for item in patch]
    for item in patch:
        if not isinstance(item, dict) or (key not in item and item.get("$patch") != "replace"):
            raise PatchError(f"map: {_shown(item)} does not contain declared merge key: {key}")
    if any(item == {"$patch": "replace"} for item in patch):
        return [_plain(item) for item in patch if item != {"$patch": "replace"}]
    merged = [dict(item) for item in existing]
    for item in patch:
        at = next((i for i, have in enumerate(merged) if have.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            merged = [have for have in merged if have.get(key) != item[key]]
        elif at is None:
            added = _merge_map({}, item, parent, field)
            if added is not None:
                merged.append(added)
        else:
            result = _merge_map(merged[at], item, parent, field)
            if result is not None:
                merged[at] = result
    return _in_order(merged, patch if order is None else order, existing, key)


def _in_order(items: list[Any], order: Any, before: list[Any], key: str | None) -> list[Any]:
    """Sort a merged list (normalizeElementOrder): what `order` names comes in its order, the rest as it was
    `before`, and one that is new stands in front of the rest."""
    if not isinstance(order, list):
        raise PatchError("the order of elements is a list")

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    wanted = [identity(entry) for entry in order]
    places = [identity(entry) for entry in before]
    named = sorted((i for i in items if identity(i) in wanted), key=lambda i: wanted.index(identity(i)))
    rest = [item for item in items if identity(item) not in wanted]
    result: list[Any] = []
    while named and rest:
        first, other = identity(rest[0]), identity(named[0])
        rest_is_first = other in places and places.index(first) < places.index(other)
        result.append((rest if rest_is_first else named).pop(0))
    return [*result, *named, *rest]


def _plain(value: Any) -> Any:
    """A copy without directives and without nulls, for what the patch brings in anew."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None and not k.startswith(_DIRECTIVES)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _shown(item: Any) -> str:
    if isinstance(item, dict):
        return "map[" + " ".join(f"{key}:{_shown(item[key])}" for key in sorted(item))[:120] + "]"
    return str(item)[:120]


def json_patch(target: Any, operations: Any) -> Any:
    """RFC 6902, all or nothing. Raises PatchError naming the operation that failed."""
    if not isinstance(operations, list):
        raise PatchError("a JSON patch is a list of operations")
    document = copy.deepcopy(target)
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise PatchError("each operation of a JSON patch is an object with op and path")
        document = _operate(document, operation)
    return document


def _operate(document: Any, operation: Json) -> Any:
    kind, path = operation.get("op"), operation["path"]
    if kind in ("add", "replace", "test") and "value" not in operation:
        raise PatchError(f"{kind} operation on {path!r} lacks a value")
    if kind == "add":
        return _add(document, path, copy.deepcopy(operation["value"]))
    if kind == "replace":
        _lookup(document, path, "replace")
        if _pointer(path):
            return _add(_remove(document, path), path, copy.deepcopy(operation["value"]))
        return copy.deepcopy(operation["value"])
    if kind == "remove":
        return _remove(document, path)
    if kind == "test":
        if not _equal(_lookup(document, path, "test"), operation["value"]):
            raise PatchError(f"testing value {path} failed: test failed")
        return document
    if kind in ("move", "copy"):
        source = operation.get("from")
        if not isinstance(source, str):
            raise PatchError(f"{kind} operation to {path!r} lacks from")
        value = copy.deepcopy(_lookup(document, source, kind))
        if kind == "move":
            if path.startswith(source + "/"):
                raise PatchError(f"move operation cannot move {source!r} into itself")
            document = _remove(document, source)
        return _add(document, path, value)
    raise PatchError(f"Unexpected kind: {str(kind)[:40]}")


def _equal(left: Any, right: Any) -> bool:
    # RFC 6902 section 4.6: true is not 1, although Python says so.
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)


def _pointer(path: str) -> list[str]:
    if path == "":
        return []
    if not path.startswith("/"):
        raise PatchError(f"{path[:80]!r} is no JSON pointer; it begins with /")
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def _index(step: str, length: int) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,8}", step) or int(step) >= length:
        raise PatchError(f"Unable to access invalid index: {step[:40]}")
    return int(step)


def _descend(document: Any, steps: list[str], operation: str, path: str) -> Any:
    for step in steps:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list):
            document = document[_index(step, len(document))]
        else:
            raise PatchError(f"{operation} operation does not apply: doc is missing path: {path[:120]}: missing value")
    return document


def _lookup(document: Any, path: str, operation: str) -> Any:
    return _descend(document, _pointer(path), operation, path)


def _add(document: Any, path: str, value: Any) -> Any:
    steps = _pointer(path)
    if not steps:
        return value
    holder = _descend(document, steps[:-1], "add", path)
    if isinstance(holder, dict):
        holder[steps[-1]] = value
    elif isinstance(holder, list):
        at = len(holder) if steps[-1] == "-" else _index(steps[-1], len(holder) + 1)
        holder.insert(at, value)
    else:
        raise PatchError(f"add operation does not apply: doc is missing path: {path[:120]}: missing value")
    return document


def _remove(document: Any, path: str) -> Any:
    steps = _pointer(path)
    if not steps:
        raise PatchError("remove operation does not apply to the whole document")
    holder = _descend(document, steps[:-1], "remove", path)
    if isinstance(holder, dict) and steps[-1] in holder:
        del holder[steps[-1]]
    elif isinstance(holder, list):
        del holder[_index(steps[-1], len(holder))]
    else:
        raise PatchError(f"remove operation does not apply: doc is missing path: {path[:120]}: missing value")
    return document
