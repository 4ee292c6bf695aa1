"""What a dry run would change, as a diff that a person can read: YAML-like lines under the path they belong to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, unified_diff
from typing import Any

from bot.domain.canonical import digest

Json = Mapping[str, Any]

MAX_SHOWN = 2_200
"""Characters that fit on an approval card beside everything else (Slack ends a section at 3,000)."""
MAX_LINES = 20_000
"""Lines of one object; a change of more is nothing that a person could review."""

_SERVER_METADATA = frozenset(
    {"managedFields", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "selfLink"}
)
# A copy of the object inside the object, which kubectl apply keeps.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_CONTEXT_WIDTH = 160
_COMPARED = 2_000
_READ = 6
_CHANGED = re.compile(r"[-+] +(?:- )?(\S+):")
_PLAIN = re.compile(r"[A-Za-z/._][\w/.@=+-]*(?::[\w/.@=+-]+)*(?: [\w/.@=+(][\w/.@=+(),-]*)*", re.ASCII)
_NOT_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", ".", ".."})


class TooLarge(ValueError):
    """An object is too large for its change to be shown."""


@dataclass(frozen=True, slots=True)
class Diff:
    """``text`` is everything, ``sha256`` is its digest, and ``shown`` the whole lines of it that fit a card."""

    text: str
    sha256: str
    shown: str
    complete: bool
    lines: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of an object. ``value`` is what it gives its path, None where that only begins there."""

    path: tuple[str, ...]
    text: str
    value: str | None = None


def normalise(live: Json) -> dict[str, Any]:
    """Return an object without what the server writes by itself: status, versions, times, managed fields."""
    metadata = {key: value for key, value in live.get("metadata", {}).items() if key not in _SERVER_METADATA}
    if _LAST_APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {key: value for key, value in metadata["annotations"].items() if key != _LAST_APPLIED}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}


def between(before: Json, after: Json, *, title: str, redact: Callable[[Any], Any]) -> Diff | None:
    """Diff two normalised objects, None when they are equal. Values pass ``redact`` before they are compared.

    A change that redaction makes invisible is still listed, without its values. Raises ``TooLarge``.
    """
    raw_old, raw_new = _lines(before), _lines(after)
    if raw_old == raw_new:
        return None
    old, new = _lines(redact(before)), _lines(redact(after))
    body = [*_hunks(old, new), *_hidden(raw_old, raw_new, old, new)]
    text = "\n".join([title, *body]) + "\n"
    shown = _fitting(text)
    return Diff(
        text=text,
        sha256=digest(text.encode()),
        shown=shown,
        complete=shown == text,
        lines=1 + len(body),
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
    )


def moved(before: str, after: str) -> str:
    """Say in which lines two plans' changes differ, ``-`` for the earlier one; "" if in none. At most ``MAX_SHOWN``."""
    old, new = (text.splitlines()[:_COMPARED] for text in (before, after))
    lines = [line for line in list(unified_diff(old, new, n=0, lineterm=""))[2:] if not line.startswith("@@")]
    return _fitting("".join(f"{line[0]} {line[1:]}\n" for line in lines))


def reads(change: str, now: Json) -> str:
    """Say how what a change is about reads now: the lines of ``now`` under the names that its diff changes."""
    names = {found[1] for line in change.splitlines() if (found := _CHANGED.match(line))}
    lines = [line for line in _lines(now) if line.path and line.path[-1] in names and line.value is not None]
    return "; ".join(f"{_dotted(line.path)}: {line.value}" for line in lines[:_READ])


def values(of: Json) -> dict[str, str]:
    """Return each value of an object under its path, in one line each. Raises ``TooLarge``."""
    return {_dotted(line.path): line.value for line in _lines(of) if line.value is not None}


