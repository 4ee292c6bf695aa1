"""A hunk being filled in: which of its lines are visible, what another would cost, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from bot.condense.diff.patch import FilePatch, Line
from bot.condense.diff.pieces import Piece

Cost = Callable[[str], float]
"""What a line costs, its newline included."""


class Sheet:
    """A hunk and which of its ``lines`` are ``visible``, each as one of ``texts``.

    ``named`` has, by the place where a repeated piece begins, the name it goes by and its number of lines.
    """

    def __init__(self, file: FilePatch, hunk: int, lines: tuple[Line, ...], texts: list[str], cost: Cost) -> None:
        self.lines, self.texts = lines, texts
        self.visible = bytearray(len(lines))
        self.named: dict[int, tuple[int, int]] = {}
        self._cost, self._status = cost, file.status
        self._numbers = []
        old, new = file.hunks[hunk].old_start, file.hunks[hunk].new_start
        for line in lines:
            self._numbers.append((old, new))
            old, new = old + (line.sign != "+"), new + (line.sign != "-")

    def header(self, at: int) -> str:
        """Return the line above a run of visible lines that begins at ``at``; a missing side has no number."""
        old, new = self._numbers[at]
        return {"added": f"@@ +{new}", "deleted": f"@@ -{old}"}.get(self._status, f"@@ -{old} +{new}")

    def line(self, at: int) -> str:
        """Return a line as it is shown, sign first."""
        return self.lines[at].sign + self.texts[at]

    def price(self, lines: range | tuple[int, ...], *, text: bool) -> float:
        """Return what the budget changes by when ``lines`` become visible: with their text, or covered by a repeat."""
        total = 0.0
        fresh = {at for at in lines if not self.visible[at]}
        for at in lines:
            if at not in fresh:
                total -= 0.0 if text else self._cost(self.line(at))
                continue
            if text:
                total += self._cost(self.line(at))
            if not (at and (self.visible[at - 1] or at - 1 in fresh)):
                total += self._cost(self.header(at))
            if at + 1 < len(self.lines) and self.visible[at + 1]:
                total -= self._cost(self.header(at + 1))
        return total

    def key(self, piece: Piece) -> tuple[str, ...]:
        """Return the text of a piece as it is shown: only what is shown alike is the same."""
        return tuple(self.line(at) for at in range(piece.start, piece.end))

    def changes(self) -> Iterator[tuple[Line, str]]:
        """Yield the visible lines that are added or removed, each with its text as shown."""
        for at, line in enumerate(self.lines):
            if self.visible[at] and line.sign != " ":
                yield line, self.texts[at]

    def render(self, written: set[int]) -> list[str]:
        """Return the visible lines, each run under its header; what a name in ``written`` stands for only by it.

        Names of pieces that are written here are added to ``written``.
        """
        out = []
        at, inside = 0, False
        while at < len(self.lines):
            if not self.visible[at]:
                at, inside = at + 1, False
                continue
            if not inside:
                out.append(self.header(at))
                inside = True
            if at in self.named:
                name, count = self.named[at]
                out.append(reference_line("*" if name in written else "&", name, count))
                if name in written:
                    at += count
                    continue
                written.add(name)
            out.append(self.line(at))
            at += 1
        return out


def reference_line(mark: Literal["&", "*"], name: int, count: int) -> str:
    """Return the line that gives the next ``count`` lines a name (``&``), or stands for those of that name (``*``)."""
    return f"{mark}{name} {count}"
