"""What is said of failed jobs whose logs were not read, or not as a whole: why no more is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.analysis import plain
from bot.analysis.ci.job_log import JobLog
from bot.domain.ci_failure import CiFailure

_JOBS: Final = 20
_NO_JOBS: Final = (
    "It failed before any job ran, so there is no log: its file may be wrong, or use what is not allowed here."
)
_GONE: Final = "GitHub has no log of it any more."
_BEYOND: Final = "Its log was not read: {} failed jobs of a run are."
_CUT: Final = "Its log is long: its first {:,} lines were not read."
_LATE: Final = "Its log did not arrive as a whole: what is said of it rests on its lines {:,} to {:,}, not on its end."


def unread(
    workflow: str, *, gone: Sequence[str], beyond: Sequence[str], read: int, logs: Sequence[JobLog] = ()
) -> tuple[CiFailure, ...]:
    """Return what is said of the jobs whose log is ``gone``, of those ``beyond`` the first ``read``, and of ``logs`` of
    which a part was read; with none, and nothing read, of a ``workflow`` that had no jobs. They carry no signature, and
    can be compared with nothing."""
    if not (gone or beyond or read):
        return (_failure([workflow], _NO_JOBS),)
    said = ((gone, _GONE), (beyond, _BEYOND.format(read)), *(([log.name], _part(log)) for log in logs))
    return tuple(_failure(jobs, what) for jobs, what in said if jobs and what)


def _part(log: JobLog) -> str:
    if not log.complete:
        return _LATE.format(log.lines_before + 1, max(log.lines_before + 1, log.last))
    return _CUT.format(log.lines_before) if log.lines_before else ""


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
