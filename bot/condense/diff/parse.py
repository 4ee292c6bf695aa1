"""Read a unified diff, as git, ``diff -u`` and GitHub write it; total, lossless, and led by the counts of hunk headers.

A line ends at a newline and nowhere else: U+2028, form feed and carriage return are part of a line. Within a hunk,
its header's counts decide what is a line, so a line that looks like a header changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from bot.condense.diff.patch import NO_NEWLINE, FilePatch, Hunk, Patch, Status

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@(.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")
_COLOURED = re.compile(r"^(?:\x1b\[[0-9;]*[mK])+(?:diff --|--- )", re.MULTILINE)
_GIT: Final = "diff --git "
_COMBINED: Final = ("diff --cc ", "diff --combined ")
_OLD, _NEW, _NOWHERE = "--- ", "+++ ", "/dev/null"
_PREFIXES: Final = ("a/", "b/", "c/", "i/", "o/", "w/")
_ESCAPES: Final = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_ESCAPE = re.compile(r'\\([0-7]{3}|[abtnvfr"\\])')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_SIGNATURE: Final = "--"
"""What git format-patch puts before its version, at the end of a mail; another mail may follow."""
_AFTER_SIGNATURE: Final = re.compile(r"[0-9]+\.[0-9]|\s*$")
_SUBMODULE_MODE: Final = "160000"
_SUBPROJECT: Final = re.compile(r"Subproject commit [0-9a-f]{40,64}(?:-dirty)?\r?")
_EMPTY: Final = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
"""Git's name of an empty file: it has no lines, and is no binary."""
_LISTED: Final[Mapping[str, Status]] = {
    "added": "added",
    "removed": "deleted",
    "renamed": "renamed",
    "copied": "copied",
}


def parse(text: str) -> Patch:
    """Return the diff in ``text``. Never raises; what is no diff is kept as preamble, or after the hunk it follows."""
    lines = text.split("\n")
    preamble: list[str] = []
    files: list[FilePatch] = []
    head: list[str] | None = None
    hunks: list[Hunk] = []
    at = 0
    while at < len(lines):
        start = _start(lines, at, head, bool(hunks))
        if start:
            if head is not None:
                files.append(_file(tuple(head), tuple(hunks)))
            head, hunks = lines[at : at + start], []
            at += start
        elif head is not None and (header := _HUNK.fullmatch(lines[at])):
            hunk, at = _hunk(lines, at, header)
            hunks.append(hunk)
        else:
            (preamble if head is None else head).append(lines[at])
            at += 1
    if head is not None:
        files.append(_file(tuple(head), tuple(hunks)))
    return Patch(tuple(_with_types(files)), tuple(preamble))


def plain(text: str) -> str:
    """Return a diff as it was before it was saved with a byte order mark, or coloured on its way through a pipe.

    Only a diff whose own headers are coloured loses its colours: elsewhere they are a file's text.
    """
    text = text.removeprefix("\ufeff")
    return _COLOUR.sub("", text) if _COLOURED.search(text) else text


def render(patch: Patch) -> str:
    """Return the text that ``parse`` read, byte for byte."""
    lines = list(patch.preamble)
    for file in patch.files:
        lines += file.head
        for hunk in file.hunks:
            lines += (hunk.header, *hunk.body, *hunk.after)
    return "\n".join(lines)


def from_listing(entries: Iterable[Mapping[str, Any]]) -> Patch:
    """Return the diff that GitHub's list of a pull request's files describes; chain its pages.

    An entry without ``patch`` keeps its name, with a note: ``no patch`` where lines were changed but left out (too
    many), ``binary`` where there are none to show, ``mode changed`` where only what kind of file it is was changed. A
    rename with no lines has no note: GitHub does not say whether a binary was changed on the way.
    """
    files = []
    for entry in entries:
        status = _LISTED.get(str(entry.get("status")), "modified")
        given, old = entry.get("patch"), entry.get("previous_filename")
        hunks = parse(f"{_OLD}a\n{_NEW}b\n{given}").files[0].hunks if isinstance(given, str) else ()
        notes = ["damaged"] if any(hunk.damaged for hunk in hunks) else []
        if hunks and _moves_submodule(hunks):
            notes.append("submodule")
        if not hunks:
            notes += _unlisted(entry, status)
        if "mode changed" in notes:
            status = "mode"
        path = str(entry.get("filename", "?"))
        files.append(FilePatch(path, status, hunks, old if isinstance(old, str) else None, tuple(notes)))
    return Patch(tuple(files))


