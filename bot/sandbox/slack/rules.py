"""Small rules that put together describe a payload: strings, lists, objects, and objects whose `type` decides.

A rule looks at one value of a walk over the payload and notes what is wrong, in Slack's sentences and with a JSON
pointer. Unknown keys are refused, which is stricter than Slack.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One broken rule: Slack's sentence and the JSON pointer of the value."""

    message: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


@dataclass
class Walk:
    """What one walk over a payload collects."""

    surface: str
    problems: list[Problem] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    action_ids: set[str] = field(default_factory=set)
    markdown: int = 0
    focused: int = 0

    def refuse(self, message: str, pointer: str) -> None:
        """Note a broken rule."""
        self.problems.append(Problem(message, pointer))


Rule = Callable[[Walk, Any, str], None]


def string(most: int, *, least: int = 0, pattern: str = "", of: Sequence[str] = ()) -> Rule:
    """A string of `least` to `most` characters, of this shape, or one of these words."""
    shape = re.compile(pattern) if pattern else None

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, str):
            walk.refuse("must provide a string", pointer)
        elif len(value) > most:
            walk.refuse(f"must be less than {most + 1} characters", pointer)
        elif len(value) < least:
            walk.refuse(f"must be more than {least - 1} characters", pointer)
        elif shape and not shape.fullmatch(value):
            walk.refuse("must match the expected format", pointer)
        elif of and value not in of:
            walk.refuse(f"must be a valid enum value: {', '.join(of)}", pointer)

    return rule


def boolean(walk: Walk, value: Any, pointer: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        walk.refuse("must provide a boolean", pointer)


def integer(least: int, most: int) -> Rule:
    """A whole number from `least` to `most`."""

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            walk.refuse("must provide an integer", pointer)
        elif not least <= value <= most:
            walk.refuse(f"must be from {least} to {most}", pointer)

    return rule


def array(item: Rule, most: int, *, least: int = 1) -> Rule:
    """A list of `least` to `most` entries that each follow the rule."""

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, list):
            walk.refuse("must provide an array", pointer)
        elif len(value) > most:
            walk.refuse(f"no more than {most} items allowed", pointer)
        elif len(value) < least:
            walk.refuse(f"no fewer than {least} items allowed", pointer)
        else:
            for index, entry in enumerate(value):
                item(walk, entry, f"{pointer}/{index}")

    return rule


def structure(
    required: Mapping[str, Rule],
    optional: Mapping[str, Rule],
    then: Callable[[Walk, Mapping[str, Any], str], None] | None = None,
) -> Rule:
    """An object with these keys and no others; `then` checks what only makes sense once the parts are right."""

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, dict):
            walk.refuse("must provide an object", pointer)
            return
        before = len(walk.problems)
        for key in required:
            if key not in value:
                walk.refuse(f"missing required field: {key}", pointer)
        for key, entry in value.items():
            part = required.get(key) or optional.get(key)
            if part is not None:
                part(walk, entry, f"{pointer}/{key}")
            elif key != "type":
                walk.refuse(f"invalid additional property: {key}", pointer)
        if then and len(walk.problems) == before:
            then(walk, value, pointer)

    return rule


def by_type(rules: Mapping[str, Rule], elsewhere: frozenset[str] = frozenset()) -> Rule:
    """An object whose `type` chooses the rule; `elsewhere` names types of Slack that this stand-in does not play."""

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, dict):
            walk.refuse("must provide an object", pointer)
        elif "type" not in value:
            walk.refuse("missing required field: type", pointer)
        elif not isinstance(value["type"], str):
            walk.refuse("must provide a string", f"{pointer}/type")
        elif value["type"] in rules:
            rules[value["type"]](walk, value, pointer)
        elif value["type"] in elsewhere:
            walk.refuse(
                f"unsupported type: {value['type']} (Slack has it, this sandbox does not play it)", f"{pointer}/type"
            )
        else:
            walk.refuse(f"unsupported type: {value['type']}", f"{pointer}/type")

    return rule
