"""The log of a failed job, digested: the lines most worth reading, and which of them belong to the step that failed."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import Final

from bot.condense.diff.shown import Redact
from bot.condense.logs.digest import Excerpt, digest, rank
from bot.condense.logs.reader import Reader

BUDGET: Final = 6000
"""Tokens of a digest that are looked at: more than any failure's own lines need."""
_STEP = re.compile(rb"##\[group\](Run .*)")
_FAILED = re.compile(rb"##\[error\]")
_TIME: Final = 40
"""Bytes before a line's text: GitHub writes the time in front of each line."""
_COMMAND: Final = 400
"""Bytes of a command that are compared with the name of a step."""


@dataclass(slots=True)
class _Step:
    """A command of a job: the line it starts at, and its last error's line, 0 without one."""

    command: str
    start: int
    error: int = 0


@dataclass(frozen=True, slots=True)
class JobLog:
    """A failed job: its name, the step that failed, and lines of its log, redacted. The failed step's own lines are
    those from ``start`` to ``end``, as far as the log tells. ``lines_before`` were not read; not ``complete``: nor was
    what follows the ``last`` one."""

    name: str
    step: str
    excerpts: tuple[Excerpt, ...]
    start: int
    end: int
    lines_before: int = 0
    last: int = 0
    complete: bool = True

    @property
    def own(self) -> tuple[Excerpt, ...]:
        """The lines of the failed step, or all of them where those say nothing."""
        inside = tuple(one for one in self.excerpts if self.start <= one.number <= self.end)
        return inside if any(one.text.strip() for one in inside) else self.excerpts


def read(
    name: str,
    step: str,
    raw: bytes,
    redact: Redact,
    *,
    lines_before: int = 0,
    complete: bool = True,
    year: int = 1970,
    budget: int = BUDGET,
) -> JobLog:
    """Digest a job's log, as GitHub serves it. Of a long one it is the end, with so many ``lines_before`` it, and where
    it is not ``complete`` the very end is missing. Never raises; takes time linear in its length."""
    raw = raw.removeprefix(BOM_UTF8)
    reader = Reader(year=year)
    reader.feed(raw)
    shown = digest(rank(reader.finish(), redact), budget)
    start, end = _failed_step(raw, step)
    excerpts = tuple(one._replace(number=one.number + lines_before) for one in shown.excerpts)
    last = lines_before + raw.count(b"\n")
    return JobLog(name, step, excerpts, start + lines_before, end + lines_before, lines_before, last, complete)


def _failed_step(raw: bytes, name: str) -> tuple[int, int]:
    """Return the first and the last line of the step that failed: from its command to its last error.

    A step that may fail (``continue-on-error``) writes errors too. So it is the one with that ``name``, which GitHub
    makes of the command where nobody gave one, with the commands that it consists of; else the last that has an error.
    """
    steps: list[_Step] = [_Step("", 1)]
    number = 0
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if found := _STEP.search(line[: _TIME + 20]):
            command = line[found.start(1) : found.start(1) + _COMMAND]
            steps.append(_Step(command.decode("utf-8", "replace").strip(), number))
        elif _FAILED.search(line[: _TIME + 20]):
            steps[-1].error = number
    named = max((at for at, step in enumerate(steps) if name and step.command == name), default=None)
    if named is not None:
        failed = next((step for step in steps[named:] if step.error), None)
        if failed is not None:
            return steps[named].start, failed.error
    failed = next((step for step in reversed(steps) if step.error), None)
    return (failed.start, failed.error) if failed is not None else (1, number)
