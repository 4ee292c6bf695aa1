"""What of a file is text and does nothing: quoted words within a line, and the lines of a string that spans several.

A hunk may begin in the middle of such a string: where the marks do not pair and the first one looks like an end, what
stands above it is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_QUOTED: Final = re.compile(r"(?<!\w)[rbfuRBFU]{0,2}(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`)")
_NAMED: Final = re.compile(r"\s*:(?!:)")
_WORD: Final = re.compile(r"[^\s:=]*")
_TRIPLE: Final = re.compile(r"\"\"\"|'''")
_TICK: Final = re.compile(r"`")
_BEGINS: Final = re.compile(r"(?:[=(\[{,:+%]|\b(?:return|yield|in)|\b[rbfuRBFU]{1,2})\s*$")
_HEREDOC: Final = re.compile(r"<<[-~]?\s*[\"']?([A-Z_]{2,40})[\"']?")
_ARGUMENTS: Final = r"(?:\s+(?:\([^()]*\)|[^\s(){}|]+))*"
NEVER: Final = rf"\{{\{{-?\s*if\s+(?:false|0|nil|and{_ARGUMENTS}\s+false{_ARGUMENTS})\s*-?\}}\}}"
"""A template's condition (RE2 syntax) that is never met."""
_NEVER: Final = re.compile(rf"\s*{NEVER}")
_BLOCK: Final = re.compile(r"\s*\{\{-?\s*(if|with|range|end|define|block)\b")
_RAW_STRINGS: Final = re.compile(r"\.(?:go|js|mjs|cjs|ts|jsx|tsx)$", re.I)
_SCALAR: Final = re.compile(r"(?:^|[:\-]\s|\s)[|>][+\-0-9]{0,2}\s*(?:#.*)?$")
_DEAD: Final = re.compile(
    r"^(?:\}?\s*(?:el(?:se\s+)?)?if|while|#if)\b\s*\(?\s*(?:False|false|FALSE|0|None|nil|null|(?:typing\.)?TYPE_CHECKING)\s*\)?\s*[:{]?$"
)


def quoted(text: str, at: int, *, words: bool) -> bool:
    """Whether what begins at ``at`` stands within quotes, and is no quoted key; ``words``: nor a quoted single word."""
    for found in _QUOTED.finditer(text):
        if found.start() < at < found.end():
            inner = found[0].strip("rbfuRBFU")[1:-1]
            named = _NAMED.match(text, found.end()) is not None
            return not (_WORD.fullmatch(inner) and (words or named))
    return False


def void(enclosing: str) -> bool:
    """Whether what this line encloses is a text, or never runs."""
    return _SCALAR.search(enclosing) is not None or _DEAD.match(enclosing) is not None


def within_texts(path: str, lines: Sequence[str]) -> frozenset[int]:
    """Return which of consecutive lines of a file stand within a string of several lines, or in what a template never
    renders."""
    marks = [_TRIPLE] + ([_TICK] if _RAW_STRINGS.search(path) else [])
    found = {at for mark in marks for at in _delimited(mark, lines)}
    return frozenset(found.union(_here(lines), _unrendered(lines)))


def _delimited(mark: re.Pattern[str], lines: Sequence[str]) -> Iterator[int]:
    """Yield the lines between a mark and the next one of its kind."""
    opened = ""
    seen = sum(len(mark.findall(text)) for text in lines) % 2 == 0
    for at, text in enumerate(lines):
        if opened:
            yield at
        for found in mark.finditer(text):
            if opened:
                opened = "" if found[0] == opened else opened
            elif seen or _opens(lines, at, text[: found.start()], text[found.end() :]):
                opened, seen = found[0], True
                if not text[: found.start()].strip():
                    yield at
            else:
                seen = True
                yield from range(at + 1)


def _opens(lines: Sequence[str], at: int, before: str, after: str) -> bool:
    """Whether the first mark of a hunk begins a string: its end has the string's text before it, or nothing around."""
    if before.strip():
        return _BEGINS.search(before) is not None
    above = next((line.rstrip() for line in reversed(lines[:at]) if line.strip()), "")
    return not above or _BEGINS.search(above) is not None or bool(after.strip(" )];,"))


def _here(lines: Sequence[str]) -> Iterator[int]:
    ends = ""
    for at, text in enumerate(lines):
        if ends:
            yield at
            ends = "" if text.strip() == ends else ends
        elif found := _HEREDOC.search(text):
            ends = found[1]


def _unrendered(lines: Sequence[str]) -> Iterator[int]:
    depth = 0
    for at, text in enumerate(lines):
        if depth:
            yield at
            if found := _BLOCK.match(text):
                depth += -1 if found[1] == "end" else 1
        elif _NEVER.match(text):
            depth = 1
