"""CI runs as rows: what failed, why as far as its log tells, and where else the same error was seen."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, exists, func, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.ci import CiRun
from bot.domain.ci_failure import CiFailure, Sighting
from bot.domain.github import RunEvent
from bot.store import work
from bot.store.tables import approvals, asks, ci_runs, ci_signatures, pulls
from bot.store.unreadable import UnreadableRow, parse, parse_part

_RUN = TypeAdapter(CiRun)
_FAILURES = TypeAdapter(tuple[CiFailure, ...])
FAILED = ("failure", "timed_out", "startup_failure")
TELLING = (*FAILED, "success")
"""The conclusions that say what a workflow came to: one that was cancelled or skipped says nothing of that."""
SIGHTINGS = 100


def accept(connection: Connection, event: RunEvent) -> tuple[str, int]:
    """Store a run that ended. Returns its row and the generation of work."""
    key = f"{event.repository.lower()}\n{event.app}\n{event.run_id}\n{event.attempt}"
    row_id = "c" + hashlib.sha256(key.encode()).hexdigest()[:30]
    values = asdict(event) | {"id": row_id, "pulls": list(event.pulls)}
    connection.execute(_insert(connection, ci_runs, values, ci_runs.c.id))
    return row_id, work.want(connection, "ci", row_id)


def get(connection: Connection, row_id: str) -> CiRun:
    """Read a run. Raises ``UnreadableRow``, or ``LookupError`` if there is none."""
    found = find(connection, row_id)
    if found is None:
        raise LookupError(f"there is no CI run {row_id}")
    return found


def find(connection: Connection, row_id: str) -> CiRun | None:
    """Read a run, or None if there is no such one. Raises ``UnreadableRow``."""
    row = connection.execute(select(ci_runs).where(ci_runs.c.id == row_id)).first()
    return None if row is None else parse(_RUN, row, ci_runs.name)


def is_newest(connection: Connection, run: CiRun) -> bool:
    """Say whether nothing newer is known of the run's workflow on its branch, and no later attempt."""
    found = connection.execute(_of_workflow(run).where(_later(run)).limit(1)).first()
    return found is None


def overtaken(connection: Connection, run: CiRun, *, limit: int = 20) -> list[CiRun]:
    """Return the failed runs of the same workflow and branch, and the earlier attempts, that are no longer the newest
    since this one ended, the newest first."""
    query = _of_workflow(run).where(not_(_later(run)), ci_runs.c.id != run.id, ci_runs.c.conclusion.in_(FAILED))
    rows = connection.execute(query.order_by(ci_runs.c.run_id.desc(), ci_runs.c.attempt.desc()).limit(limit))
    found = [parse(_RUN, row, ci_runs.name) for row in rows]
    return [each for each in found if not is_newest(connection, each)]


def explain(connection: Connection, run: CiRun, failures: Sequence[CiFailure]) -> None:
    """Keep why a run failed, and the signatures of its errors."""
    kept = _FAILURES.dump_python(tuple(failures), mode="json")
    connection.execute(update(ci_runs).where(ci_runs.c.id == run.id).values(failure=kept))
    for failure in failures:
        if not failure.signature:
            continue
        values = {
            "run_row": run.id,
            "signature": failure.signature,
            "repository": run.repository.lower(),
            "at": run.at,
        }
        connection.execute(
            _insert(connection, ci_signatures, values, ci_signatures.c.run_row, ci_signatures.c.signature)
        )


def newest_of(connection: Connection, repository: str, run_id: int) -> CiRun | None:
    """Read the newest attempt that is known of one of GitHub's own runs, or None if there is no such one."""
    query = select(ci_runs).where(ci_runs.c.run_id == run_id, ci_runs.c.app == "")
    for row in connection.execute(query.order_by(ci_runs.c.attempt.desc())):
        if row.repository.lower() == repository.lower():
            return parse(_RUN, row, ci_runs.name)
    return None


