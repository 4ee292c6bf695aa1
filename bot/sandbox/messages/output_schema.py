"""Which JSON schemas the Messages API takes in `output_config.format`.

Sources: https://platform.claude.com/docs/en/build-with-claude/structured-outputs (JSON Schema limitations,
schema complexity limits), the subset that `anthropic.transform_schema` keeps, and the API's own sentences
as bug reports quote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_ANYWHERE: Final = frozenset({"type", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "description", "title"})
_BY_TYPE: Final[Mapping[str, frozenset[str]]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems"}),
    "string": frozenset({"format"}),
    "integer": frozenset(),
    "number": frozenset(),
    "boolean": frozenset(),
    "null": frozenset(),
}
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
MAX_OPTIONAL: Final = 24
MAX_UNIONS: Final = 16
_MAX_NODES: Final = 2000


def problem(schema: Any) -> str | None:
    """Say why the API refuses this schema, or None. Every schema counts, also one that nothing refers to."""
    if not isinstance(schema, dict):
        return "Input should be an object"
    nodes: list[dict[str, Any]] = []
    for node in _nodes(schema):
        if not isinstance(node, dict):
            return "each schema should be an object"
        nodes.append(node)
        if len(nodes) > _MAX_NODES:
            return "Schema is too complex"
        if (why := _node_problem(node)) is not None:
            return why
    definitions = schema.get("$defs") or {}
    if (why := _reference_problem(schema, definitions)) is not None:
        return why
    optional = sum(len(node.get("properties") or {}) - len(set(node.get("required") or [])) for node in nodes)
    if optional > MAX_OPTIONAL:
        return f"Schemas contains too many optional parameters ({optional}) which exceeds the limit: {MAX_OPTIONAL}"
    unions = sum("anyOf" in node or isinstance(node.get("type"), list) for node in nodes)
    if unions > MAX_UNIONS:
        return (
            f"Schemas contains too many parameters with union types ({unions} parameters with type arrays or "
            f"anyOf) which exceeds the limit: {MAX_UNIONS}"
        )
    return None


def _children(node: dict[str, Any]) -> Iterator[Any]:
    for key in ("properties", "$defs"):
        if isinstance(node.get(key), dict):
            yield from node[key].values()
    for key in ("anyOf", "allOf"):
        if isinstance(node.get(key), list):
            yield from node[key]
    if "items" in node:
        yield node["items"]


def _nodes(schema: Any) -> Iterator[Any]:
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, dict):
            waiting.extend(_children(node))


def _node_problem(node: dict[str, Any]) -> str | None:
    kinds = node.get("type")
    names = kinds if isinstance(kinds, list) else [kinds] if kinds is not None else []
    for name in names:
        if name not in _BY_TYPE:
            return f"type {str(name)[:40]!r} is not supported"
    if not names and not node.keys() & {"enum", "const", "anyOf", "allOf", "$ref"}:
        return "a schema needs a type, enum, const, anyOf, allOf or $ref"
    allowed = _ANYWHERE.union(*(_BY_TYPE[name] for name in names))
    extra = sorted(set(node) - allowed)
    if extra:
        where = f"For '{names[0]}' type, " if names else ""
        if len(extra) == 1:
            return f"{where}property '{extra[0][:60]}' is not supported"
        return f"{where}properties {', '.join(extra)[:200]} are not supported"
    if "object" in names and node.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    if node.get("minItems", 0) not in (0, 1):
        return (
            f"For 'array' type, 'minItems' values other than 0 or 1 are not supported "
            f"(got: [{str(node['minItems'])[:20]}, ∞])"
        )
    if "format" in node and node["format"] not in _FORMATS:
        return f"For 'string' type, format {str(node['format'])[:40]!r} is not supported"
    values = [*(node.get("enum") or []), *([node["const"]] if "const" in node else [])]
    if any(isinstance(value, dict | list) for value in values) or node.get("enum") == []:
        return "enum and const take strings, numbers, booleans and null, and an enum is not empty"
    unknown = set(node.get("required") or []) - set(node.get("properties") or {})
    if unknown:
        return f"required names {sorted(unknown)[0][:60]!r}, which is no property"
    return None


def _reference_problem(schema: dict[str, Any], definitions: dict[str, Any]) -> str | None:
    targets: dict[str, set[str]] = {}
    for name, start in [("", {k: v for k, v in schema.items() if k != "$defs"}), *definitions.items()]:
        targets[name] = set()
        for node in _nodes(start):
            reference = node.get("$ref") if isinstance(node, dict) else None
            if reference is None:
                continue
            known = str(reference).removeprefix("#/$defs/")
            if not str(reference).startswith("#/$defs/") or known not in definitions:
                return f"$ref {str(reference)[:60]!r} is not supported: it has to name an entry of $defs"
            targets[name].add(known)
    for name in definitions:
        reached, waiting = set[str](), set(targets[name])
        while waiting:
            step = waiting.pop()
            if step == name:
                return f"Recursive schemas are not supported: $defs/{name[:60]} refers to itself"
            if step not in reached:
                reached.add(step)
                waiting |= targets[step]
    return None
