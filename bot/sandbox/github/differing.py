"""What changed between two trees, as GitHub lists it: files with patches, the whole diff, and the lines of a patch.

Sources: docs.github.com/rest/pulls/pulls#list-pull-requests-files (3,000 files at most; status; no ``patch`` for
binary and large files) and docs.github.com/repositories/creating-and-managing-repositories/repository-limits (300
files and 20,000 lines in a diff; 20,000 lines or 500 KB in one file's). Renames are found by equal content only.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.sandbox.github.refusal import Refusal

MAX_LISTED = 3000
MAX_DIFF_FILES = 300
MAX_DIFF_LINES = 20_000
MAX_PATCH_BYTES = 500_000
MAX_PATCH_LINES = 20_000
CONTEXT = 3

Side = Literal["LEFT", "RIGHT"]
Tree = Mapping[str, bytes]

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Changed:
    """One changed file. ``patch`` is None where GitHub shows none, though ``full`` may have it."""

    path: str
    old_path: str | None
    status: Literal["added", "removed", "modified", "renamed"]
    additions: int
    deletions: int
    patch: str | None
    full: str
    sha: str

    def listed(self, url: str) -> dict[str, Any]:
        """Return the entry of the list of files."""
        entry: dict[str, Any] = {
            "sha": self.sha,
            "filename": self.path,
            "status": self.status,
            "additions": self.additions,
            "deletions": self.deletions,
            "changes": self.additions + self.deletions,
            "blob_url": f"{url}/blob/{self.path}",
            "raw_url": f"{url}/raw/{self.path}",
            "contents_url": f"{url}/contents/{self.path}",
        }
        if self.patch is not None:
            entry["patch"] = self.patch
        if self.old_path is not None:
            entry["previous_filename"] = self.old_path
        return entry

    def diff(self) -> str:
        """Return the file's part of the whole diff, as git writes it."""
        old = self.old_path or self.path
        lines = [f"diff --git a/{old} b/{self.path}"]
        if self.status == "added":
            lines.append("new file mode 100644")
        elif self.status == "removed":
            lines.append("deleted file mode 100644")
        elif self.status == "renamed":
            lines += ["similarity index 100%", f"rename from {old}", f"rename to {self.path}"]
        if self.full:
            lines.append("--- /dev/null" if self.status == "added" else f"--- a/{old}")
            lines.append("+++ /dev/null" if self.status == "removed" else f"+++ b/{self.path}")
            lines.append(self.full)
        elif self.status != "renamed" and self.additions + self.deletions == 0:
            lines.append(f"Binary files a/{old} and b/{self.path} differ")
        return "\n".join(lines)


def changes(before: Tree, after: Tree) -> list[Changed]:
    """Return what changed from one tree to the other, by path."""
    gone = {path for path in before if path not in after}
    moved: dict[str, str] = {}
    for path in sorted(set(after) - set(before)):
        twin = next((old for old in sorted(gone) if before[old] == after[path]), None)
        if twin is not None and after[path]:
            moved[path] = twin
            gone.discard(twin)
    found = [_changed(path, before[path], b"", "removed") for path in gone]
    for path, content in after.items():
        if path in moved:
            found.append(Changed(path, moved[path], "renamed", 0, 0, None, "", blob_sha(content)))
        elif path not in before:
            found.append(_changed(path, b"", content, "added"))
        elif before[path] != content:
            found.append(_changed(path, before[path], content, "modified"))
    return sorted(found, key=lambda one: one.path)


def whole(files: list[Changed]) -> str:
    """Return the diff media type. Raises ``Refusal`` 406 where GitHub does not make it."""
    too_large = [{"resource": "PullRequest", "field": "diff", "code": "too_large"}]
    if len(files) > MAX_DIFF_FILES:
        said = (
            f"Sorry, the diff exceeded the maximum number of files ({MAX_DIFF_FILES}). Consider using 'List pull "
            "requests files' API or locally cloning the repository instead."
        )
        raise Refusal(406, said, too_large)
    if sum(file.full.count("\n") + 1 for file in files if file.full) > MAX_DIFF_LINES:
        raise Refusal(406, f"Sorry, the diff exceeded the maximum number of lines ({MAX_DIFF_LINES})", too_large)
    return "".join(file.diff() + "\n" for file in files)


def anchors(patch: str) -> dict[tuple[Side, int], int]:
    """Return the lines of a patch that a comment may be on, each with the number of its hunk."""
    found: dict[tuple[Side, int], int] = {}
    hunk, old, new, left, right = -1, 0, 0, 0, 0
    for line in patch.split("\n"):
        header = _HUNK.match(line) if not (left or right) else None
        if header:
            hunk += 1
            old, left = int(header[1]), int(header[2] or 1)
            new, right = int(header[3]), int(header[4] or 1)
            continue
        sign = line[:1] or " "
        if sign in " -" and left:
            found["LEFT", old] = hunk
            old, left = old + 1, left - 1
        if sign in " +" and right:
            found["RIGHT", new] = hunk
            new, right = new + 1, right - 1
    return found


def blob_sha(content: bytes) -> str:
    """Return git's name of a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _changed(path: str, before: bytes, after: bytes, status: Any) -> Changed:
    sha = blob_sha(after or before)
    if b"\0" in before or b"\0" in after:
        return Changed(path, None, status, 0, 0, None, "", sha)
    patch, additions, deletions = _patch(before, after)
    shown = len(patch) <= MAX_PATCH_BYTES and patch.count("\n") < MAX_PATCH_LINES
    return Changed(path, None, status, additions, deletions, patch if shown and patch else None, patch, sha)


def _patch(before: bytes, after: bytes) -> tuple[str, int, int]:
    lines = list(difflib.unified_diff(_lines(before), _lines(after), n=CONTEXT))[2:]
    out, additions, deletions = [], 0, 0
    for line in lines:
        additions += line.startswith("+")
        deletions += line.startswith("-")
        out.append(line.removesuffix("\n"))
        if not line.endswith("\n") and not line.startswith("@@"):
            out.append("\\ No newline at end of file")
    return "\n".join(out), additions, deletions


def _lines(content: bytes) -> list[str]:
    # Only a newline ends a line: splitlines would also split at U+2028 and form feed.
    lines = content.decode("utf-8", "replace").split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended
