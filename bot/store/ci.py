"""CI runs as rows: what failed, why as far as its log tells, and where else the same error was seen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.ci import CiRun
from bot.domain.github import RunEvent
from bot.store import work
from bot.store.tables import ci_runs, ci_signatures
from bot.store.unreadable import parse

_RUN = TypeAdapter(CiRun)


def accept(connection: Connection, event: RunEvent) -> tuple[str, int]:
    """Store a run that ended. Returns its row and the generation of work."""
    key = f"{event.repository.lower()}\n{event.app}\n{event.run_id}\n{event.attempt}"
    row_id = "c" + hashlib.sha256(key.encode()).hexdigest()[:30]
    values = {
        "id": row_id,
        "repository": event.repository,
        "run_id": event.run_id,
        "attempt": event.attempt,
        "name": event.name,
        "app": event.app,
        "head_sha": event.head_sha,
        "branch": event.branch,
        "conclusion": event.conclusion,
        "url": event.url,
        "pulls": list(event.pulls),
        "at": event.at,
    }
    connection.execute(_insert(connection, ci_runs, values, ci_runs.c.id))
    return row_id, work.want(connection, "ci", row_id)


def get(connection: Connection, row_id: str) -> CiRun:
    """Read a run. Raises ``UnreadableRow``, or ``LookupError`` if there is none."""
    row = connection.execute(select(ci_runs).where(ci_runs.c.id == row_id)).first()
    if row is None:
        raise LookupError(f"there is no CI run {row_id}")
    return parse(_RUN, row, ci_runs.name)


def explain(connection: Connection, run: CiRun, failure: Mapping[str, Any], signatures: Sequence[str]) -> None:
    """Keep why a run failed, and the signatures of its errors."""
    connection.execute(update(ci_runs).where(ci_runs.c.id == run.id).values(failure=dict(failure)))
    for signature in signatures:
        values = {
            "run_row": run.id,
            "signature": signature,
            "repository": run.repository.lower(),
            "head_sha": run.head_sha,
            "at": run.at,
        }
        connection.execute(
            _insert(connection, ci_signatures, values, ci_signatures.c.run_row, ci_signatures.c.signature)
        )


def failures_of(connection: Connection, repository: str, sha: str) -> list[tuple[CiRun, Any]]:
    """Return the failed runs of a commit with what is known of each: of each workflow the newest attempt of the newest
    run, if that failed."""
    query = select(ci_runs).where(ci_runs.c.head_sha == sha).order_by(ci_runs.c.run_id, ci_runs.c.attempt)
    newest: dict[tuple[str, str], tuple[CiRun, Any]] = {}
    for row in connection.execute(query):
        run = parse(_RUN, row, ci_runs.name)
        if run.repository.lower() == repository.lower():
            newest[run.app, run.name] = (run, row.failure)
    return [(run, failure) for run, failure in newest.values() if run.conclusion != "success"]


def seen_elsewhere(connection: Connection, repository: str, signature: str, *, but: str) -> int:
    """Count the other commits of a repository in which an error with this signature was seen."""
    query = select(ci_signatures.c.head_sha).where(
        ci_signatures.c.signature == signature,
        ci_signatures.c.repository == repository.lower(),
        ci_signatures.c.head_sha != but,
    )
    return len(set(connection.execute(query.limit(1000)).scalars()))


def forget(connection: Connection, *, before: int) -> int:
    """Delete runs and signatures that are too old to tell anything."""
    connection.execute(delete(ci_signatures).where(ci_signatures.c.at < before))
    return int(connection.execute(delete(ci_runs).where(ci_runs.c.at < before)).rowcount)


def _insert(connection: Connection, table: Any, values: Mapping[str, Any], *key: Any) -> Any:
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    return insert.values(dict(values)).on_conflict_do_nothing(index_elements=list(key))
