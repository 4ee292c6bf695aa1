"""config-key: set one key of a ConfigMap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.actions.action import DECLARED, Action, Occasion, Rendered, Unsuitable
from bot.runbooks.arguments import NAME, TEXT
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.resources import CONFIG_MAP
from bot.runbooks.target import Target

Json = Mapping[str, Any]


class ConfigKey(Action):
    """Patches one key that is there already: a new key is nothing that a program reads today."""

    name = "config-key"
    kinds = frozenset({CONFIG_MAP.kind})
    arguments: Mapping[str, Json] = {"key": NAME, "value": TEXT}
    literal = frozenset({"key"})
    verbs = frozenset({CONFIG_MAP.verb("patch")})
    inverse = "config-key with the value before"
    reverted_by = DECLARED

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the merge patch of the key."""
        key, data = str(arguments["key"]), live.get("data") or {}
        value = arguments["value"]
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if live.get("immutable"):
            return Unsuitable("immutable", f"{target} is immutable; it has to be replaced, which no action does.")
        if key not in data:
            return Unsuitable("no-key", f"{target} has no key {key}; it has {', '.join(sorted(data)) or 'none'}.")
        if data[key] == text:
            return Unsuitable("no-change", f"Key {key} of {target} has that value already.")
        return Rendered(
            call=_call(target, key, text),
            effect=(
                f"Key {key} of {target} gets another value.",
                "Pods that read it as a file see it within minutes; those that read it as a variable, at their start.",
            ),
            undo=f"Set key {key} of {target} back to its value before.",
            inverse=_call(target, key, str(data[key])),
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """The value of the key."""
        return {"value": (live.get("data") or {}).get(str(arguments["key"])), "immutable": bool(live.get("immutable"))}


def _call(target: Target, key: str, value: str) -> Call:
    return Call("PATCH", target.path, MERGE_PATCH, {"data": {key: value}})
