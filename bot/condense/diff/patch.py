"""A diff as plain data: its files, their hunks and lines, each with the numbers it has before and after the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

Status = Literal["added", "deleted", "modified", "renamed", "copied", "mode"]
Sign = Literal["+", "-", " "]

NO_NEWLINE: Final = "\\"
"""What begins the line that says that the line before it has no newline at its end."""


class Line(NamedTuple):
    """A line of a hunk, without its sign. ``old`` is its number before the change (None for an added line), ``new``
    its number after it (None for a removed one)."""

    sign: Sign
    text: str
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class Hunk:
    """Consecutive lines of one file. ``body`` holds them as they stand in the diff, sign first; ``heading`` is what
    git found to stand above them. ``after`` are raw lines that follow and belong to nothing; ``damaged`` says that some
    of those look like a change, or that the header promised other lines than came."""

    header: str
    old_start: int
    new_start: int
    heading: str
    body: tuple[str, ...]
    after: tuple[str, ...] = ()
    damaged: bool = False

    def lines(self) -> Iterator[Line]:
        """Yield the lines with their numbers; notes about a missing newline are no lines."""
        old, new = self.old_start, self.new_start
        for raw in self.body:
            sign, text = raw[:1], raw[1:]
            if sign == "+":
                yield Line("+", text, None, new)
                new += 1
            elif sign == "-":
                yield Line("-", text, old, None)
                old += 1
            elif sign != NO_NEWLINE:
                yield Line(" ", text, old, new)
                old, new = old + 1, new + 1


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What happens to one file. ``path`` is its path after the change, or the old one where it was deleted.

    ``notes`` are the facts that no line shows: ``binary``, ``submodule``, ``mode 100644 -> 100755``, ``mode
    changed``, ``combined`` (the diff of a merge, which has no single old side), ``no patch`` (the sender left the
    lines out) and ``damaged`` (a hunk is). ``head`` are the raw lines before the first hunk.
    """

    path: str
    status: Status
    hunks: tuple[Hunk, ...] = ()
    old_path: str | None = None
    notes: tuple[str, ...] = ()
    head: tuple[str, ...] = ()

    def count(self, sign: Sign) -> int:
        """Return how many lines have this sign."""
        return sum(raw[:1] == sign for hunk in self.hunks for raw in hunk.body)


def joined(files: Iterable[FilePatch]) -> tuple[FilePatch, ...]:
    """Return each path once, with the hunks of all its sections: git writes two for a file that becomes a link."""
    by_path: dict[str, list[FilePatch]] = {}
    for file in files:
        by_path.setdefault(file.path, []).append(file)
    return tuple(same[0] if len(same) == 1 else _one(same) for same in by_path.values())


def _one(same: Sequence[FilePatch]) -> FilePatch:
    return replace(
        same[0],
        status=same[0].status if len({file.status for file in same}) == 1 else "modified",
        hunks=tuple(hunk for file in same for hunk in file.hunks),
        notes=tuple(dict.fromkeys(note for file in same for note in file.notes)),
    )


@dataclass(frozen=True, slots=True)
class Patch:
    """A whole diff. ``preamble`` is what stands before its first file."""

    files: tuple[FilePatch, ...]
    preamble: tuple[str, ...] = ()
