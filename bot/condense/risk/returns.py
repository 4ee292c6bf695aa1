"""Which removals are none, because what was removed came back in the same file.

The same words elsewhere are no return: they must stand within the same lines as before. In a comment they say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, NamedTuple

from bot.condense.diff.patch import Line
from bot.condense.risk.comments import Marks
from bot.condense.risk.rule import WIDTH, Gone
from bot.condense.risk.scopes import OTHER, Scope, Scopes

_KIND: Final = re.compile(r"[\s\-{,\"']*kind[\"']?\s*[:=]")


class Mention(NamedTuple):
    """What a rule for removals found on a changed line: ``text``, at a ``place`` in a hunk. ``number`` is its name."""

    number: int
    hunk: int
    place: int
    line: Line
    rule: Gone
    text: str


class _Placed(NamedTuple):
    mention: Mention
    scope: Scope
    code: str
    renamed: bool
    """Whether nothing on the other side is called like the changed lines that enclose it."""


def came_back(scopes: Scopes, mentions: Sequence[Mention], marks: Marks) -> set[int]:
    """Return the numbers of the removals that came back, and of the additions they came back as; one for one.

    A line came back in its hunk if the same was added within the same lines, or within changed lines of the same
    unchanged one that have no namesake on the other side: something renamed. In another hunk, if the whole line was
    added within lines that are the same from the outermost on.
    """
    if len({mention.line.sign for mention in mentions}) < 2:
        return set()
    placed = _place(scopes, mentions, marks)
    back: set[int] = set()
    for stage in (_same_place, _same_renamed, _same_path):
        added: dict[Hashable, list[int]] = {}
        for item in placed:
            key = stage(item)
            if item.mention.line.sign == "+" and item.mention.number not in back and key is not None:
                added.setdefault(key, []).append(item.mention.number)
        for item in placed:
            twins = added.get(stage(item)) if item.mention.line.sign == "-" else None
            if twins and item.mention.number not in back:
                back |= {item.mention.number, twins.pop()}
    return back


def _place(scopes: Scopes, mentions: Iterable[Mention], marks: Marks) -> list[_Placed]:
    found: list[_Placed] = []
    for mention in mentions:
        sides = scopes.sides(mention.hunk)
        sign, code = mention.line.sign, marks.code(mention.line.text[:WIDTH])
        if sign == "+" and (mention.place in sides[sign].commented_out or not re.search(mention.rule.pattern, code)):
            continue
        scope = sides[sign][mention.place]
        renamed = not scope.chain or scope.chain not in sides[OTHER[sign]].chains
        found.append(_Placed(mention, scope, code.strip(), renamed))
    return found


def _same_place(item: _Placed) -> Hashable:
    mention, scope = item.mention, item.scope
    return mention.rule.id, mention.text, mention.hunk, scope.anchor, scope.chain, _object(item)


def _same_renamed(item: _Placed) -> Hashable | None:
    mention, scope = item.mention, item.scope
    return (mention.rule.id, mention.text, mention.hunk, scope.anchor, _object(item)) if item.renamed else None


def _same_path(item: _Placed) -> Hashable | None:
    path = item.scope.path
    return None if path is None else (item.mention.rule.id, item.code, path, _object(item))


def _object(item: _Placed) -> str:
    """Return whose kind a line tells: an object with another name is another object."""
    return item.scope.name if _KIND.match(item.mention.line.text[:WIDTH]) else ""
