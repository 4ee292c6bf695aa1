"""The log of a failed job, digested: the lines most worth reading, and which of them belong to the step that failed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.condense.diff.shown import Redact
from bot.condense.logs.digest import Excerpt, digest, rank
from bot.condense.logs.reader import Reader

BUDGET: Final = 6000
"""Tokens of a digest that are looked at: more than any failure's own lines need."""
_STEP = re.compile(rb"##\[group\]Run ")
_FAILED = re.compile(rb"##\[error\]")
_TIME: Final = 40
"""Bytes before a line's text: GitHub writes the time in front of each line."""


@dataclass(frozen=True, slots=True)
class JobLog:
    """A failed job: its name, the step that failed, and lines of its log, redacted. The failed step's own lines are
    those from ``start`` to ``end``, as far as the log tells."""

    name: str
    step: str
    excerpts: tuple[Excerpt, ...]
    start: int
    end: int

    @property
    def own(self) -> tuple[Excerpt, ...]:
        """The lines of the failed step, or all of them where those say nothing."""
        inside = tuple(one for one in self.excerpts if self.start <= one.number <= self.end)
        return inside if any(one.text.strip() for one in inside) else self.excerpts


def read(name: str, step: str, raw: bytes, redact: Redact, *, year: int = 1970, budget: int = BUDGET) -> JobLog:
    """Digest a job's whole log, as GitHub serves it. Never raises; takes time linear in its length."""
    reader = Reader(year=year)
    reader.feed(raw)
    shown = digest(rank(reader.finish(), redact), budget)
    start, end = _failed_step(raw)
    return JobLog(name, step, shown.excerpts, start, end)


def _failed_step(raw: bytes) -> tuple[int, int]:
    """Return the first and the last line of the step that failed: from its command to its error."""
    start, number = 1, 0
    for number, line in enumerate(raw.split(b"\n"), start=1):
        head = line[: _TIME + 20]
        if _STEP.search(head):
            start = number
        elif _FAILED.search(head):
            return start, number
    return 1, number