def _unlisted(entry: Mapping[str, Any], status: Status) -> list[str]:
    """Return why an entry of GitHub's list has no lines."""
    if entry.get("status") == "unchanged":
        return []
    if entry.get("changes"):
        return ["no patch"]
    if entry.get("status") == "changed":
        return ["mode changed"]
    content = status in ("added", "deleted") and entry.get("sha") not in (None, _EMPTY)
    return ["binary"] if status == "modified" or content else []


def _moves_submodule(hunks: Iterable[Hunk]) -> bool:
    changed = [line.text for hunk in hunks for line in islice(hunk.lines(), 3) if line.sign != " "]
    return bool(changed) and all(_SUBPROJECT.fullmatch(text) for text in changed)


def _start(lines: list[str], at: int, head: list[str] | None, hunked: bool) -> int:
    """Return how many lines at ``at`` begin another file: 0 where none begins.

    A pair of ``---`` and ``+++`` belongs to the ``diff --git`` line above it, and begins a file where there is none.
    """
    line = lines[at]
    if line.startswith((_GIT, *_COMBINED)):
        return 1
    if not line.startswith(_OLD) or at + 1 >= len(lines) or not lines[at + 1].startswith(_NEW):
        return 0
    named = head is not None and not hunked and not any(line.startswith(_NEW) for line in head)
    return 0 if named else 2


def _hunk(lines: list[str], at: int, header: re.Match[str]) -> tuple[Hunk, int]:
    """Return the hunk with its header at ``at`` and what follows it, and where the next hunk or file begins."""
    promised_old, promised_new = int(header[2] or 1), int(header[4] or 1)
    old, new = promised_old, promised_new
    end = at + 1
    while end < len(lines):
        sign = lines[end][:1]
        if sign == NO_NEWLINE:
            pass
        elif old == 0 and new == 0:
            break
        elif sign == "+" and new:
            new -= 1
        elif sign == "-" and old:
            old -= 1
        elif (sign == " " or (not sign and end < len(lines) - 1)) and old and new:
            old, new = old - 1, new - 1
        else:
            break
        end += 1
    rest = end
    while rest < len(lines) and not _HUNK.fullmatch(lines[rest]) and not _start(lines, rest, None, True):
        rest += 1
    after = tuple(lines[end:rest])
    stray = any(line[:1] in ("+", "-") for line in after[: _mail_end(after)])
    # The start of an empty side is the line before it: its numbers begin one further.
    return Hunk(
        lines[at],
        int(header[1]) + (promised_old == 0),
        int(header[3]) + (promised_new == 0),
        header[5].removeprefix(" "),
        tuple(lines[at + 1 : end]),
        after,
        damaged=stray or old > 0 or new > 0,
    ), rest


def _mail_end(after: Sequence[str]) -> int:
    """Return how many of the lines after a hunk come before the signature of a mail, with which a patch ends."""
    for at, line in enumerate(after):
        if line.rstrip() == _SIGNATURE and (at + 1 == len(after) or _AFTER_SIGNATURE.match(after[at + 1])):
            return at
    return len(after)


def _file(head: tuple[str, ...], hunks: tuple[Hunk, ...]) -> FilePatch:
    facts = _facts(head)
    old, new = _paths(head)
    notes = [name for name, marks in _NOTES if any(line.startswith(marks) for line in head)]
    if any(_SUBMODULE_MODE in facts.get(name, "") for name in ("index", *_MODES)):
        notes.append("submodule")
    if "old mode" in facts and "new mode" in facts:
        notes.append(f"mode {facts['old mode']} -> {facts['new mode']}")
    # What begins like a hunk's header and is none: its lines are not known.
    if any(hunk.damaged for hunk in hunks) or any(line.startswith("@@ ") for line in head):
        notes.append("damaged")
    status = _status(facts, old, new, bool(hunks or "binary" in notes))
    path = (old if status == "deleted" else new) or old or "?"
    return FilePatch(path, status, hunks, old if old != path else None, tuple(notes), head)


