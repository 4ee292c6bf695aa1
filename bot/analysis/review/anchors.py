"""Where a finding may stand: the lines of a diff as a reviewer sees them, found again by their text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from bot.condense.diff.pack import paths
from bot.condense.diff.patch import FilePatch, Line, Patch, joined
from bot.condense.diff.shown import Redact, texts, visible
from bot.domain.review import Finding, Side, fingerprint, setting

_SIGN: Final[dict[Side, Literal["+", "-"]]] = {"LEFT": "-", "RIGHT": "+"}
_ALIKE: Final = 3
"""Lines in a row that are no coincidence when they stand elsewhere too."""
LONGEST_QUOTE: Final = 20
"""Lines that a finding may be about."""
_REACH: Final = 200
"""Lines above and below a line among which those that tell what it stands in are looked for."""
_NEAR: Final = 3
"""Neighbours that tell where a line stands when its hunk does not show all that encloses it: git shows as many."""
_COMPARED: Final = 50
"""Lines that say the same, of which the one in a known setting is looked for."""
_HOLDERS: Final = 8
"""Lines that say what the line that holds another says, with which that is compared."""
_NAMES = re.compile(r"\s*\"?(?:name|id|key|kind)\"?\s*[:=]")


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
        self._settings: dict[tuple[Side, int], str] = {}
        self._holding: dict[tuple[Side, int], tuple[tuple[str, ...], tuple[str, ...]]] = {}

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

    @cached_property
    def moved_from(self) -> Place | None:
        """What may be said about of a renamed file as a whole: line 0 of its old side, of which no line is shown."""
        if self.file.status != "renamed":
            return None
        return Place(0, visible(self._redact(paths(self.file))), changed=True, whole=True, occurrence=0)

    def at(self, side: Side, number: int) -> Span | None:
        """Return the changed line with this number, or None."""
        place = self._sides[side].numbers.get(number) if number else self.moved_from
        return None if place is None else Span(self.file.path, side, (place,))

    def changed(self, side: Side) -> Iterator[Place]:
        """Yield the changed lines of one side."""
        yield from self._sides[side].numbers.values()

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
        return fingerprint(self.identity, side, place.text if place.number else "", place.occurrence)

    def setting(self, side: Side, place: Place) -> str:
        """Return the name of what a changed line stands in, made once; see ``_setting``."""
        key = side, place.number
        if key not in self._settings:
            self._settings[key] = self._setting(side, place)
        return self._settings[key]

    def _setting(self, side: Side, place: Place) -> str:
        """Return the name of what a changed line stands in: the container, the job, the function.

        The lines that enclose it, and those that name what encloses it, are told by their indentation, as far as its
        hunk shows them. Where they do not reach the margin, or the same stands elsewhere in the hunk, its neighbours
        count too, so that the same words elsewhere are not taken for this line. Of those that even so are equal their
        number counts: when one of them comes or goes, nobody can say which.
        """
        if not place.number:
            return setting((), ())
        held, near = self._held(side, place)
        twins = self._twins(side, place)
        if len(twins) == 1 and not self._repeated(side, place):
            return setting(held, near)
        beside = self._beside(side, place)
        number = sum(self._beside(side, one) == beside for one in twins)
        return setting((*held, *[""] * number), beside)

    def _twins(self, side: Side, place: Place) -> list[Place]:
        """Return the changed lines that say what this one says and stand in the same, this one among them."""
        alike = self._sides[side].alike["".join(place.text.split())][:_COMPARED]
        held = self._held(side, place)
        return [one for one in alike if one is not place and self._held(side, one) == held] + [place]

    def _repeated(self, side: Side, place: Place) -> bool:
        """Say whether what holds a line stands elsewhere in its hunk too, in the same and with the same names."""
        hunk, at = self._sides[side].positions[place.number]
        lines = [one.text for one in self._sides[side].hunks[hunk][max(0, at - _REACH) : at + _REACH]]
        at = min(at, _REACH)
        depth = _indent(place.text)
        holder = next((i for i in range(at - 1, -1, -1) if lines[i].strip() and _indent(lines[i]) < depth), None)
        if holder is None:
            return False

        def told(index: int) -> tuple[list[str], list[str]]:
            return _enclosing(lines[:index], lines[index]), list(_named_below(lines[index + 1 :], place.text))

        mine = told(holder)
        others = [i for i, line in enumerate(lines) if line.rstrip() == lines[holder].rstrip() and i != holder]
        return any(told(index) == mine for index in others[:_HOLDERS])

    def _held(self, side: Side, place: Place) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the lines that tell what a line stands in, and its neighbours where those do not reach the margin."""
        known = self._holding.get((side, place.number))
        if known is None:
            hunk, at = self._sides[side].positions[place.number]
            lines = [one.text for one in self._sides[side].hunks[hunk][max(0, at - _REACH) : at + _REACH]]
            at = min(at, _REACH)
            enclosing = _enclosing(lines[:at], place.text)
            whole = bool(enclosing) and not _indent(enclosing[-1])
            near = () if whole else self._beside(side, place)
            known = (*enclosing, *_named_below(lines[at + 1 :], place.text)), near
            self._holding[side, place.number] = known
        return known

    def _beside(self, side: Side, place: Place) -> tuple[str, ...]:
        """Return the neighbours of a line on its side."""
        hunk, at = self._sides[side].positions[place.number]
        lines = self._sides[side].hunks[hunk]
        return tuple(one.text for one in (*lines[max(0, at - _NEAR) : at], *lines[at + 1 : at + 1 + _NEAR]))

    def again(self, finding: Finding) -> Place | None:
        """Return the changed line that a known finding is about by now: the one that says the same in the same
        setting, else the one that bears its name, else None."""
        if not finding.line:
            whole = self.moved_from
            return whole if whole and self.fingerprint(finding.side, whole) == finding.fingerprint else None
        by_name = self.named(finding.side).get(finding.fingerprint)
        if by_name is not None and self.setting(finding.side, by_name) == finding.setting:
            return by_name
        alike = self._sides[finding.side].alike.get("".join(finding.quote.split()), ())
        same = (place for place in alike[:_COMPARED] if self.setting(finding.side, place) == finding.setting)
        return next(same, by_name)

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
        self.positions = {place.number: (n, at) for n, hunk in enumerate(hunks) for at, place in enumerate(hunk)}
        self.alike: dict[str, list[Place]] = {}
        for place in self.numbers.values():
            self.alike.setdefault("".join(place.text.split()), []).append(place)
        self.beginnings: dict[str, list[tuple[int, int]]] = {}
        for number, hunk in enumerate(hunks):
            for at, place in enumerate(hunk):
                self.beginnings.setdefault(place.text.strip(), []).append((number, at))