def _hunks(old: Sequence[_Line], new: Sequence[_Line]) -> Iterator[str]:
    matcher = SequenceMatcher(None, [line.text for line in old], [line.text for line in new])
    for group in matcher.get_grouped_opcodes(1):
        tag, first_old, _, first_new, _ = next(code for code in group if code[0] != "equal")
        first = old[first_old] if tag in ("replace", "delete") else new[first_new]
        yield f"@@ {_dotted(first.path[:-1]) or 'object'}"
        lines: list[tuple[str, str]] = []
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                lines += ((" ", _narrow(line.text)) for line in old[old_start:old_end])
            else:
                lines += (("-", line.text) for line in old[old_start:old_end])
                lines += (("+", line.text) for line in new[new_start:new_end])
        # The path says where it is; the deep indentation of a pod template would fill a phone's screen.
        margin = min(len(text) - len(text.lstrip(" ")) for _, text in lines)
        yield from (f"{sign} {text[margin:]}" for sign, text in lines)


def _hidden(
    raw_old: Sequence[_Line], raw_new: Sequence[_Line], old: Sequence[_Line], new: Sequence[_Line]
) -> Iterator[str]:
    """Name the values that change but read the same once redacted; where the name is secret too, count them."""
    nameless = 0
    raw_before, raw_after, before, after = (
        {line.path: line.text for line in side} for side in (raw_old, raw_new, old, new)
    )
    for path in sorted(raw_before.keys() & raw_after.keys()):
        if raw_before[path] == raw_after[path]:
            continue
        if path not in before or path not in after:
            nameless += 1
        elif before[path] == after[path]:
            yield f"! {_dotted(path)}: changes, but its value is kept secret"
    if nameless:
        yield f"! values change under names that are kept secret: {nameless}"


def _dotted(path: Sequence[str]) -> str:
    """``spec.containers[checkout].image``; every part of it is escaped already."""
    return "".join(part if part.startswith("[") else f".{part}" for part in path).removeprefix(".")


def _fitting(text: str) -> str:
    if len(text) <= MAX_SHOWN:
        return text
    return text[: text.rfind("\n", 0, MAX_SHOWN) + 1]


def _narrow(text: str) -> str:
    """Context lines are for orientation and may be cut; changed lines never are."""
    return text if len(text) <= _CONTEXT_WIDTH else text[: _CONTEXT_WIDTH - 1] + "…"


def _lines(value: Json) -> list[_Line]:
    found = []
    for line in _block(value, (), ""):
        found.append(line)
        if len(found) > MAX_LINES:
            raise TooLarge(f"more than {MAX_LINES:,} lines")
    return found


def _block(value: Any, path: tuple[str, ...], indent: str) -> Iterator[_Line]:
    if isinstance(value, Mapping):
        # A name first: it says what the other keys are about.
        for key in sorted(value, key=lambda key: (key != "name", key)):
            shown = _scalar(str(key))
            yield from _entry(value[key], (*path, shown), f"{indent}{shown}:", indent)
        return
    labels = [f"[{_scalar(item['name'])}]" if isinstance(item, Mapping) and item.get("name") else "" for item in value]
    named = all(labels) and len(set(labels)) == len(labels)
    for index, item in enumerate(value):
        label = labels[index] if named else f"[{index}]"
        if isinstance(item, Mapping | list | tuple) and item:
            nested = _block(item, (*path, label), f"{indent}  ")
            first = next(nested)
            yield replace(first, text=f"{indent}- {first.text.removeprefix(indent + '  ')}")
            yield from nested
        else:
            yield _Line((*path, label), f"{indent}- {_scalar(item)}", _scalar(item))


def _entry(value: Any, path: tuple[str, ...], head: str, indent: str) -> Iterator[_Line]:
    if isinstance(value, Mapping | list | tuple) and value:
        yield _Line(path, head)
        yield from _block(value, path, f"{indent}  ")
    else:
        yield _Line(path, f"{head} {_scalar(value)}", _scalar(value))


def _scalar(value: Any) -> str:
    """Write a value on one line. Text is quoted unless it is plainly text, and what cannot be seen is escaped, so
    that no value can look like another line or hide a part of itself."""
    if isinstance(value, str):
        if len(value) <= 200 and _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
            return value
        return json.dumps(value, ensure_ascii=not value.isprintable())
    return json.dumps(value)
