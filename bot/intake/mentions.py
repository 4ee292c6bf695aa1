"""Commands in a comment: the lines that begin with our name, as far as its readers see them as spoken to us."""

from __future__ import annotations

import re
from typing import Final

MENTION: Final = "@signoff"
LONGEST: Final = 65_536
"""Characters of a comment that are read: as many as GitHub stores."""
COMMAND: Final = 1000
MOST: Final = 11
"""Commands that are taken from one comment; that is one more than are obeyed, so that the rest can be refused."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_COMMAND = re.compile(rf" {{0,3}}{MENTION}[:,]?(?:\s+(.*))?", re.I)


def commands(body: str) -> tuple[str, ...]:
    """Return what follows our name on each line that begins with it; empty texts where nothing does. Total, and linear.

    Quotations, code (fenced or indented) and what is commented out speak to nobody.
    """
    found: list[str] = []
    for line in _spoken(body[:LONGEST]):
        said = _COMMAND.fullmatch(line.rstrip())
        if said and len(found) < MOST:
            found.append((said[1] or "").strip()[:COMMAND])
    return tuple(found)


def _spoken(body: str) -> list[str]:
    """Return the lines that are neither fenced nor commented out."""
    lines: list[str] = []
    fence = ""
    commented = False
    for line in re.split(r"\r\n|\r|\n", body):
        mark = None if commented else _FENCE.fullmatch(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
            continue
        if mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
            continue
        shown, commented = _shown(line, commented)
        lines.append(shown)
    return lines


def _shown(line: str, commented: bool) -> tuple[str, bool]:
    """Return what of a line is not commented out, and whether the next line begins commented out."""
    if commented:
        _, ends, line = line.partition("-->")
        if not ends:
            return "", True
    shown = _COMMENT.sub("", line)
    return shown, line.rpartition("<!--")[1] != "" and "-->" not in line.rpartition("<!--")[2]