class Anchors:
    """A diff's files, by any spelling of their paths that a reviewer was shown."""

    def __init__(self, patch: Patch, redact: Redact) -> None:
        self._patch = patch
        self._files: dict[str, FileAnchors] = {}
        made = [FileAnchors(file, redact) for file in joined(patch.files)]
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

    def of(self, finding: Finding) -> FileAnchors | None:
        """Return the file that a known finding is about by now: that of its path, else, where the diff has no such file
        any more, the one that came under another name and says the same in the same setting; or None."""
        known = self.file(finding.path)
        if known is not None:
            return known
        return next((file for file in self._come if file.again(finding) is not None), None)

    @cached_property
    def _come(self) -> tuple[FileAnchors, ...]:
        files = (self._files[file.path] for file in self._patch.files if file.status in ("added", "renamed", "copied"))
        return tuple(files)

    def moved(self, path: str, number: int) -> bool:
        """Whether the removed line with this old number, and those removed after it, are added again anywhere."""
        file = self.file(path)
        return file is not None and file.removed.get(number) in self._added

    @cached_property
    def _added(self) -> frozenset[tuple[str, ...] | None]:
        return frozenset(run for file in self._patch.files for _, run in _runs(file, "+"))


def _enclosing(above: Sequence[str], text: str) -> list[str]:
    """Return the lines that hold a line, the innermost first, and between them those that name what holds it."""
    depth, found = _indent(text), []
    for line in reversed(above):
        indent = _indent(line)
        if line.strip() and (indent < depth or (indent == depth and _NAMES.match(line))):
            found.append(line)
            depth = indent
    return found


def _named_below(below: Sequence[str], text: str) -> Iterator[str]:
    """Yield the lines below that name what a line stands in, up to where the next item of a list begins."""
    depth = _indent(text)
    for line in below:
        indent = _indent(line)
        if line.strip() and indent <= depth:
            if line.lstrip().startswith("- ") or not indent:
                return
            depth = indent
            if _NAMES.match(line):
                yield line


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


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
