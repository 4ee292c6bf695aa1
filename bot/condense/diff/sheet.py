"""A hunk being filled in: which of its lines are visible, what another would cost, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from bot.condense.diff.patch import FilePatch, Line, Sign
from bot.condense.diff.pieces import Piece

Cost = Callable[[str], float]
"""What a line costs, its newline included."""


class _Run(NamedTuple):
    """Consecutive lines that are shown, from ``start`` to ``end`` (not included). ``sides`` is the one sign that they
    all have, or a space, as context has it, where both sides are there."""

    start: int
    end: int
    sides: Sign

    def then(self, other: _Run) -> _Run:
        """Return this run and the one that follows it as one."""
        return _Run(self.start, other.end, self.sides if self.sides == other.sides else " ")


class Sheet:
    """A hunk and which of its ``lines`` are shown, each as one of ``texts``.

    ``named`` has, by the place where a repeated piece begins, the name it goes by and its number of lines.
    """

    def __init__(self, file: FilePatch, hunk: int, lines: tuple[Line, ...], texts: list[str], cost: Cost) -> None:
        self.lines, self.texts = lines, texts
        self.named: dict[int, tuple[int, int]] = {}
        self._visible = bytearray(len(lines))
        self._cost = cost
        self._starting: dict[int, _Run] = {}
        self._ending: dict[int, _Run] = {}
        self._numbers = []
        old, new = file.hunks[hunk].old_start, file.hunks[hunk].new_start
        for line in lines:
            self._numbers.append((old, new))
            old, new = old + (line.sign != "+"), new + (line.sign != "-")

    def shows(self, at: int) -> bool:
        """Whether the line at this place is shown."""
        return bool(self._visible[at])

    def line(self, at: int) -> str:
        """Return a line as it is shown, sign first."""
        return self.lines[at].sign + self.texts[at]

    def price(self, lines: range | tuple[int, ...], *, text: bool) -> float:
        """Return what the budget changes by when ``lines`` are shown: with their text, or covered by a repeat."""
        fresh = sorted({at for at in lines if not self._visible[at]})
        if text:
            total = sum(self._cost(self.line(at)) for at in fresh)
        else:
            total = -sum(self._cost(self.line(at)) for at in lines if self._visible[at])
        gone, runs = self._joined(fresh)
        return total + sum(map(self._header_cost, runs)) - sum(map(self._header_cost, gone))

    def show(self, lines: range | tuple[int, ...]) -> None:
        """Show ``lines`` too."""
        fresh = sorted({at for at in lines if not self._visible[at]})
        gone, runs = self._joined(fresh)
        for run in gone:
            del self._starting[run.start], self._ending[run.end]
        for run in runs:
            self._starting[run.start] = self._ending[run.end] = run
        for at in fresh:
            self._visible[at] = 1

    def key(self, piece: Piece) -> tuple[str, ...]:
        """Return the text of a piece as it is shown: only what is shown alike is the same."""
        return tuple(self.line(at) for at in range(piece.start, piece.end))

    def changes(self) -> Iterator[tuple[Line, str]]:
        """Yield the visible lines that are added or removed, each with its text as shown."""
        for at, line in enumerate(self.lines):
            if self._visible[at] and line.sign != " ":
                yield line, self.texts[at]

    def render(self, written: set[int]) -> list[str]:
        """Return the visible lines, each run under its header; what a name in ``written`` stands for only by it.

        Names of pieces that are written here are added to ``written``.
        """
        out = []
        for run in sorted(self._starting.values()):
            out.append(self._header(run))
            at = run.start
            while at < run.end:
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

    def _header(self, run: _Run) -> str:
        """Return the line above a run: the numbers of its first line, on the sides that it has lines of."""
        old, new = self._numbers[run.start]
        return {"-": f"@@ -{old}", "+": f"@@ +{new}"}.get(run.sides, f"@@ -{old} +{new}")

    def _header_cost(self, run: _Run) -> float:
        return self._cost(self._header(run))

    def _joined(self, fresh: list[int]) -> tuple[list[_Run], list[_Run]]:
        """Return the runs that go when the lines at ``fresh`` are shown too, and those that come."""
        gone: list[_Run] = []
        come: list[_Run] = []
        for at in fresh:
            run = _Run(at, at + 1, self.lines[at].sign)
            if come and come[-1].end == at:
                run = come.pop().then(run)
            elif at in self._ending:
                gone.append(self._ending[at])
                run = gone[-1].then(run)
            if at + 1 in self._starting:
                gone.append(self._starting[at + 1])
                run = run.then(gone[-1])
            come.append(run)
        return gone, come


def reference_line(mark: Literal["&", "*"], name: int, count: int) -> str:
    """Return the line that gives the next ``count`` lines a name (``&``), or stands for those of that name (``*``)."""
    return f"{mark}{name} {count}"
