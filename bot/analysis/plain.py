"""Text that somebody else wrote, as plain bounded text: no control, direction or invisible characters."""

from __future__ import annotations

import unicodedata

# Control, format (direction marks, zero-width and tag characters), lone surrogates, private use; line and paragraph
# separators. What people cannot see can still be read by a model or reorder what people do see.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def line(text: object, limit: int) -> str:
    """Return ``text`` as one line of at most ``limit`` characters; blanks are collapsed, a cut is shown by an ellipsis.

    Anything that is not a string becomes the empty string.
    """
    if not isinstance(text, str):
        return ""
    # Four times the limit is enough to fill it, and bounds the work on a huge text.
    shown = " ".join("".join(map(_as_space, text[: 4 * limit + 64])).split())
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


def lines(text: str) -> str:
    """Return ``text`` with its lines kept: all line ends become ``\\n``, unwanted characters become blanks."""
    return "\n".join("".join(map(_as_space, part)) for part in text.splitlines())


def _as_space(character: str) -> str:
    if " " <= character <= "~":
        return character
    return " " if unicodedata.category(character) in _UNWANTED else character
