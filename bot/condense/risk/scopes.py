"""Where a line of a hunk stands: which lines enclose it, read off the indentation on its side of the change.

The same words under another key are another thing: a probe of another container, a guard of another resource. Lines
that enclose nothing (blanks, comments, closing brackets, a template's own statements) are passed over, and ``---``
begins another document, known by its object's name.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Literal, NamedTuple

from bot.condense.diff.patch import FilePatch, Line, Sign
from bot.condense.risk.comments import Marks
from bot.condense.risk.literals import void, within_texts
from bot.condense.risk.rule import WIDTH

_ENCLOSES_NOTHING = re.compile(r"\{\{.*|[)\]}].*|[^\w\"']*", re.DOTALL)
_METADATA = re.compile(r"[\s\-{,\"']*metadata[\"']?\s*:[\s{]*")
_NAME = re.compile(r"[\s\-{,\"']*name[\"']?\s*:\s*[\"']?([^\s\"',}]+)")
_TELLING = re.compile(r"\w+\W+\w+")
_ENDS = re.compile(r";|[\"'`]\s*\)|\"\"\"")
_STEERS = re.compile(r"\{\{-?\s*(?:if|else|end|with|range|/\*)")
_STATEMENT: Final = 40
"""Lines of a statement that are read."""
_TOP: Final = -1

OTHER: Final[Mapping[Sign, Sign]] = {"+": "-", "-": "+"}
"""The signs of changed lines, each with the other side's."""

Anchor = tuple[Literal["line", "top"], int]


class Scope(NamedTuple):
    """What encloses a line.

    ``anchor`` is the nearest enclosing line that did not change, by its place in the hunk; where none is shown, how far
    the outermost that is shown is indented. ``chain`` stands for the changed lines between that one and the line
    (0: there are none), ``path`` for all enclosing lines from the outermost on, None where the hunk does not show it.
    Equal texts have equal numbers. ``parent`` is the text of the nearest one, ``name`` that of the object whose field
    the line is, as far as the hunk shows them. ``deep`` counts the lines of the chain.
    """

    anchor: Anchor
    chain: int
    path: int | None
    parent: str
    name: str
    deep: int = 0


class Scopes:
    """The scopes of one file's lines, hunk by hunk; numbers of chains and paths are comparable among them."""

    def __init__(self, file: FilePatch, marks: Marks) -> None:
        self._hunks, self.marks, self.path = file.hunks, marks, file.path
        self._numbers: dict[tuple[int, str], int] = {}
        self._sides: dict[int, Mapping[str, Side]] = {}

    def sides(self, hunk: int) -> Mapping[str, Side]:
        """Return the two sides of a hunk, by the sign of the lines that only that one has."""
        if hunk not in self._sides:
            lines = tuple(self._hunks[hunk].lines())
            self._sides[hunk] = {
                sign: Side(self, self._hunks[hunk].heading, lines, other) for sign, other in OTHER.items()
            }
        return self._sides[hunk]

    def number(self, outer: int, text: str) -> int:
        """Return the number of the chain that is ``outer`` and then a line of this text."""
        return self._numbers.setdefault((outer, text), len(self._numbers) + 1)

    def encloses(self, text: str) -> bool:
        """Whether lines that are indented further may belong to this one."""
        text = text[:WIDTH]
        return not _ENCLOSES_NOTHING.fullmatch(text.lstrip()) and not self.marks.comment(text)


