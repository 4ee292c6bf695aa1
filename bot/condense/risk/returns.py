"""Which removals are none, because what was removed came back in the same file.

The same words elsewhere are no return: they must stand within the same lines as before, and do there what they did. In
a comment, a quotation or a docstring they say nothing, under a condition that is never met they do nothing, and a key
that is left with no value is gone.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from bot.condense.diff.patch import Line
from bot.condense.risk.comments import Marks
from bot.condense.risk.literals import quoted
from bot.condense.risk.rule import WIDTH, Gone
from bot.condense.risk.scopes import OTHER, Scope, Scopes, Side

DATA: Final = re.compile(r"\.(?:ya?ml|json|tpl|jsonnet|libsonnet|gotmpl|cue|tf|tfvars|tofu|hcl|toml|rules)$", re.I)
"""Files that declare: there a key under another one is another thing, and so is a value of another key."""
OPENS: Final = re.compile(r"[:{\[]\s*$")
"""A line whose value stands below it."""
_LEAD: Final = re.compile(r"(?<![\w.\-/])([\w.\-/]+)[\"']?\s*[:=](?=[\s\"'\[{])")
_HOLDER: Final = re.compile(r"^[\s\-\"']*([\w.\-/]+)[\"']?\s*[:=]")
_CLOSED: Final = re.compile(r"\{[^{}]*\}")
_OPEN: Final = re.compile(r"(?<![\w.\-/])([\w.\-/]+)[\"']?\s*[:=]\s*\{[^{}]*$")
_EMPTY: Final = re.compile(r"[\"']?\s*[:=]?\s*(?:null|~|\{\s*\}|\[\s*\]|\"\"|'')\s*(?:[,}\]].*)?$")
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
    depth: int
    """How many changed lines enclose it, where that makes it another thing."""
    said: bool
    """Whether it is only said: text, and no key or statement."""
    empty: bool
    key: str
    """What it is the value of."""
    braces: int
    """How many maps written within its line it stands in."""


def came_back(scopes: Scopes, mentions: Sequence[Mention], marks: Marks) -> set[int]:
    """Return the numbers of the removals that came back, and of the additions they came back as; one for one.

    A line came back in its hunk if the same was added within the same lines, or within changed lines of the same
    unchanged one that have no namesake on the other side: something renamed. In another hunk, if the whole line was
    added within lines that are the same from the outermost on. A map may be written within a line, or as lines.
    """
    if len({mention.line.sign for mention in mentions}) < 2:
        return set()
    placed = _place(scopes, mentions, marks, data=DATA.search(scopes.path) is not None)
    back: set[int] = set()
    for stage in (_same_place, _same_renamed, _same_path, _same_inline):
        added: dict[Hashable, list[int]] = {}
        for item in placed:
            key = stage(item)
            if item.mention.line.sign == "+" and item.mention.number not in back and key is not None:
                for kind in _stands_for(item):
                    added.setdefault((key, kind), []).append(item.mention.number)
        for item in placed:
            if item.mention.line.sign == "+" or item.mention.number in back:
                continue
            twins = added.get((stage(item), (item.said, item.empty)), [])
            while twins and twins[-1] in back:
                twins.pop()
            if twins:
                back |= {item.mention.number, twins.pop()}
    return back


def emptied(sides: Mapping[str, Side], at: int) -> int | None:
    """Return the place of the first line that was removed from below a line that stayed and has nothing left, or None.

    What is left of a key that lost its value is no more than its name.
    """
    child = sides["-"].first_child(at)
    return child if child is not None and sides["+"].first_child(at) is None else None


def _place(scopes: Scopes, mentions: Iterable[Mention], marks: Marks, *, data: bool) -> list[_Placed]:
    found: list[_Placed] = []
    for mention in mentions:
        sides = scopes.sides(mention.hunk)
        sign, code = mention.line.sign, marks.code(mention.line.text[:WIDTH])
        match = re.search(mention.rule.pattern, code)
        if sign == "+" and (mention.place in sides[sign].commented_out or not match or _barred(mention, sides[sign])):
            continue
        scope = sides[sign][mention.place]
        renamed = not scope.chain or scope.chain not in sides[OTHER[sign]].chains
        begins = match.start(match.re.groups and 1) if match else 0
        said = mention.place in sides[sign].texts or quoted(code, begins, words=data)
        left = code[match.end() :] if match else ""
        empty = data and _is_empty(left, code, sides[sign], mention.place)
        key = _key(code[:begins]) if data else ""
        braces = max(0, code.count("{", 0, begins) - code.count("}", 0, begins)) if data else 0
        found.append(
            _Placed(mention, scope, code.strip(), renamed, scope.deep if data else 0, said, empty, key, braces)
        )
    return found


def _key(before: str) -> str:
    """Return the key of what follows this beginning of a line: the one whose value it is, or in whose map it stands."""
    if before.rstrip(" \"'").endswith(("{", ",")):
        while before != (open_only := _CLOSED.sub("", before)):
            before = open_only
        if found := _OPEN.search(before):
            return found[1]
    return "".join(_LEAD.findall(before)[-1:])


def _barred(mention: Mention, side: Side) -> bool:
    barrier = mention.rule.beyond
    return barrier is not None and any(re.search(barrier, text) for text in side.enclosing(mention.place))


def _is_empty(left: str, code: str, side: Side, at: int) -> bool:
    if OPENS.search(code):
        return side.first_child(at) is None
    return _EMPTY.fullmatch(left) is not None


def _stands_for(item: _Placed) -> set[tuple[bool, bool]]:
    """Return what an addition can be the return of: what is said is no return of what was done, nor an empty value of
    a full one."""
    return {(said, empty) for said in (item.said, True) for empty in (item.empty, True)}


def _same_place(item: _Placed) -> Hashable:
    mention, scope = item.mention, item.scope
    return mention.rule.id, mention.text, mention.hunk, scope.anchor, scope.chain, _object(item), item.key


def _same_renamed(item: _Placed) -> Hashable | None:
    mention, scope = item.mention, item.scope
    alike = mention.rule.id, mention.text, mention.hunk, scope.anchor, _object(item), item.key, item.depth
    return alike if item.renamed else None


def _same_path(item: _Placed) -> Hashable | None:
    path = item.scope.path
    return None if path is None else (item.mention.rule.id, item.code, path, _object(item), item.key)


def _same_inline(item: _Placed) -> Hashable | None:
    """The same under a key of the same name: a map within a line is what its lines were, and the other way round."""
    mention, scope = item.mention, item.scope
    holder = item.key or "".join(_HOLDER.findall(scope.parent))
    alike = mention.rule.id, mention.text, mention.hunk, scope.anchor, _object(item), holder
    return (*alike, item.depth + item.braces) if item.renamed and holder else None


def _object(item: _Placed) -> str:
    """Return whose kind a line tells: an object with another name is another object."""
    return item.scope.name if _KIND.match(item.mention.line.text[:WIDTH]) else ""
