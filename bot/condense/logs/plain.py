"""A line of bytes as readable text: decoded whatever it holds, without colours, controls and progress bars."""

from __future__ import annotations

import re
from typing import Final

_ESCAPES = re.compile(
    r"\^\[\[[0-9;]{0,12}m"
    r"|\x1b(?:\[[0-9;:?<=>!]*[ -/]*[@-~]|\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|[@-Z\\^_=>()][0-9A-B]?)"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
LONGEST: Final = 16_384
"""Bytes of one line that are looked at; what is behind is counted, not read."""


def plain(raw: bytes) -> str:
    """Decode a line. Bytes that are no UTF-8 become U+FFFD; text that a carriage return overwrote is dropped; colour
    codes, other control and direction characters go. Never raises, never returns a line break."""
    text = raw[:LONGEST].decode("utf-8", "replace").rstrip("\r")
    if text.isascii() and text.isprintable() and "^[[" not in text:
        return text
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part), "")
    if "\x1b" in text or "^[[" in text:
        text = _ESCAPES.sub("", text)
    return _CONTROLS.sub("", text)