def _with_types(files: Iterable[FilePatch]) -> Iterator[FilePatch]:
    """Yield the files; one that is another kind of file now (a link), for which git writes two sections, says so."""
    path, gone = "", None
    for file in files:
        facts = _facts(file.head)
        come = facts.get("new file mode")
        if gone and come and gone != come and path == file.path:
            file = replace(file, notes=(*file.notes, f"mode {gone} -> {come}"))
        path, gone = file.path, facts.get("deleted file mode")
        yield file


_MODES: Final = ("old mode", "new mode", "new file mode", "deleted file mode")
_FACTS: Final = (*_MODES, "rename from", "rename to", "copy from", "copy to", "index", "similarity index")
_NOTES: Final = (
    ("combined", _COMBINED),
    ("binary", ("Binary files ", "GIT binary patch")),
)


def _facts(head: Iterable[str]) -> dict[str, str]:
    """Return the values of git's extended header lines by their names."""
    facts: dict[str, str] = {}
    for line in head:
        for name in _FACTS:
            if line.startswith(name + " "):
                facts.setdefault(name, line[len(name) + 1 :].removesuffix("\r"))
    return facts


def _status(facts: Mapping[str, str], old: str | None, new: str | None, changed: bool) -> Status:
    if "new file mode" in facts or old is None:
        return "added"
    if "deleted file mode" in facts or new is None:
        return "deleted"
    if "rename to" in facts or (old != new and not facts):
        return "renamed"
    if "copy to" in facts:
        return "copied"
    return "mode" if "new mode" in facts and not changed else "modified"


def _paths(head: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return the old and the new path; None for ``/dev/null``. Named lines say it better than the first line does."""
    facts = _facts(head)
    for before, after in (("rename from", "rename to"), ("copy from", "copy to")):
        if before in facts and after in facts:
            return _unquote(facts[before]), _unquote(facts[after])
    first = head[0] if head else ""
    for mark in _COMBINED:
        if first.startswith(mark):
            path = _unquote(first[len(mark) :].removesuffix("\r"))
            return path, path
    old = next((line[4:] for line in head if line.startswith(_OLD)), None)
    new = next((line[4:] for line in head if line.startswith(_NEW)), None)
    if old is not None and new is not None:
        return _without_prefixes(_named(old), _named(new))
    pair = _git_paths(first.removeprefix(_GIT).removesuffix("\r"))
    return _without_prefixes(*pair)


def _named(text: str) -> str:
    """Return the path after ``---`` or ``+++``: a tab ends it (git sets one after a path with a space, diff a time)."""
    quoted = _QUOTED.match(text)
    if quoted:
        return _unquote(quoted[0])
    return text.partition("\t")[0].removesuffix("\r")


def _git_paths(rest: str) -> tuple[str, str]:
    """Split ``a/PATH b/PATH``. Where spaces make that ambiguous the two are equal, for git names renames elsewhere."""
    quoted = _QUOTED.match(rest)
    if quoted:
        return _unquote(quoted[0]), _unquote(rest[quoted.end() + 1 :])
    if rest.endswith('"') and ' "' in rest:
        old, _, new = rest.partition(' "')
        return old, _unquote('"' + new)
    middle = len(rest) // 2
    if (
        len(rest) % 2
        and rest[middle] == " "
        and rest[:middle].partition("/")[2] == rest[middle + 1 :].partition("/")[2]
    ):
        return rest[:middle], rest[middle + 1 :]
    old, _, new = rest.partition(" ")
    return old, new or old


def _without_prefixes(old: str, new: str) -> tuple[str | None, str | None]:
    """Take off ``a/`` and ``b/`` (or git's mnemonic letters) where both sides that exist have one."""
    sides = [path for path in (old, new) if path != _NOWHERE]
    strip = bool(sides) and all(path.startswith(_PREFIXES) for path in sides)

    def bare(path: str) -> str | None:
        return None if path == _NOWHERE else path[2:] if strip else path

    return bare(old), bare(new)


def _unquote(text: str) -> str:
    """Return a path as it is on disk; git quotes as C does, and writes bytes beyond ASCII in octal."""
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return text
    out = bytearray()
    at = 0
    inner = text[1:-1]
    for match in _ESCAPE.finditer(inner):
        out += inner[at : match.start()].encode("utf-8", "surrogatepass")
        code = match[1]
        out.append(int(code, 8) & 0xFF if code.isdigit() else _ESCAPES[code])
        at = match.end()
    out += inner[at:].encode("utf-8", "surrogatepass")
    return out.decode("utf-8", "replace")
