"""Group shapes into templates: find the words that vary by comparing shapes that are otherwise equal.

A place varies if enough different words were seen in it (``WORDS``), fewer behind a noun that announces a name (``user
root``), two where a word looks like a name rather than a word (a path, a dotted or hyphenated name), and one beside a
star. Exceptions, constants and truth values are what messages differ by; they never vary on thin evidence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.condense.logs.shape import STAR, Shape

WORDS: Final = 5
"""Different words that prove a place variable."""
NAMES: Final = 3
"""The same behind one of ``_ANNOUNCE``."""
SPARSE: Final = 2 * WORDS
"""Shapes that prove several places variable at once."""
ROUNDS: Final = 6
WIDEST: Final = 120
"""Longer shapes are compared as a whole only, since every place of a shape costs time."""

_ANNOUNCE: Final = {
    *("user", "username", "account", "group", "member", "host", "hostname", "node", "device", "interface"),
    *("service", "pod", "container", "namespace", "process", "task", "job", "component", "module", "plugin", "package"),
    *("topic", "queue", "table", "database", "file", "image", "from", "by", "for"),
}
_TRUTH: Final = {"true", "false", "null", "none", "nil", "yes", "no", "on", "off", "enabled", "disabled"}
_NAME_LIKE = re.compile(r"[./\\@]|[A-Za-z]-[A-Za-z].*-")
_FAULT = re.compile(r"(?:Exception|Error|Failure|Throwable)\b")
_CONSTANT = re.compile(r"[A-Z][A-Z_]+$")


@dataclass(slots=True)
class _Group:
    soft: tuple[bool, ...]
    members: list[Shape]


def group(shapes: Iterable[Shape], *, coarse: bool = False) -> dict[Shape, Shape]:
    """Map each shape to the template it belongs to; one that resembles no other maps to itself.

    A template is a shape with more stars. ``coarse`` joins also messages that have but a word in common, for memory's
    sake. Deterministic for a given order of shapes.
    """
    groups: dict[Shape, _Group] = {}
    for shape in shapes:
        if shape not in groups:
            groups[shape] = _Group(_soft(shape), [shape])
    groups = _join_names(groups)
    for _ in range(ROUNDS):
        if not _join_holes(groups):
            break
        groups = _join_names(groups)
    groups = _join_columns(groups, coarse=coarse)
    _join_empty(groups)
    return {member: template for template, found in groups.items() for member in found.members}


def _is_word(token: str) -> bool:
    return token[0].isalnum() or token[0] == "_"


def _soft(shape: Shape) -> tuple[bool, ...]:
    """Say which places hold a star or a word that looks like a name."""
    first = next((i for i, token in enumerate(shape) if _is_word(token)), 0)
    return tuple(
        token == STAR
        or (
            i > first
            and _is_word(token)
            and _NAME_LIKE.search(token) is not None
            and not _FAULT.search(token)
            and not _CONSTANT.search(token)
        )
        for i, token in enumerate(shape)
    )


def _join_names(groups: dict[Shape, _Group]) -> dict[Shape, _Group]:
    """Join shapes that differ only in names and stars, and in values behind ``=`` where one of them is such."""
    alike: dict[Shape, list[Shape]] = defaultdict(list)
    for shape, found in groups.items():
        soft = found.soft
        alike[
            tuple(
                "" if soft[i] or (i and shape[i - 1] == "=" and _is_word(token)) else token
                for i, token in enumerate(shape)
            )
        ].append(shape)
    joined: dict[Shape, _Group] = {}
    for frame, shapes in alike.items():
        if len(shapes) == 1:
            joined[shapes[0]] = groups[shapes[0]]
            continue
        varies = tuple(token == "" and any(groups[shape].soft[i] for shape in shapes) for i, token in enumerate(frame))
        parts: dict[Shape, list[Shape]] = defaultdict(list)
        for shape in shapes:
            parts[tuple(token for token, free in zip(shape, varies, strict=True) if not free)].append(shape)
        for part in parts.values():
            first = part[0]
            template = tuple(
                STAR if varies[i] and any(shape[i] != token for shape in part) else token
                for i, token in enumerate(first)
            )
            members = [member for shape in part for member in groups[shape].members]
            if template in joined:
                joined[template].members.extend(members)
            else:
                joined[template] = _Group(varies, members)
    return joined


def _join_holes(groups: dict[Shape, _Group]) -> bool:
    """Join shapes that differ in one place, where the words seen there prove it variable. Return whether any did."""
    holes: dict[int, list[tuple[Shape, int]]] = defaultdict(list)
    for shape in groups:
        if len(shape) > WIDEST:
            continue
        parts = [hash((i, token)) for i, token in enumerate(shape)]
        whole = sum(parts)
        for i, token in enumerate(shape):
            if token == STAR or token[0] == '"' or _is_word(token):
                holes[hash((whole - parts[i], i, len(shape)))].append((shape, i))
    changed = False
    for found in holes.values():
        if len(found) < 2:
            continue
        alike = [(shape, i) for shape, i in found if shape in groups]
        if len(alike) < 2 or not _proves(groups, alike):
            continue
        first, place = alike[0]
        template = (*first[:place], STAR, *first[place + 1 :])
        soft = tuple(free or i == place for i, free in enumerate(groups[first].soft))
        members = [member for shape, _ in alike for member in groups.pop(shape).members]
        if template in groups:
            groups[template].members.extend(members)
        else:
            groups[template] = _Group(soft, members)
        changed = True
    return changed


def _proves(groups: dict[Shape, _Group], alike: list[tuple[Shape, int]]) -> bool:
    first, place = alike[0]
    context = sum(1 for i, token in enumerate(first) if i != place and _is_word(token))
    words = {shape[place] for shape, _ in alike}
    telling = {word for word in words if word != STAR and word.lower() not in _TRUTH}
    if context and telling and any(groups[shape].soft[place] for shape, _ in alike):
        return True
    before = place - 1
    while before >= 0 and first[before] == " ":
        before -= 1
    announced = before >= 0 and first[before].lower() in _ANNOUNCE and not all(map(_CONSTANT.match, telling))
    return context >= 2 and place > 0 and len(telling) >= (NAMES if announced else WORDS)


def _join_columns(groups: dict[Shape, _Group], *, coarse: bool) -> dict[Shape, _Group]:
    """Join shapes that differ in several places at once, where each of these places holds hardly a word twice."""
    frames: dict[Shape, list[Shape]] = defaultdict(list)
    joined: dict[Shape, _Group] = {}
    for shape, found in groups.items():
        if len(shape) <= WIDEST:
            frames[tuple("" if _is_word(token) else token for token in shape)].append(shape)
        else:
            joined[shape] = found
    for frame, shapes in frames.items():
        columns = [i for i, token in enumerate(frame) if not token]
        for template, alike in _columns(shapes, columns, most=len(columns) - 1 if coarse else len(columns) // 2):
            members = [member for shape in alike for member in groups[shape].members]
            if template in joined:
                joined[template].members.extend(members)
            else:
                joined[template] = _Group(groups[alike[0]].soft, members)
    return joined


def _columns(shapes: list[Shape], columns: list[int], *, most: int) -> Iterator[tuple[Shape, list[Shape]]]:
    """Split shapes of one frame until in each part a column either holds one word or proves variable."""
    waiting = [shapes]
    while waiting:
        part = waiting.pop()
        if len(part) < SPARSE:
            yield from ((shape, [shape]) for shape in part)
            continue
        words = {i: len({shape[i] for shape in part}) for i in columns}
        free = {i for i, different in words.items() if different * 2 >= len(part)}
        mixed = [i for i, different in words.items() if i not in free and different > 1]
        if mixed:
            by = min(mixed, key=words.__getitem__)
            parts: dict[str, list[Shape]] = defaultdict(list)
            for shape in part:
                parts[shape[by]].append(shape)
            waiting.extend(parts.values())
        elif free and len(free) <= most:
            yield tuple(STAR if i in free else token for i, token in enumerate(part[0])), part
        else:
            yield from ((shape, [shape]) for shape in part)


def _join_empty(groups: dict[Shape, _Group]) -> None:
    """Join ``f()`` and ``host=`` to ``f(*)`` and ``host=*``."""
    for template in list(groups):
        for i, token in enumerate(template):
            if token != STAR or not i or template[i - 1] not in "(=[{" or template not in groups:
                continue
            empty = (*template[:i], *template[i + 1 :])
            if empty in groups:
                groups[template].members.extend(groups.pop(empty).members)
