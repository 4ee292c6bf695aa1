"""Run the rules that fit a file over its changed lines.

A rule sees one line at a time, at most ``WIDTH`` characters of it, and no line that is all comment. A removal is only
told where what was removed did not come back, so moved lines are no news.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

import re2

from bot.condense.diff.patch import FilePatch, Line
from bot.condense.risk import (
    code,
    codeowners,
    dockerfile,
    github_actions,
    helm,
    kubernetes,
    kustomize,
    migrations,
    prometheus,
    returns,
    sql,
    terraform,
)
from bot.condense.risk.comments import Marks
from bot.condense.risk.moves import moved_away
from bot.condense.risk.rule import WIDTH, Added, Changed, Gone, Risk, Rule, Touched
from bot.condense.risk.scopes import Scopes

FAMILIES: Final = (
    github_actions,
    kubernetes,
    helm,
    kustomize,
    prometheus,
    terraform,
    dockerfile,
    migrations,
    sql,
    codeowners,
    code,
)


class _Hit(NamedTuple):
    hunk: int
    place: int
    line: Line
    rule: Rule
    found: re.Match[str]


def assess(file: FilePatch) -> tuple[Risk, ...]:
    """Return the risks of a file's change: of the whole file, line by line, and last those of emptied keys."""
    paths = (file.path, file.old_path or file.path)
    families = tuple(n for n, family in enumerate(FAMILIES) if any(family.PATHS.search(path) for path in paths))
    away = moved_away(file)
    if not families:
        return away
    finder = _finder(families)
    marks = Marks.of(file.path)
    hits = [
        _Hit(number, place, line, rule, found)
        for number, hunk in enumerate(file.hunks)
        for place, line in enumerate(hunk.lines())
        if line.sign != " "
        for rule, found in finder.find(line.text[:WIDTH])
        if isinstance(rule, Touched) or not marks.comment(line.text[:WIDTH])
    ]
    risks = list(away)
    scopes = Scopes(file, marks)
    came_back = returns.came_back(
        scopes,
        [
            returns.Mention(at, hit.hunk, hit.place, hit.line, hit.rule, hit.found[hit.found.re.groups and 1].strip())
            for at, hit in enumerate(hits)
            if isinstance(hit.rule, Gone)
        ],
        marks,
    )
    worse = _worse(hits)
    if returns.DATA.search(file.path):
        risks += _emptied(file, finder, marks, scopes)
    for at, hit in enumerate(hits):
        _, _, line, rule, found = hit
        match rule:
            case Added():
                tell = line.sign == "+" and _in_place(hit, rule, scopes)
            case Gone():
                tell = line.sign == "-" and at not in came_back and _left_alone(hit, rule, scopes)
            case Changed():
                tell = at in worse
            case _:
                tell = True
        if tell and line.sign != " ":
            message = rule.message.format(key=found[1]) if isinstance(rule, Changed) else rule.message
            risks.append(Risk(rule.id, rule.severity, message, line.sign, line.new or line.old or 0))
    return tuple(dict.fromkeys(risks))


def _emptied(file: FilePatch, finder: _Finder, marks: Marks, scopes: Scopes) -> Iterator[Risk]:
    """Yield what the rules for removals tell of keys that stayed and lost all they had, at the first line of that."""
    for number, hunk in enumerate(file.hunks):
        lines = tuple(hunk.lines())
        for at, line in enumerate(lines[:-1]):
            if line.sign != " " or lines[at + 1].sign == " " or not returns.OPENS.search(marks.code(line.text[:WIDTH])):
                continue
            sides = scopes.sides(number)
            child = returns.emptied(sides, at)
            if child is None or lines[child].sign != "-":
                continue
            for rule, _ in finder.find(marks.code(line.text[:WIDTH])):
                inside = sides["-"][at].parent
                if isinstance(rule, Gone) and (rule.within is None or re.search(rule.within, inside)):
                    yield Risk(rule.id, rule.severity, rule.message, "-", lines[child].old or 0)


def _in_place(hit: _Hit, rule: Added, scopes: Scopes) -> bool:
    """Whether an added line stands where its rule says that it must."""
    if rule.within is rule.inside is rule.beyond is rule.unless is None:
        return True
    after = scopes.sides(hit.hunk)["+"]
    enclosing = tuple(after.enclosing(hit.place))
    return (
        (rule.within is None or re.search(rule.within, after[hit.place].parent) is not None)
        and (rule.inside is None or any(re.search(rule.inside, text) for text in (hit.line.text[:WIDTH], *enclosing)))
        and (rule.beyond is None or not any(re.search(rule.beyond, text) for text in enclosing))
        and (rule.unless is None or not re.search(rule.unless, after.statement(hit.place)))
    )


def _left_alone(hit: _Hit, rule: Gone, scopes: Scopes) -> bool:
    """Whether what enclosed a removed line stayed, and is what its rule says that it must be."""
    if rule.within is rule.through is None:
        return True
    sides = scopes.sides(hit.hunk)
    if rule.through is not None:
        return all(re.search(rule.through, text) for text in sides["-"].changed_around(hit.place))
    scope = sides["-"][hit.place]
    stayed = not scope.chain or scope.chain in sides["+"].chains
    return stayed and re.search(rule.within or "", scope.parent) is not None


class _Finder:
    """Several families' rules as one set: every rule that matches a line is found in one linear pass."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = [(rule, re.compile(rule.pattern)) for rule in rules]
        self._set = re2.Set.SearchSet()
        for rule in rules:
            self._set.Add(rule.pattern)
        self._set.Compile()

    def find(self, text: str) -> Iterator[tuple[Rule, re.Match[str]]]:
        """Yield the rules that match ``text``, in their order, each with its first match."""
        for at in sorted(self._set.Match(text.encode("utf-8", "replace")) or ()):
            rule, pattern = self._rules[at]
            if found := pattern.search(text):
                yield rule, found


@cache
def _finder(families: tuple[int, ...]) -> _Finder:
    return _Finder(tuple(rule for n in families for rule in FAMILIES[n].RULES))


def _worse(hits: list[_Hit]) -> set[int]:
    """Return the added lines with a value that is worse than the one it replaces: the n-th of a key for the n-th."""
    removed: dict[tuple[object, ...], deque[str]] = {}
    worse: set[int] = set()
    for signs in ("-", "+"):
        for at, hit in enumerate(hits):
            if not isinstance(hit.rule, Changed) or hit.line.sign != signs:
                continue
            key = (hit.rule.id, hit.hunk, hit.found[1])
            if hit.line.sign == "-":
                removed.setdefault(key, deque()).append(hit.found[2])
            elif removed.get(key) and hit.rule.worse(removed[key].popleft(), hit.found[2]):
                worse.add(at)
    return worse
