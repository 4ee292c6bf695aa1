"""Put everything that could be shown of a diff in the order of its worth, whatever the budget will be.

Because the order does not depend on the budget, a larger budget shows all that a smaller one shows, and more. Breadth
comes before depth: first what is critical, then a line of every file, then what is risky, then a line of every hunk
(with each, the line that it replaces), then some more of each, and only then whole pieces and the lines around them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from bot.condense.diff.classify import ASIDE, Kind
from bot.condense.diff.patch import FilePatch, Line
from bot.condense.diff.pieces import Piece, cut
from bot.condense.diff.worth import LEVELS, Stakes, worth
from bot.condense.risk.rule import Risk

_CONTEXT: Final = 3
"""Lines around a shown change that are worth showing when all changes are shown."""

_GLANCE: Final = 1
"""Lines of a side that stand for a hunk as long as there are others of which nothing is shown."""
_GIST: Final = 3
"""Lines of a side that stand for a hunk after that: a kind and its name, or a signature and what it begins with."""
_HEADER_WIDTH, _LINE_WIDTH = 20, 8
"""Characters that cost about as much as the header above a hunk's lines, and as what any line costs."""
_FLOOD: Final = 16
"""Risky pieces of one file that come before other files and hunks: one file full of them must not hide the rest."""
_GAP: Final = 2
"""Lines between two risky ones that cost no more than a new header would."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """A file with what is known of it: its kind, and its risks."""

    file: FilePatch
    kind: Kind
    risks: tuple[Risk, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What to show next: ``lines`` of a hunk, by their place in it, or only the file's name (no hunk). ``piece`` is the
    piece they belong to, for context belongs to none; ``whole`` says that they are all of it."""

    file: int
    hunk: int | None = None
    lines: tuple[int, ...] = ()
    piece: Piece | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Weighed:
    piece: Piece
    worths: tuple[float, ...]
    levels: tuple[int, ...]
    best: float
    score: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The lines of each file's hunks, the files in the order in which they are shown (``rank``), and how many lines are
    ``changed``."""

    files: tuple[Assessed, ...]
    lines: tuple[tuple[tuple[Line, ...], ...], ...]
    rank: tuple[int, ...]
    changed: int
    _pieces: tuple[tuple[_Weighed, ...], ...]

    @property
    def risks(self) -> Mapping[str, tuple[Risk, ...]]:
        """The risks by path; of a path with several sections (a file that becomes a link), those of all."""
        found: dict[str, list[Risk]] = {}
        for item in self.files:
            if item.risks:
                found.setdefault(item.file.path, []).extend(item.risks)
        return {path: tuple(risks) for path, risks in found.items()}

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds by path; where the sections of a path differ, it is as good as written by people."""
        found: dict[str, Kind] = {}
        for item in self.files:
            same = found.setdefault(item.file.path, item.kind) == item.kind
            found[item.file.path] = item.kind if same else "source"
        return found

    def pieces(self) -> Iterator[Piece]:
        """Yield every piece, in the order of the diff."""
        for found in self._pieces:
            for weighed in found:
                yield weighed.piece

    def steps(self) -> Iterator[Step]:
        """Yield what to show, the most telling first."""
        prose: frozenset[Kind] = ASIDE | {"docs"}
        ours = [n for n in self.rank if self.files[n].kind not in prose and self._pieces[n]]
        docs = [n for n in self.rank if self.files[n].kind == "docs" and self._pieces[n]]
        aside = [n for n in self.rank if self.files[n].kind in ASIDE]
        yield from self._risky(LEVELS["critical"], _FLOOD)
        yield from self._files(ours)
        yield from self._risky(LEVELS["high"], _FLOOD)
        yield from self._hunks(ours, _GLANCE)
        yield from self._risky(LEVELS["low"])
        yield from self._hunks(ours, _GIST)
        yield from self._files(docs)
        yield from (Step(n) for n in self.rank)
        yield from self._hunks([*docs, *aside], _GLANCE)
        yield from self._whole([*ours, *docs])
        yield from self._whole(aside)
        yield from self._context([*ours, *docs])

    def _risky(self, level: int, most: int | None = None) -> Iterator[Step]:
        """Yield the risky lines of pieces with a line of at least ``level``, of each file's ``most`` telling ones."""
        for weighed in _ranked(
            piece
            for found in self._pieces
            for piece in _ranked(piece for piece in found if max(piece.levels) >= level)[:most]
        ):
            piece = weighed.piece
            risky = [piece.start + at for at, known in enumerate(weighed.levels) if known]
            yield Step(piece.file, piece.hunk, _joined(risky), piece)

    def _files(self, files: Sequence[int]) -> Iterator[Step]:
        for n in files:
            best = max(self._pieces[n], key=lambda weighed: weighed.best)
            yield Step(n, best.piece.hunk, self._gist(best, _GLANCE), best.piece)

    def _hunks(self, files: Sequence[int], most: int) -> Iterator[Step]:
        """Yield ``most`` lines of a side of every hunk: the most telling first, and of those the shortest."""
        best: dict[tuple[int, int], _Weighed] = {}
        for n in files:
            for weighed in self._pieces[n]:
                at = n, weighed.piece.hunk
                if at not in best or weighed.best > best[at].best:
                    best[at] = weighed
        steps = []
        for weighed in best.values():
            piece = weighed.piece
            gist = self._gist(weighed, most)
            lines = self.lines[piece.file][piece.hunk]
            width = _HEADER_WIDTH + sum(_LINE_WIDTH + len(lines[at].text) for at in gist)
            steps.append((-weighed.best / math.sqrt(width), Step(piece.file, piece.hunk, gist, piece)))
        yield from (step for _, step in sorted(steps, key=itemgetter(0)))

    def _gist(self, weighed: _Weighed, most: int) -> tuple[int, ...]:
        """Return the most telling line of a piece and those that follow it, up to ``most``, and as many of those that
        they replace or are replaced by."""
        piece = weighed.piece
        lines = self.lines[piece.file][piece.hunk]
        best = piece.start + max(range(len(weighed.worths)), key=weighed.worths.__getitem__)
        removed = [at for at in range(piece.start, piece.end) if lines[at].sign == "-"]
        added = [at for at in range(piece.start, piece.end) if lines[at].sign == "+"]
        place = (removed if lines[best].sign == "-" else added).index(best)
        return (*removed[place : place + most], *added[place : place + most])

    def _whole(self, files: Sequence[int]) -> Iterator[Step]:
        for weighed in _ranked(piece for n in files for piece in self._pieces[n]):
            piece = weighed.piece
            yield Step(piece.file, piece.hunk, tuple(range(piece.start, piece.end)), piece, whole=True)

    def _context(self, files: Sequence[int]) -> Iterator[Step]:
        for n in files:
            for hunk, lines in enumerate(self.lines[n]):
                near = {
                    at + by
                    for at, line in enumerate(lines)
                    if line.sign != " "
                    for by in range(-_CONTEXT, _CONTEXT + 1)
                    if 0 <= at + by < len(lines) and lines[at + by].sign == " "
                }
                for at in sorted(near):
                    yield Step(n, hunk, (at,))


