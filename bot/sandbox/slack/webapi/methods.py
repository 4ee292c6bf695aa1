"""The Web API methods that the stand-in plays: scope, rate tier and arguments of each.

Source: Slack's method reference, one page a method. An argument that is not listed is refused, which is stricter than
Slack (it warns). Arguments in `unplayed` exist in Slack and are refused with a sentence that says so.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.local import LocalSlack, SlackError

Handler = Callable[[LocalSlack, dict[str, Any]], dict[str, Any]]
Convert = Callable[[Any], Any]


class _Refused(ValueError):
    """The value has the wrong type; the message is Slack's sentence."""


def text(value: Any) -> str:
    """A string; numbers are taken as Slack takes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise _Refused("must be a string")


def number(value: Any) -> int:
    """An integer, also in text."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _Refused("must be an integer")
    try:
        return int(value)
    except ValueError:
        raise _Refused("must be an integer") from None


def flag(value: Any) -> bool:
    """A boolean, also as 1, 0, "true" or "false"."""
    if str(value).lower() in ("1", "true"):
        return True
    if str(value).lower() in ("0", "false"):
        return False
    raise _Refused("must be a boolean")


def names(value: Any) -> list[str]:
    """A list of strings, also as text with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    raise _Refused("must be a list of strings")


def structure(value: Any) -> Any:
    """JSON, also as text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise _Refused("must be valid JSON") from None
    return value


@dataclass(frozen=True)
class Method:
    """One method: who may call it, how often, with which arguments, and the function that answers."""

    handler: Handler
    tier: str
    scopes: tuple[str, ...] = ()
    required: Mapping[str, Convert] = field(default_factory=dict)
    optional: Mapping[str, Convert] = field(default_factory=dict)
    unplayed: frozenset[str] = frozenset()
    app_token: bool = False


def read_arguments(method: Method, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with their types; raises SlackError invalid_arguments naming each that is wrong."""
    wrong: list[str] = []
    read: dict[str, Any] = {}
    for key, value in raw.items():
        if key == "team_id":  # Bolt's client sends it with every call; a workspace token makes Slack ignore it
            continue
        convert = method.required.get(key) or method.optional.get(key)
        if convert is None:
            why = "is not played by this sandbox" if key in method.unplayed else "is unknown"
            wrong.append(f"argument {why} [json-pointer:/{key}]")
            continue
        if value is None:
            continue
        try:
            read[key] = convert(value)
        except _Refused as refused:
            wrong.append(f"{refused} [json-pointer:/{key}]")
    wrong += [f"missing required field: {key}" for key in method.required if read.get(key) in (None, "")]
    if wrong:
        raise SlackError("invalid_arguments", wrong)
    return read
