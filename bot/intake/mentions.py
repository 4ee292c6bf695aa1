"""Commands in a comment: the lines that begin with our name, as far as its readers see them as spoken to us."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

MENTION: Final = "@signoff"
LONGEST: Final = 65_536
"""Characters of a comment that are read: as many as GitHub stores."""
COMMAND: Final = 1000
MOST: Final = 11
"""Commands that are taken from one comment; that is one more than are obeyed, so that the rest can be refused."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_BLANK = re.compile(r"\s*")
_INDENTED = re.compile(r"(?: {4}| {0,3}\t)")
_HTML = re.compile(r" {0,3}<[A-Za-z/?!]")
# What stands between these is code or no text at all, also after blank lines.
_VERBATIM = re.compile(r" {0,3}<(pre|script|style|textarea)(?:[\s>]|$)", re.I)
_BLOCK = re.compile(r" {0,3}(?:>|[-*+](?:\s|$)|[0-9]{1,9}[.)](?:\s|$)|#{1,6}(?:\s|$)|(?:=+|-+)\s*$|(?:[*_-]\s*){3,}$)")
_CONTAINED = re.compile(r"(?:\s*(?:>|[-*+](?=\s)|[0-9]{1,9}[.)](?=\s)))+\s*")
_DEFINED = re.compile(r" {0,3}\[[^\]]*\]:")
_INLINE = re.compile(r"\\[\s\S]|(`+)|<!--(?:-?>|[\s\S]*?-->)")
_COMMAND = re.compile(rf" {{0,3}}{MENTION}[:,]?(?:\s+(.*))?", re.I)


def commands(body: str) -> tuple[str, ...]:
    """Return what follows our name on each line that begins with it; empty texts where nothing does. Total, and linear.

    Quotations, code and what is commented out speak to nobody. As in GitHub's Markdown, ``<!--`` that begins a line
    hides all until its end, and one within a line only what stands before an end in the same paragraph: without that it
    is text that people see. Where it is in doubt whether people see a line, it is not obeyed.
    """
    found: list[str] = []
    for line in _spoken(body[:LONGEST]):
        said = _COMMAND.fullmatch(line.rstrip())
        if said and len(found) < MOST:
            found.append((said[1] or "").strip()[:COMMAND])
    return tuple(found)


def _spoken(body: str) -> list[str]:
    """Return the lines that are neither code nor commented out."""
    lines: list[str] = []
    paragraph: list[str] = []
    fence, verbatim, raw, html = "", "", False, False

    def flush() -> None:
        lines.extend(_shown("\n".join(paragraph)).split("\n") if paragraph else ())
        paragraph.clear()

    for line in re.split(r"\r\n|\r|\n", body):
        if not (raw or fence or verbatim) and (begins := _VERBATIM.match(line)):
            flush()
            verbatim = f"</{begins[1].lower()}>"
        if verbatim:
            if verbatim in line.lower():
                verbatim = ""
            continue
        if raw:
            _, ends, line = line.partition("-->")
            if ends:
                line, lost = _raw(line)
                lines.append(line)
                raw = False
                # HTML ends with the line that ends its comment; another one that begins there never ends.
                if lost:
                    break
            continue
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            flush()
            if html:
                break
            fence = mark[1]
        elif line.lstrip(" ").startswith("<!--") and _HTML.match(line):
            flush()
            raw = "-->" not in line
            line, lost = _raw(line)
            lines.append(line)
            if lost and not raw:
                break
        elif _BLANK.fullmatch(line):
            flush()
            html = False
        elif html or _HTML.match(line):
            # Whether this is HTML or a paragraph, what is open at the end of its line may hide all that follows.
            html = True
            if _raw(line)[1] or line.rfind("<") > line.rfind(">"):
                break
            paragraph.append(line)
        elif _BLOCK.match(line):
            flush()
            inner = _CONTAINED.sub("", line, count=1)
            if inner.startswith("<!--") and _raw(inner)[1]:
                break
            if not inner.startswith("<!--"):
                paragraph.append(line)
        elif paragraph or not _INDENTED.match(line):
            paragraph.append(line)
    flush()
    return lines


def _raw(line: str) -> tuple[str, bool]:
    """Return what is shown of a line that is HTML, and whether the next line begins commented out."""
    shown = ""
    while True:
        before, begins, rest = line.partition("<!--")
        shown += before
        if not begins:
            return shown, False
        # GitHub lets a comment end with the dashes that begin it.
        _, ends, line = ("--" + rest).partition("-->")
        if not ends:
            return shown, True


def _shown(text: str) -> str:
    """Return the lines that people see of a paragraph, without what is code or commented out within it."""
    # A quotation goes on in the lines after it, and what defines a link may.
    opening = _CONTAINED.match(text)
    if _DEFINED.match(text) or (opening and ">" in opening[0]):
        return ""
    runs: dict[int, list[int]] = {}
    for run in re.finditer("`+", text):
        runs.setdefault(len(run[0]), []).append(run.start())
    parts: list[str] = []
    at = 0
    while found := _INLINE.search(text, at):
        begins, ends = found.span()
        hidden = ""
        if found[1]:
            closing = runs.get(len(found[1]), [])
            index = bisect_left(closing, ends)
            if index < len(closing):
                ends = closing[index] + len(found[1])
                hidden = "`" + "\n`" * text.count("\n", begins, ends)
            else:
                hidden = found[1]
        elif not found[0].startswith("<!--"):
            hidden = found[0]
        parts += [text[at:begins], hidden]
        at = ends
    return "".join([*parts, text[at:]])
