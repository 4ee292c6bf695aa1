"""What is said of failed jobs whose logs were not read: that they failed too, and why no more is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.analysis import plain
from bot.domain.ci_failure import CiFailure

_JOBS: Final = 20
_NO_JOBS: Final = (
    "It failed before any job ran, so there is no log: its file may be wrong, or use what is not allowed here."
)
_GONE: Final = "GitHub has no log of it any more."
_BEYOND: Final = "Its log was not read: {} failed jobs of a run are."


def unread(workflow: str, *, gone: Sequence[str], beyond: Sequence[str], read: int) -> tuple[CiFailure, ...]:
    """Return what is said of the jobs whose log is ``gone``, and of those ``beyond`` the first ``read``; with neither,
    and nothing read, of a ``workflow`` that had no jobs. They carry no signature, and can be compared with nothing."""
    if not (gone or beyond or read):
        return (_failure([workflow], _NO_JOBS),)
    said = ((gone, _GONE), (beyond, _BEYOND.format(read)))
    return tuple(_failure(jobs, what) for jobs, what in said if jobs)


def _failure(jobs: Sequence[str], what: str) -> CiFailure:
    return CiFailure(
        jobs=tuple(plain.line(job, 200) for job in jobs[:_JOBS]),
        step="",
        kind="unknown",
        what=what,
        cited=(),
        cause="",
        confidence="low",
        path="",
        line=None,
        flaky="unknown",
        flaky_why="there is no log to compare",
        signature="",
    )
