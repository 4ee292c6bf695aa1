"""Anchors: heads of the audit noted outside the database, so that a chain that was cut off or written anew shows.

In this process's memory always, in a file (one line of JSON a head) if one is configured. Who can write to the database
can write to neither.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path

from bot.domain.canonical import canonical
from bot.domain.chain import Row

REMEMBERED = 64
_LINE = 1024
_BEGINS = b'{"at":'


class AnchorError(Exception):
    """A file of anchors cannot be read or written; the message names it and says why."""


class Anchors:
    """What one process has noted. ``trouble`` says what it found to be wrong with the audit, and stays: no call is
    begun any more. ``unwritten`` says why the newest head is not in the file; ``torn`` are the lines of the file that
    were cut off in writing."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.trouble = ""
        self.unwritten = ""
        self.torn: tuple[int, ...] = ()
        self._seen: dict[int, str] = {}
        self._in_file = 0

    @property
    def seen(self) -> Mapping[int, str]:
        """The newest heads that were noted: hash by number."""
        return dict(self._seen)

    def load(self) -> None:
        """Remember what the file holds, if there is one. Raises ``AnchorError``."""
        if self.path is not None and self.path.exists():
            found, self.torn = read(self.path)
            for seq in sorted(found)[-REMEMBERED:]:
                self._remember(seq, found[seq])
            self._in_file = max(found, default=0)

    def remember(self, head: Row) -> None:
        """Note a head in memory."""
        self._remember(head.seq, head.hash)

    def write(self, head: Row, *, now: int) -> None:
        """Note a head in the file, durably, unless it is the newest there. Raises ``AnchorError``."""
        if self.path is None or head.seq <= self._in_file:
            return
        line = canonical({"at": now, "seq": head.seq, "hash": head.hash, "signature": head.signature}) + b"\n"
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                size = os.fstat(handle).st_size
                if size and os.pread(handle, 1, size - 1) != b"\n":
                    line = b"\n" + line  # what was cut off there stays a line of its own
                written = os.write(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)
            if written != len(line):
                raise OSError(errno.ENOSPC, f"only {written} of {len(line)} bytes fitted")
        except OSError as error:
            self.unwritten = f"{self.path} cannot be written: {error.strerror}"
            raise AnchorError(self.unwritten) from error
        self.unwritten = ""
        self._in_file = head.seq

    def _remember(self, seq: int, value: str) -> None:
        self._seen.setdefault(seq, value)  # another row in its place makes what was noted no less true
        while len(self._seen) > REMEMBERED:
            del self._seen[min(self._seen)]


def read(path: Path) -> tuple[dict[int, str], tuple[int, ...]]:
    """Read a file of anchors: hash by number, and the lines that were cut off in writing, by a crash or a full disk;
    what those noted is noted again later. Raises ``AnchorError`` naming the line that is no anchor otherwise.

    Two lines that give one number different hashes are an error too: a chain has been written twice.
    """
    found: dict[int, str] = {}
    torn: list[int] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if _is_torn(line):
                    torn.append(number)
                    continue
                seq, value = _entry(line)
                if found.setdefault(seq, value) != value:
                    raise AnchorError(f"{path}:{number}: row {seq} was anchored before with another hash")
    except OSError as error:
        raise AnchorError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise AnchorError(f"{path}:{number}: is no anchor") from error
    return found, tuple(torn)


def _is_torn(line: bytes) -> bool:
    """Say whether a line is the beginning of one that `Anchors.write` writes, and not all of it."""
    begun = line.removesuffix(b"\n")
    if len(begun) < len(_BEGINS):
        return begun != b"" and _BEGINS.startswith(begun)
    return begun.startswith(_BEGINS) and not begun.endswith(b"}") and len(begun) <= _LINE


def _entry(line: bytes) -> tuple[int, str]:
    if len(line) > _LINE:
        raise ValueError("too long")
    data = json.loads(line)
    seq, value = data["seq"], data["hash"]
    if type(seq) is not int or type(value) is not str or seq < 1 or len(value) != 64:
        raise ValueError("not a number and a hash")
    return seq, value
