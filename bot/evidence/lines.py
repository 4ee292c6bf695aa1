"""Lines that fit: text as whole lines under a bound that says what was left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

MAX_TEXT = 6000
MAX_STRING = 2000
MAX_DEPTH = 12

# Terminal escapes (CSI, OSC, two-byte), then every other control or direction-changing character but tab and newline.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]")

_POD_UID = re.compile(r"\([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\)")


def plain(text: str) -> str:
    """Take out terminal escapes and characters that are not shown or turn the direction of text."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def shorten(text: str, limit: int) -> str:
    """Cut a text in its middle, which says how much is gone: a long message has its point at either end."""
    if len(text) <= limit:
        return text
    mark = f" …({len(text) - limit} characters left out)… "
    head = limit * 2 // 3
    return text[:head] + mark + text[len(text) - (limit - head) :]


def one_line(text: Any, limit: int = 500) -> str:
    """Write anything as one line of at most about ``limit`` characters."""
    return shorten(" ".join(plain(str(text)).split()), limit)


def counted(number: int, word: str) -> str:
    """Write a number and its word: ``1 pod``, ``2 pods``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def without_pod_uid(text: str) -> str:
    """Take out the uid with which the kubelet writes a pod (``name_namespace(uid)``): it tells nobody anything."""
    return _POD_UID.sub("", text)


def fit(lines: Sequence[str], limit: int = MAX_TEXT) -> str:
    """Join lines up to ``limit`` characters; the first lines stay, and the last line counts those left out."""
    if sum(len(line) + 1 for line in lines) <= limit:
        return "\n".join(lines)
    kept: list[str] = []
    room = limit - 40
    for line in lines:
        if len(line) + 1 > room:
            break
        kept.append(line)
        room -= len(line) + 1
    return "\n".join([*kept, f"({len(lines) - len(kept)} more lines left out)"])


def bounded(data: Any, depth: int = MAX_DEPTH) -> Any:
    """Bound plain JSON data that came from outside: the length of every string and the depth of nesting."""
    if isinstance(data, str):
        return shorten(plain(data), MAX_STRING)
    if isinstance(data, dict):
        return {key: bounded(value, depth - 1) for key, value in data.items()} if depth else {}
    if isinstance(data, list):
        return [bounded(value, depth - 1) for value in data] if depth else []
    return data