def failed_at(connection: Connection, repository: str, sha: str) -> list[CiRun]:
    """Return which runs failed at a commit, of each workflow the newest attempt of the newest run, if it did."""
    newest = _newest_at(connection, repository, sha)
    return [parse(_RUN, row, ci_runs.name) for row in newest if row.conclusion in FAILED]


def failures_in(connection: Connection, row_id: str) -> tuple[CiFailure, ...]:
    """Return why one run failed, as far as it was explained."""
    found = connection.execute(select(ci_runs.c.failure).where(ci_runs.c.id == row_id)).scalar_one_or_none()
    return () if found is None else parse_part(_FAILURES, found, ci_runs.name, row_id)


def failures_of(connection: Connection, repository: str, sha: str, *, without: str = "") -> tuple[CiFailure, ...]:
    """Return why a commit's CI fails: of each workflow what the newest attempt of the newest run came to, ``without``
    one row as if that had not ended."""
    newest = _newest_at(connection, repository, sha, without=without)
    failed = [row for row in newest if row.conclusion in FAILED and row.failure]
    found: dict[object, CiFailure] = {}
    for row in failed:
        for failure in parse_part(_FAILURES, row.failure, ci_runs.name, row.id):
            # A push and its pull request both start a workflow: what fails in both is said once.
            found.setdefault((failure.signature, failure.jobs) if failure.signature else (row.id, len(found)), failure)
    return tuple(found.values())


def failing_between(
    connection: Connection, *, after: int, until: int, limit: int = 500
) -> list[tuple[CiRun, tuple[CiFailure, ...]]]:
    """Return the workflows whose newest run on the default branch, in a time, failed and was explained."""
    query = (
        select(ci_runs)
        .where(ci_runs.c.at >= after, ci_runs.c.at <= until, ci_runs.c.on_default, ci_runs.c.app == "")
        .where(ci_runs.c.conclusion.in_(TELLING))
        .order_by(ci_runs.c.at.desc(), ci_runs.c.run_id.desc(), ci_runs.c.attempt.desc())
        .limit(limit)
    )
    newest: dict[object, tuple[CiRun, tuple[CiFailure, ...]]] = {}
    for row in connection.execute(query):
        try:
            run = parse(_RUN, row, ci_runs.name)
            failed = run.conclusion in FAILED and row.failure is not None
            found = parse_part(_FAILURES, row.failure, ci_runs.name, row.id) if failed else ()
        except UnreadableRow:
            continue
        newest.setdefault((run.repository.lower(), run.kind), (run, found))
    return [each for each in newest.values() if each[1]]


def seen_elsewhere(connection: Connection, run: CiRun, signature: str) -> tuple[Sighting, ...]:
    """Return where an error with this signature was seen in the repository, other than in this commit, branch and pull
    request: a later push of the same change fails the same way, and says nothing of being flaky.

    Of the default branch nothing is: a change that failed so and was merged brought it there, and what was begun since
    fails so because of it. For the same reason a merged change counts only if the same commit passed, too.
    """
    if run.on_default:
        return ()
    query = (
        select(ci_runs)
        .join(ci_signatures, ci_signatures.c.run_row == ci_runs.c.id)
        .where(ci_signatures.c.signature == signature, ci_signatures.c.repository == run.repository.lower())
        .where(ci_runs.c.head_sha != run.head_sha)
        .order_by(ci_runs.c.at.desc())
        .limit(SIGHTINGS)
    )
    found = []
    others = [parse(_RUN, row, ci_runs.name) for row in connection.execute(query)]
    seen = {other.id for other in others}
    for other in others:
        if other.on_default:
            since = _since(connection, other, seen) if is_newest(connection, other) else None
            found.append(Sighting(other.head_sha, None, since))
        elif _is_another_change(connection, other, run):
            found.append(Sighting(other.head_sha, other.pulls[0]))
    return tuple(found)


