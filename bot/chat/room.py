"""Room in a comment of bounded size: what must be said takes its bytes first, and lists are cut line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.chat.github_markdown import folded

_BETWEEN: Final = 2
"""Bytes of the blank line between two parts."""


class Room:
    """What is left of ``limit_bytes`` of UTF-8. Parts are asked for in the order of their weight, wherever they are
    going to stand; ``full`` says that one did not fit."""

    def __init__(self, limit_bytes: int) -> None:
        self.left = limit_bytes
        self.full = False

    def take(self, part: str) -> str:
        """Return the part and keep room for it; nothing where it does not fit."""
        if not part:
            return ""
        if not self._fits(part):
            self.full = True
            return ""
        self.left -= _size(part) + _BETWEEN
        return part

    def first(self, lines: Sequence[str]) -> int:
        """Return how many of ``lines`` fit as one part, and keep room for them."""
        number = self._count(lines, self.left - _BETWEEN)
        self.take("\n".join(lines[:number]))
        return number

    def fold(self, summary: str, lines: Sequence[str], *, more: int = 0, most_bytes: int | None = None) -> str:
        """Return ``lines`` folded behind ``summary``, as many as fit, and how many more there are: ``more`` besides
        those that did not fit. It takes at most ``most_bytes``."""
        if not lines and not more:
            return ""
        room = self.left if most_bytes is None else min(self.left, most_bytes)
        shell = _size(folded(summary, _rest(len(lines) + more))) + _BETWEEN + 1
        number = self._count(lines, room - shell)
        rest = len(lines) - number + more
        return self.take(folded(summary, "\n".join([*lines[:number], *([_rest(rest)] if rest else [])])))

    def _fits(self, part: str) -> bool:
        return _size(part) + _BETWEEN <= self.left

    @staticmethod
    def _count(lines: Sequence[str], room: int) -> int:
        for number, line in enumerate(lines):
            room -= _size(line) + 1
            if room < 0:
                return number
        return len(lines)


def _rest(number: int) -> str:
    return f"- and {number:,} more"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