class Side:
    """One side of a hunk: its lines' scopes by their place in the hunk, and the chains that changed lines make."""

    def __init__(self, among: Scopes, heading: str, lines: Sequence[Line], gone: Sign) -> None:
        self.chains: set[int] = set()
        self._among, self._lines, self._gone = among, lines, gone
        self._scopes: dict[int, Scope] = {}
        self._heading = heading
        self._outer = parents = self._parents(gone)
        names = self._names(parents)
        inner: dict[int, Scope] = {}
        """What holds within a line, by its place."""
        for at, parent in parents.items():
            outer = inner.get(parent) or self._outermost(at, parent, names, heading)
            name = names.get(parent) or names.get(at, "")
            self._scopes[at] = outer._replace(name=name)
            text = lines[at].text.strip()
            changed = lines[at].sign != " "
            chain = among.number(outer.chain, text) if changed else 0
            if changed and among.encloses(lines[at].text):
                self.chains.add(chain)
            inner[at] = Scope(
                outer.anchor if changed else ("line", at),
                chain,
                None if outer.path is None else among.number(outer.path, text),
                text,
                "",
                outer.deep + 1 if changed else 0,
            )

    def __getitem__(self, at: int) -> Scope:
        return self._scopes[at]

    def enclosing(self, at: int) -> Iterator[str]:
        """Yield the lines that enclose a line, the nearest first; last what git says stands above the hunk."""
        while (at := self._outer[at]) >= 0:
            yield self._lines[at].text.strip()
        yield self._heading.strip()

    def changed_around(self, at: int) -> Iterator[str]:
        """Yield those of the lines that enclose a line that are on this side alone, the nearest first."""
        while (at := self._outer[at]) >= 0:
            if self._lines[at].sign != " ":
                yield self._lines[at].text.strip()

    @cached_property
    def commented_out(self) -> frozenset[int]:
        """The places of lines that may stand within a comment that began above them."""
        ours = [at for at, line in enumerate(self._lines) if line.sign != self._gone]
        out = self._among.marks.commented_out(self._lines[at].text[:WIDTH] for at in ours)
        return frozenset(at for at, commented in zip(ours, out, strict=True) if commented)

    @cached_property
    def texts(self) -> frozenset[int]:
        """The places of lines that are text and do nothing: those of a string, or of what never runs."""
        ours = [at for at, line in enumerate(self._lines) if line.sign != self._gone]
        inside = within_texts(self._among.path, [self._lines[at].text[:WIDTH] for at in ours])
        held: dict[int, bool] = {}
        for at in ours:
            outer = self._outer[at]
            held[at] = (
                held[outer] or void(self._lines[outer].text.strip()) if outer >= 0 else void(self._heading.strip())
            )
        return frozenset(at for n, at in enumerate(ours) if n in inside or held[at])

    def first_child(self, at: int) -> int | None:
        """Return the place of the first line that a line encloses, or None where it is seen to enclose none.

        A template's value counts as one, wherever it stands; at the end of what a hunk shows, the file ends.
        """
        depth = _depth(self._lines[at].text)
        for place in range(at + 1, len(self._lines)):
            line = self._lines[place]
            bare = line.text.strip()
            if line.sign == self._gone or not bare or self._among.marks.comment(line.text) or _STEERS.match(bare):
                continue
            return place if _depth(line.text) > depth or bare.startswith("{{") else None
        return None

    def statement(self, at: int) -> str:
        """Return the text from a line to the end of its statement, as far as the hunk shows it."""
        said = []
        for line in self._lines[at : at + _STATEMENT]:
            if line.sign != self._gone:
                said.append(line.text[:WIDTH])
                if _ENDS.search(said[-1]):
                    break
        return "\n".join(said)

    def _parents(self, gone: str) -> dict[int, int]:
        """Return the place of the line that encloses each line; below zero where none does, a number a document."""
        found: dict[int, int] = {}
        depths: list[int] = []
        places: list[int] = []
        top = _TOP
        for at, line in enumerate(self._lines):
            if line.sign == gone:
                continue
            if line.text.rstrip() == "---":
                depths, places, top = [], [], top - 1
            depth = _depth(line.text)
            outer = bisect_left(depths, depth)
            found[at] = places[outer - 1] if outer else top
            if self._among.encloses(line.text):
                del depths[outer:], places[outer:]
                depths.append(depth)
                places.append(at)
        return found

    def _names(self, parents: dict[int, int]) -> dict[int, str]:
        """Return the names of objects, by the place of the line that encloses their fields, or of their document."""
        names: dict[int, str] = {}
        for at, parent in parents.items():
            inside = parent >= 0 and _METADATA.fullmatch(self._lines[parent].text)
            if inside and (found := _NAME.match(self._lines[at].text[:WIDTH])):
                names.setdefault(parents[parent], found[1])
        return names

    def _outermost(self, at: int, parent: int, names: dict[int, str], heading: str) -> Scope:
        """Return the scope of a line that no line of the hunk encloses."""
        depth = _depth(self._lines[at].text)
        name = names.get(parent)
        chain = self._among.number(0, f"--- {name}") if name else 0
        path: int | None = None
        if depth == 0:
            path = chain
        elif _TELLING.search(heading):
            path = self._among.number(chain, heading.strip())
        if chain:
            self.chains.add(chain)
        return Scope(("top", depth), chain, path, "", name or "")


def _depth(text: str) -> int:
    """Return how deep a line stands: an item of a list is deeper than the key that has the list."""
    bare = text.lstrip(" \t")
    return 2 * (len(text) - len(bare)) + bare.startswith(("- ", "-\t"))