def _is_another_change(connection: Connection, other: CiRun, run: CiRun) -> bool:
    if not other.pulls or set(other.pulls) & set(run.pulls) or other.branch == run.branch:
        return False
    return passed_before(connection, other) or not _is_merged(connection, other)


def _since(connection: Connection, newest: CiRun, seen: Collection[str]) -> int:
    """Return since when a workflow failed each time with what was ``seen`` in those runs, up to its newest one."""
    query = _of_workflow(newest).where(ci_runs.c.conclusion.in_(TELLING))
    since = newest.at
    runs: set[int] = set()
    for row in connection.execute(query.order_by(ci_runs.c.run_id.desc(), ci_runs.c.attempt.desc()).limit(SIGHTINGS)):
        if row.run_id in runs:
            continue  # the last attempt tells what a run came to
        runs.add(row.run_id)
        if row.id not in seen:
            break
        since = row.at
    return since


def _is_merged(connection: Connection, run: CiRun) -> bool:
    query = select(pulls.c.repository).where(pulls.c.number.in_(run.pulls), pulls.c.state == "merged")
    return any(name.lower() == run.repository.lower() for name in connection.execute(query).scalars())


def passed_before(connection: Connection, run: CiRun) -> bool:
    """Say whether the same workflow passed at this very commit, for the same event, in whatever attempt."""
    query = select(ci_runs.c.repository).where(
        ci_runs.c.head_sha == run.head_sha, _same_kind(run), ci_runs.c.conclusion == "success"
    )
    return any(name.lower() == run.repository.lower() for name in connection.execute(query).scalars())


def forget(connection: Connection, *, before: int) -> int:
    """Delete runs and signatures that are too old to tell anything. What was asked for about a run keeps it: the
    request says what it is about for as long as it is there."""
    connection.execute(delete(ci_signatures).where(ci_signatures.c.at < before))
    requested = exists().where(approvals.c.matter_id == ci_runs.c.id)
    asked = exists().where(asks.c.matter_id == ci_runs.c.id)
    old = delete(ci_runs).where(ci_runs.c.at < before, ci_runs.c.done >= ci_runs.c.wanted, ~requested, ~asked)
    return int(connection.execute(old).rowcount)


def _of_workflow(run: CiRun) -> Select[Any]:
    return select(ci_runs).where(
        func.lower(ci_runs.c.repository) == run.repository.lower(),
        _same_kind(run),
        ci_runs.c.branch == run.branch,
        ci_runs.c.on_default == run.on_default,
        # Forks call their branches alike.
        func.lower(ci_runs.c.source) == run.source.lower(),
    )


def _same_kind(run: CiRun) -> ColumnElement[bool]:
    """What ``RunEvent.kind`` says, as a condition."""
    one = ci_runs.c.workflow_id == run.workflow_id
    return and_(
        ci_runs.c.app == run.app,
        one if run.workflow_id else and_(one, ci_runs.c.workflow == run.workflow),
        ci_runs.c.event == run.event,
    )


def _newest_at(connection: Connection, repository: str, sha: str, *, without: str = "") -> list[Row[Any]]:
    query = select(ci_runs).where(ci_runs.c.head_sha == sha, ci_runs.c.conclusion.in_(TELLING), ci_runs.c.id != without)
    newest: dict[object, Row[Any]] = {}
    for row in connection.execute(query.order_by(ci_runs.c.run_id, ci_runs.c.attempt)):
        if row.repository.lower() == repository.lower():
            newest[parse(_RUN, row, ci_runs.name).kind] = row
    return list(newest.values())


def _later(run: CiRun) -> ColumnElement[bool]:
    again = and_(ci_runs.c.run_id == run.run_id, ci_runs.c.attempt > run.attempt)
    newer = and_(ci_runs.c.run_id > run.run_id, ci_runs.c.conclusion.in_(TELLING))
    return or_(again, newer)


def _insert(connection: Connection, table: Any, values: Mapping[str, Any], *key: Any) -> Any:
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    return insert.values(dict(values)).on_conflict_do_nothing(index_elements=list(key))
