"""The failed workflow runs: what fails on the default branch of a repository that has to do with the subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.change import Change
from bot.domain.ci import CiRun
from bot.domain.ci_failure import CiFailure
from bot.domain.evidence import Evidence
from bot.domain.incident import Subject
from bot.evidence.age import span
from bot.evidence.changes import AFTER, WINDOW, rank
from bot.evidence.lines import MAX_TEXT, counted, fit, one_line
from bot.redact import Redactor

KIND = "ci"
LISTED = 4
_CITED = 4

Failed = tuple[CiRun, tuple[CiFailure, ...]]


def collected(
    runs: Sequence[Failed],
    changes: Sequence[Change],
    subject: Subject,
    *,
    now: int,
    alert_started_at: int,
    redactor: Redactor,
    number: int,
) -> Evidence | None:
    """Return the evidence ``E{number}``, or None. A repository has to do with the subject if a change of the same time
    names it. Times are in microseconds."""
    ranked = rank(changes, subject, alert_started_at=alert_started_at)
    related = {one.change.repository.lower() for one in ranked if one.match}
    found = [
        (run, failures)
        for run, failures in runs
        if failures
        and run.repository.lower() in related
        and alert_started_at - WINDOW <= run.at <= alert_started_at + AFTER
    ]
    if not found:
        return None
    found.sort(key=lambda each: (-each[0].at, each[0].id))
    clean = redactor.text
    return Evidence(
        id=f"E{number}",
        kind=KIND,
        title=f"{counted(len(found), 'failed workflow')} on the default branch",
        source="github",
        query="workflow runs of the default branch that failed last, of the 24 h before the alert",
        collected_at=now,
        text=fit([clean(line) for line in _lines(found[:LISTED], alert_started_at)], MAX_TEXT),
        facts=redactor.data({"runs": [_fact(run, failures[0], alert_started_at) for run, failures in found[:LISTED]]}),
    )


def _lines(found: Sequence[Failed], started_at: int) -> Iterator[str]:
    for number, (run, failures) in enumerate(found, 1):
        name, when = one_line(run.workflow, 80), span(max(0, started_at - run.at))
        yield f"{number}. {run.repository}: {name} failed {when} before the alert, at {run.head_sha[:12]}"
        for failure in failures[:2]:
            yield f"   {one_line(', '.join(failure.jobs), 100)}: {one_line(failure.what, 300)}"
            for cited in failure.cited[:_CITED]:
                yield f"   {cited.line}: {one_line(cited.quote, 200)}"
            yield f"   flaky: {failure.flaky}, {one_line(failure.flaky_why, 200)}"


def _fact(run: CiRun, failure: CiFailure, started_at: int) -> dict[str, object]:
    return {
        "repository": run.repository,
        "run": run.run_id,
        "workflow": one_line(run.workflow, 80),
        "seconds_before": max(0, started_at - run.at) // 1_000_000,
        "what": one_line(failure.what, 200),
        "flaky": failure.flaky,
        "flaky_why": one_line(failure.flaky_why, 200),
    }
