"""Where a finding may stand: the lines of a diff as a reviewer sees them, found again by their text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from bot.condense.diff.pack import paths
from bot.condense.diff.patch import FilePatch, Line, Patch
from bot.condense.diff.shown import Redact, texts, visible
from bot.domain.review import Side, fingerprint

_SIGN: Final[dict[Side, Literal["+", "-"]]] = {"LEFT": "-", "RIGHT": "+"}
_ALIKE: Final = 3
"""Lines in a row that are no coincidence when they stand elsewhere too."""
LONGEST_QUOTE: Final = 20
"""Lines that a finding may be about."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line on one side of a hunk. ``text`` is what may be shown of it, ``whole`` whether that is all of it, byte for
    byte; ``occurrence`` counts the changed lines before it, on its side of the file, that say the same."""

    number: int
    text: str
    changed: bool
    whole: bool
    occurrence: int


@dataclass(frozen=True, slots=True)
class Span:
    """Lines that follow each other on one side of one hunk, at least one of them changed."""

    path: str
    side: Side
    places: tuple[Place, ...]

    @property
    def start(self) -> int:
        """The number of its first line."""
        return self.places[0].number

    @property
    def end(self) -> int:
        """The number of its last line."""
        return self.places[-1].number


class FileAnchors:
    """The lines of one file's hunks, by side. Redacts the file when it is first asked."""

    def __init__(self, file: FilePatch, redact: Redact) -> None:
        self.file = file
        self._redact = redact
        self._named: dict[Side, dict[str, Place]] = {}

    @property
    def identity(self) -> str:
        """The path that a rename does not change: the one before the change, where there was one."""
        return self.file.old_path if self.file.status == "renamed" and self.file.old_path else self.file.path

    @cached_property
    def _sides(self) -> dict[Side, _Lines]:
        found: dict[Side, list[tuple[Place, ...]]] = {"LEFT": [], "RIGHT": []}
        counts: dict[Side, Counter[str]] = {"LEFT": Counter(), "RIGHT": Counter()}
        for hunk in self.file.hunks:
            lines = tuple(hunk.lines())
            shown = texts(lines, self._redact)
            for side, hunks in found.items():
                hunks.append(tuple(_places(lines, shown, side, counts[side])))
        return {side: _Lines(tuple(hunks)) for side, hunks in found.items()}

    @cached_property
    def removed(self) -> Mapping[int, tuple[str, ...]]:
        """The runs of removed lines, by the old number each begins at."""
        return dict(_runs(self.file, "-"))

    def at(self, side: Side, number: int) -> Span | None:
        """Return the changed line with this number, or None."""
        place = self._sides[side].numbers.get(number)
        return None if place is None else Span(self.file.path, side, (place,))

    def find(self, side: Side, quote: Sequence[str]) -> Iterator[Span]:
        """Yield the spans that say what ``quote`` says, line by line; blanks at the ends of lines do not count."""
        first, *rest = (line.strip() for line in quote)
        lines = self._sides[side]
        for hunk, at in lines.beginnings.get(first, ()):
            span = lines.hunks[hunk][at : at + len(quote)]
            if (
                len(span) == len(quote)
                and all(place.text.strip() == wanted for place, wanted in zip(span[1:], rest, strict=True))
                and any(place.changed for place in span)
            ):
                yield Span(self.file.path, side, span)

    def fingerprint(self, side: Side, place: Place) -> str:
        """Return the name of what is said about a line."""
        return fingerprint(self.identity, side, place.text, place.occurrence)

    def named(self, side: Side) -> Mapping[str, Place]:
        """Return the changed lines of one side by the names of what is said about them."""
        if side not in self._named:
            self._named[side] = {self.fingerprint(side, place): place for place in self._sides[side].numbers.values()}
        return self._named[side]


class _Lines:
    """The lines of one side, hunk by hunk, and where to find them by number and by text."""

    def __init__(self, hunks: tuple[tuple[Place, ...], ...]) -> None:
        self.hunks = hunks
        self.numbers = {place.number: place for hunk in hunks for place in hunk if place.changed}
        self.beginnings: dict[str, list[tuple[int, int]]] = {}
        for number, hunk in enumerate(hunks):
            for at, place in enumerate(hunk):
                self.beginnings.setdefault(place.text.strip(), []).append((number, at))


class Anchors:
    """A diff's files, by any spelling of their paths that a reviewer was shown."""

    def __init__(self, patch: Patch, redact: Redact) -> None:
        self._patch = patch
        self._files: dict[str, FileAnchors] = {}
        made = [FileAnchors(file, redact) for file in patch.files]
        for spell in (
            _path,
            _old_path,
            lambda file: visible(redact(file.path)),
            lambda file: visible(redact(paths(file))),
        ):
            for file in made:
                self._files.setdefault(spell(file.file), file)

    def file(self, path: str) -> FileAnchors | None:
        """Return the file of this path, or None where the diff has none."""
        return self._files.get(path)

    def moved(self, path: str, number: int) -> bool:
        """Whether the removed line with this old number, and those removed after it, are added again anywhere."""
        file = self.file(path)
        return file is not None and file.removed.get(number) in self._added

    @cached_property
    def _added(self) -> frozenset[tuple[str, ...] | None]:
        return frozenset(run for file in self._patch.files for _, run in _runs(file, "+"))


def _places(lines: Sequence[Line], shown: Sequence[str], side: Side, counts: Counter[str]) -> Iterator[Place]:
    sign = _SIGN[side]
    for line, text in zip(lines, shown, strict=True):
        number = line.old if side == "LEFT" else line.new
        if number is None:
            continue
        changed, key = line.sign == sign, "".join(text.split())
        yield Place(number, text, changed, text == line.text, counts[key] if changed else 0)
        counts[key] += changed


def _runs(file: FilePatch, sign: Literal["+", "-"]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the runs of ``_ALIKE`` consecutive lines of one sign, blanks aside, with the number each begins at."""
    for hunk in file.hunks:
        run: tuple[str, ...] = ()
        for line in hunk.lines():
            run = (*run[1 - _ALIKE :], line.text.strip()) if line.sign == sign else ()
            if len(run) == _ALIKE and any(run):
                yield (line.new or line.old or 0) - _ALIKE + 1, run


def _path(file: FilePatch) -> str:
    return file.path


def _old_path(file: FilePatch) -> str:
    return file.old_path or file.path
