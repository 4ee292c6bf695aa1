"""``${parameters.x}`` and ``${target.x}`` replaced by data: a whole value keeps its type, inside text it is text.

There is no expression language and no second pass: what was put in is never read for references again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.document import Key

_REFERENCE = re.compile(r"\$\{([a-z]+)\.([A-Za-z][A-Za-z0-9_]*)\}")

Scope = Mapping[str, Mapping[str, Any]]


def references(value: Any, key: Key = ()) -> Iterator[tuple[Key, str, str]]:
    """Yield (place, scope, name) for every reference in ``value``, and ("", "") for what only looks like one."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from references(item, (*key, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from references(item, (*key, index))
    elif isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            yield key, match[1], match[2]
        if "${" in _REFERENCE.sub("", value):
            yield key, "", ""


def fill(value: Any, scope: Scope) -> Any:
    """Replace every reference. Raises ``KeyError`` on an unknown one, which lint refuses beforehand."""
    if isinstance(value, Mapping):
        return {name: fill(item, scope) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, scope) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return scope[whole[1]][whole[2]]
    return _REFERENCE.sub(lambda match: _text(scope[match[1]][match[2]]), value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
