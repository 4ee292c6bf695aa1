"""Multi-line records: which lines belong to the trace above them (Python, Java, Go, Node, Rust), and PEM blocks.

Only forms that are certain join lines: indentation alone does not, since build logs indent everything.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

LONGEST: Final = 400
"""Lines of one record; a longer trace is continued as a record of its own."""
LONGEST_PEM: Final = 120
_LOOK: Final = 400
"""Characters of a line that tell what it is."""


class Kind(IntEnum):
    """What one line may be in a multi-line record."""

    PLAIN = 0
    HEAD = 1
    """Opens a trace: ``panic: …``, ``java.lang.Error: …``, ``TypeError: …``."""
    TRACEBACK = 2
    """Opens a Python trace, which ends with an unindented line."""
    PANIC = 3
    """Opens a Rust panic whose message is the next line, whatever that looks like."""
    FRAME = 4
    """Belongs to the line above, whatever that is: ``at f(File:1)``, ``Caused by: …``, ``... 12 more``."""
    INDENTED = 5
    """Belongs to an open trace: source lines, values, notes."""
    CALL = 6
    """Belongs to an open trace though it is not indented: Go's functions, Node's version."""
    BLANK = 7
    NAMED = 8
    """``subprocess.TimeoutExpired: …``: ends an open Python trace; alone it is a line like any other."""
    BEGIN = 9
    END = 10


_OPENS = {Kind.HEAD, Kind.TRACEBACK, Kind.PANIC}
_INSIDE = {Kind.FRAME, Kind.INDENTED}

_PANIC = re.compile(r"thread '[^']*' (?:\(\d+\) )?panicked at .*:$")
_HEAD = re.compile(
    r"(?:[\w.-]+: )?panic: |fatal error: |runtime: |goroutine \d+ .{0,40}\[|Exception in thread "
    r"|thread '[^']*' (?:\(\d+\) )?panicked at |Unhandled (?:exception|rejection)|Uncaught "
    r"|(?:[a-z_]\w*\.){1,12}[A-Z]\w*(?:Exception|Error|Throwable|Failure)\b(?:[:;]|$)"
    r"|[A-Z]\w*Error(?: \[\w+\])?: |Fatal Python error: |stack backtrace:|(?:Current thread|Thread) 0x"
    r"|\S+\.[cm]?[jt]s:\d+$"
)
_FRAME = re.compile(
    r"\s+at [\w$.<>/\[\]@ -]+[(:]|\s+at \S+:\d+|\s+at (?:async |new )?[\w$.<>]+"
    r"|\s*Caused by: |\s*Suppressed: |\s*\.\.\. \d+ (?:more|common frames)"
    r"|\s+File \"[^\"]+\", line \d+|\t\S+\.(?:go|s):\d+(?: \+0x|$)|\s{2,}\d{1,4}: (?:0x[0-9a-f]+ - )?[\w<:_{]"
    r"|created by \S+|During handling of the above exception|The above exception was the direct cause"
    r"|note: run with `RUST_BACKTRACE"
)
_CALL = re.compile(
    r"[\w./*()\[\]{}~-]+\.[\w.()*\[\]{}~-]+\((?:0x[0-9a-f]+|\.\.\.|\{|\)|[0-9a-fx, {}.?]+)"
    r"|\[signal |exit status \d+$|Node\.js v\d"
)
_NAMED = re.compile(r"[A-Za-z_][\w.]*(?::\s|$)")


def kind(text: str) -> Kind:
    """Say what a line (its header cut, its indentation kept) may be. Never raises."""
    text = text[:_LOOK]
    if not text or text.isspace():
        return Kind.BLANK
    if text.startswith("-----BEGIN "):
        return Kind.BEGIN
    if text.startswith("-----END "):
        return Kind.END
    if _FRAME.match(text):
        return Kind.FRAME
    if text[0] in " \t":
        return Kind.INDENTED
    if text.startswith("Traceback (most recent call last):"):
        return Kind.TRACEBACK
    if _PANIC.match(text):
        return Kind.PANIC
    if _HEAD.match(text):
        return Kind.HEAD
    if _CALL.match(text):
        return Kind.CALL
    return Kind.NAMED if _NAMED.match(text) else Kind.PLAIN


class Follower:
    """Follows a stream of kinds and says of each line whether it continues the record of the line above."""

    __slots__ = ("_before", "_length", "_open", "_pem", "_python")

    def __init__(self) -> None:
        self._open = self._pem = self._python = False
        self._before = Kind.PLAIN
        self._length = 0

    def continues(self, now: Kind, *, severe: bool = False, headed: bool = False) -> bool:
        """Take the next line. ``headed`` says that it has a level of its own, ``severe`` that it reports an error: what
        such a line is followed by, indented or as a trace, is its detail."""
        joined = self._length < LONGEST and (self._in_pem(now) if self._pem else self._in_trace(now, headed))
        if joined:
            self._length += 1
            self._open = self._open or now in _OPENS or now is Kind.FRAME
        else:
            self._length = 1
            self._open = now in _OPENS or (severe and headed)
            self._python = False
        self._python = self._python or now is Kind.TRACEBACK
        self._pem = now is Kind.BEGIN or (joined and self._pem and now is not Kind.END)
        self._before = now
        return joined

    def _in_pem(self, now: Kind) -> bool:
        return self._length < LONGEST_PEM and now is not Kind.BEGIN

    def _in_trace(self, now: Kind, headed: bool) -> bool:
        before = self._before
        if now is Kind.FRAME:
            return self._open or not headed
        if not self._open:
            return False
        if before is Kind.PANIC:
            return True
        if self._python and before in _INSIDE and now in (Kind.HEAD, Kind.NAMED):
            return True
        if now in _OPENS:
            return not headed and before not in (Kind.FRAME, Kind.INDENTED, Kind.NAMED)
        return now in (Kind.INDENTED, Kind.CALL, Kind.BLANK) and before is not Kind.BLANK
