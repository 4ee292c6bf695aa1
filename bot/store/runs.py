"""Runs and their action ledger as rows. A run starts at most once; a ledger row is written before its call."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.run import FINAL, UNBEGUN, Run, RunState, StepRecord, StepState
from bot.store import locks, work
from bot.store.incidents import new_id
from bot.store.tables import approvals, runs, steps
from bot.store.unreadable import parse

_RUN = TypeAdapter(Run)
_STEP = TypeAdapter(StepRecord)


def start(connection: Connection, *, approval_id: str, matter_id: str, now: int) -> Run | None:
    """Create the one run of an approval and ask for its job. Returns None if the approval has a run already."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    run_id = new_id()
    created = connection.execute(
        insert(runs)
        .values(id=run_id, approval_id=approval_id, matter_id=matter_id, state="starting", started_at=now, outcome="")
        .on_conflict_do_nothing(index_elements=[runs.c.approval_id])
    )
    if created.rowcount != 1:
        return None
    work.want(connection, "run", run_id)
    return get(connection, run_id)


def held(connection: Connection, *, now: int) -> list[str]:
    """Return the ids of the runs that wait to begin, or to go on later than ``now``; none that makes a call now."""
    going = runs.c.state.in_(("running", "rolling_back")) & (runs.c.not_before > now)
    return list(connection.execute(select(runs.c.id).where((runs.c.state == "starting") | going)).scalars())


def get(connection: Connection, run_id: str) -> Run:
    """Read a run. Raises ``UnreadableRow`` if it no longer parses."""
    return _run(connection.execute(select(runs).where(runs.c.id == run_id)).one())


def begun(connection: Connection, *, runbook: str, cluster: str, since: int) -> list[int]:
    """Return when the runs of a runbook in a cluster made their first call, of those that did after ``since``."""
    query = (
        select(steps.c.started_at)
        .join(runs, runs.c.id == steps.c.run_id)
        .join(approvals, approvals.c.id == runs.c.approval_id)
        .where(steps.c.ordinal == 0, steps.c.started_at > since)
        .where(approvals.c.runbook == runbook, approvals.c.cluster == cluster)
    )
    return list(connection.execute(query).scalars())


def find(connection: Connection, run_id: str) -> Run | None:
    """Read a run, or None if there is no such one."""
    row = connection.execute(select(runs).where(runs.c.id == run_id)).first()
    return _run(row) if row else None


def of_approval(connection: Connection, approval_id: str) -> Run | None:
    """Read the run of an approval, if it has one."""
    row = connection.execute(select(runs).where(runs.c.approval_id == approval_id)).first()
    return _run(row) if row else None


def move(
    connection: Connection, run_id: str, *, before: frozenset[RunState], after: RunState, outcome: str = "", now: int
) -> bool:
    """Change a run's state by compare-and-set. Returns whether this call did it. A run that is final holds no lock."""
    values: dict[str, Any] = {"state": after, "outcome": outcome[:1000]}
    if after in FINAL:
        values["ended_at"] = now
    statement = update(runs).where(runs.c.id == run_id, runs.c.state.in_(before))
    if connection.execute(statement.values(**values)).rowcount != 1:
        return False
    if after in FINAL:
        locks.release(connection, run_id, now=now)
    return True


def put_back(connection: Connection, run_id: str, *, now: int) -> bool:
    """Let a run that is going on and has made no call wait again, without its locks. Returns whether this call did."""
    made = select(steps.c.ordinal).where(steps.c.run_id == run_id).exists()
    back = update(runs).where(runs.c.id == run_id, runs.c.state == "running", ~made)
    if connection.execute(back.values(state="starting")).rowcount != 1:
        return False
    locks.release(connection, run_id, now=now)
    return True


def note(connection: Connection, run_id: str, outcome: str) -> None:
    """Say on a run that has not begun, or that goes on, what it waits for; nothing, if for nothing any more."""
    statement = update(runs).where(runs.c.id == run_id, runs.c.state.in_(("starting", "running")))
    connection.execute(statement.values(outcome=outcome[:1000]))


def has_begun(connection: Connection, run: Run | None) -> bool:
    """Say whether a run has made its first call, or is about to: until then it can be stopped."""
    if run is None or run.state not in UNBEGUN:
        return run is not None
    return connection.execute(select(steps.c.ordinal).where(steps.c.run_id == run.id).limit(1)).first() is not None


def end_unbegun(connection: Connection, run: Run | None, *, outcome: str, now: int) -> bool:
    """End a run that has not begun as void, whoever ends its request. Returns whether this call did: one that has begun
    goes on."""
    if run is None or has_begun(connection, run):
        return False
    return move(connection, run.id, before=UNBEGUN, after="void", outcome=outcome, now=now)


def begin_step(connection: Connection, run_id: str, ordinal: int, *, now: int) -> bool:
    """Write the ledger row of a call, before the call. Returns False if it was written before: then never call again,
    read the world back instead."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    written = connection.execute(
        insert(steps)
        .values(run_id=run_id, ordinal=ordinal, state="started", started_at=now, tried_at=now, detail="")
        .on_conflict_do_nothing()
    )
    return written.rowcount == 1


def try_step(connection: Connection, run_id: str, ordinal: int, *, now: int) -> None:
    """Note on a ledger row that its call is about to be sent once more."""
    statement = update(steps).where(steps.c.run_id == run_id, steps.c.ordinal == ordinal)
    connection.execute(statement.values(tried_at=now))


def end_step(
    connection: Connection,
    run_id: str,
    ordinal: int,
    *,
    state: StepState,
    detail: str,
    now: int,
    open_until: int | None = None,
) -> bool:
    """Complete a ledger row; one in doubt may still take effect until ``open_until``. Returns whether this call did it:
    a step that ended stays as it ended."""
    statement = update(steps).where(
        steps.c.run_id == run_id, steps.c.ordinal == ordinal, steps.c.state.in_(("started", "unknown"))
    )
    values = {"state": state, "detail": detail[:1000], "ended_at": now, "open_until": open_until}
    return connection.execute(statement.values(**values)).rowcount == 1


def step(connection: Connection, run_id: str, ordinal: int) -> StepRecord | None:
    """Read one ledger row."""
    row = connection.execute(select(steps).where(steps.c.run_id == run_id, steps.c.ordinal == ordinal)).first()
    return None if row is None else _step(row)


def steps_of(connection: Connection, run_id: str) -> list[StepRecord]:
    """Return a run's ledger, in order."""
    return [
        _step(r) for r in connection.execute(select(steps).where(steps.c.run_id == run_id).order_by(steps.c.ordinal))
    ]


def in_doubt(connection: Connection, run_id: str) -> StepRecord | None:
    """Return the step of a run of which nobody knows whether it took effect, if there is one."""
    return next((step for step in steps_of(connection, run_id) if step.state == "unknown"), None)


def _run(row: Row[Any]) -> Run:
    return parse(_RUN, row, "runs")


def _step(row: Row[Any]) -> StepRecord:
    return parse(_STEP, row, "run_steps", named="run_id")
