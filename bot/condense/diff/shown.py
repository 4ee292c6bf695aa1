"""What may be shown of a line: redacted, with hidden characters spelled out, and cut where it is too long."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from bot.condense.diff.patch import Line

Redact = Callable[[str], str]

LONGEST: Final = 1600
"""Characters of a line that are shown; a longer one is cut and says so."""

_LOOK: Final = LONGEST + (16 << 10)
"""Characters of a line that are redacted: what is shown, and beyond it as far as the longest key reaches, so that no
secret is cut into something that is not known as one any more."""

_GONE: Final = "[redacted]"
_HIDDEN = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """Return ``text`` with characters that a reader cannot see, or that reorder what they see, as ``<U+202E>``."""
    return _HIDDEN.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


def cut(text: str, more: int = 0) -> str:
    """Return ``text``, or its beginning and how many characters were left out: ``more`` were before."""
    left = len(text) - LONGEST + more
    return text if len(text) <= LONGEST and not more else f"{text[:LONGEST]}[… {left} more characters]"


def texts(lines: Sequence[Line], redact: Redact) -> list[str]:
    """Return what to show for each of a hunk's ``lines``.

    Each side is redacted as one text, for a secret can take several lines. ``redact`` may change and join lines. A line
    that stands on both sides is shown as the side that hides more of it.
    """
    bare = [line.text.removesuffix("\r") for line in lines]
    beginnings = [text[:_LOOK] for text in bare]
    shown = list(beginnings)
    for gone in ("+", "-"):
        side = [at for at, line in enumerate(lines) if line.sign != gone]
        before = [beginnings[at] for at in side]
        for at, text, after in zip(side, before, _redacted(before, redact), strict=True):
            if text != after:
                shown[at] = after
    crlf = all(line.text.endswith("\r") for line in lines) or not any(line.text.endswith("\r") for line in lines)
    return [
        cut(visible(text if crlf or not line.text.endswith("\r") else text + "\r"), max(0, len(whole) - _LOOK))
        for line, text, whole in zip(lines, shown, bare, strict=True)
    ]


def _redacted(before: list[str], redact: Redact) -> list[str]:
    after = redact("\n".join(before)).split("\n")
    if len(after) == len(before):
        return after
    # A secret of several lines became one: what still stands there as it was is harmless, all else is not shown.
    harmless = set(after)
    return [line if line in harmless else _GONE for line in before]
