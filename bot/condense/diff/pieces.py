"""Cut a file's changed lines into pieces that belong together, so that the same piece is not written twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.condense.diff.patch import Line

LONGEST: Final = 12
"""Lines of a piece. Short enough that whole pieces fill a budget evenly, long enough for one field of a manifest."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The lines ``start`` to ``end`` (not included) of a hunk; all of them added or removed."""

    file: int
    hunk: int
    start: int
    end: int


def cut(file: int, hunk: int, lines: Sequence[Line]) -> Iterator[Piece]:
    """Yield the pieces of a hunk's ``lines``.

    A piece ends where context begins, where an added block becomes a removed one after it, after ``LONGEST`` lines, and
    before a line that is indented less than the one before it. So a repeated stanza is cut alike wherever it stands,
    whatever surrounds it. Removed lines and the added ones that replace them stay together.
    """
    start: int | None = None
    before = 0
    for at, line in enumerate(lines):
        if line.sign == " ":
            if start is not None:
                yield Piece(file, hunk, start, at)
            start = None
            continue
        indent = _indent(line.text)
        if start is None:
            start = at
        elif (
            at - start >= LONGEST
            or (line.sign == lines[at - 1].sign and -1 < indent < before and at - start > 1)
            or (line.sign == "-" and lines[at - 1].sign == "+")
        ):
            yield Piece(file, hunk, start, at)
            start = at
        before = indent if indent >= 0 else before
    if start is not None:
        yield Piece(file, hunk, start, len(lines))


def _indent(text: str) -> int:
    """Return how far a line is indented; -1 where it is blank."""
    bare = text.lstrip(" \t")
    return len(text) - len(bare) if bare.strip() else -1