def plan(files: Sequence[Assessed]) -> Plan:
    """Return the plan for ``files``: everything that does not depend on a budget."""
    lines = tuple(tuple(tuple(hunk.lines()) for hunk in item.file.hunks) for item in files)
    pieces = tuple(tuple(_weigh(n, item, lines[n])) for n, item in enumerate(files))
    scores = [max((piece.score for piece in found), default=0.0) for found in pieces]
    rank = tuple(sorted(range(len(files)), key=lambda n: (-scores[n], n)))
    changed = sum(piece.piece.end - piece.piece.start for found in pieces for piece in found)
    return Plan(tuple(files), lines, rank, changed, pieces)


def _weigh(n: int, item: Assessed, hunks: Sequence[Sequence[Line]]) -> Iterator[_Weighed]:
    stakes = Stakes.of(item.risks)
    for number, lines in enumerate(hunks):
        for piece in cut(n, number, lines):
            changed = lines[piece.start : piece.end]
            levels = tuple(stakes.level(line) for line in changed)
            worths = tuple(worth(line, level, item.kind) for line, level in zip(changed, levels, strict=True))
            best = max(worths)
            yield _Weighed(piece, worths, levels, best, best + 0.1 * sum(worths))


def _ranked(pieces: Iterable[_Weighed]) -> list[_Weighed]:
    return sorted(pieces, key=lambda weighed: -weighed.score)


def _joined(lines: Sequence[int]) -> tuple[int, ...]:
    """Return ``lines`` with small gaps between them filled."""
    out: list[int] = []
    for at in lines:
        out += range(out[-1] + 1, at) if out and at - out[-1] - 1 <= _GAP else ()
        out.append(at)
    return tuple(out)
