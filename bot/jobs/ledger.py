"""The ledger of a run: what became of each step, and what that makes of the run in the same transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.domain.run import FINAL, Run, RunState, StepState
from bot.jobs import board, telling
from bot.jobs.world import World
from bot.runbooks import course
from bot.runbooks.execute import REQUEST_LIMIT_SECONDS
from bot.store import approvals, audit, clock, runs, work
from bot.store.approvals import Request

NO_CALL = -1
SETTLED_AFTER_US = int(REQUEST_LIMIT_SECONDS * 1_000_000)
"""Microseconds after a call can last have been sent, from which on nothing of it is under way any more."""
GOING: frozenset[RunState] = frozenset({"running", "rolling_back"})


def read(connection: Connection, run_id: str) -> dict[int, StepState]:
    """Return the state of each step that was begun."""
    return {step.ordinal: step.state for step in runs.steps_of(connection, run_id)}


async def coming(world: World, run_id: str) -> int:
    """Return the call that the run makes next, or whose fate it has to find out; ``NO_CALL`` if there is none."""

    def next_call(connection: Connection) -> int:
        run = runs.get(connection, run_id)
        plan = approvals.request(connection, run.approval_id).plan
        if run.state not in GOING:
            return NO_CALL
        return course.following(plan, read(connection, run_id), undoing=run.state == "rolling_back").ordinal

    return await world.database.read(next_call)


async def end(
    world: World,
    request: Request,
    run_id: str,
    ordinal: int,
    state: StepState,
    detail: str,
    *,
    void: bool = False,
    moved: str = "",
    halt: bool = False,
    open_until: int | None = None,
) -> None:
    """Complete a step, and the run if that decides it. ``void`` voids the approval too: its target had ``moved``.
    ``halt`` ends the run whatever failures the plan tolerates. One in doubt may still take effect until ``open_until``,
    when it is looked at again."""
    detail = world.redactor.text(detail)

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if not runs.end_step(connection, run_id, ordinal, state=state, detail=detail, now=now, open_until=open_until):
            return
        data = {"ordinal": ordinal, "detail": detail} | ({"moved": moved} if moved else {})
        telling.record(connection, request, f"step.{state}", run_id, data, now)
        after = _advance(connection, request, run_id, detail, now, halt=halt)
        if void and after == "failed":
            held = request.approval.id
            approvals.move(connection, held, before="approved", after="void", outcome=detail, now=now, moved=moved)
        if open_until is not None:
            telling.question(connection, world, request, run_id, now=now)
            work.want(connection, "run", run_id, now=open_until)
        telling.show(connection, world, request, now)
        telling.step(connection, world, request, run_id, ordinal, now, moved=moved)

    await world.database.write(write)


def answered(
    connection: Connection,
    world: World,
    request: Request,
    run: Run,
    *,
    applied: bool,
    sentence: str,
    now: int,
    anew: bool = False,
) -> int | None:
    """Settle the step in doubt, as ``sentence`` says who knows it; ``anew`` offers to ask for the same again. Returns
    the generation that goes on with the run."""
    step = next(each for each in runs.steps_of(connection, run.id) if each.state == "unknown")
    state: StepState = "done" if applied else "failed"
    runs.end_step(connection, run.id, step.ordinal, state=state, detail=sentence, now=now)
    # The question was the outcome so far; what follows has its own.
    after = _advance(connection, request, run.id, sentence, now)
    telling.question(connection, world, request, run.id, now=now, answered=sentence, about=step, anew=anew)
    telling.show(connection, world, request, now)
    if after in FINAL:
        telling.end(connection, world, request, runs.get(connection, run.id), now)
        # It is not looked at again.
        work.done(connection, "run", run.id, work.wanted(connection, "run", run.id))
        return None
    return work.want(connection, "run", run.id)


def doubt(connection: Connection, world: World, run: Run, ordinal: int, why: str, now: int) -> None:
    """Ask what became of a call that was under way when its run had to be stopped: its request cannot be relied on."""
    until = now + SETTLED_AFTER_US
    runs.end_step(connection, run.id, ordinal, state="unknown", detail=why, now=now, open_until=until)
    data = {"run": run.id, "ordinal": ordinal, "detail": why}
    audit.append(connection, at=now, kind="step.unknown", actor="signoff", subject=f"run {run.id}", data=data)
    doubted = next(each for each in runs.steps_of(connection, run.id) if each.ordinal == ordinal)
    telling.question_by_audit(connection, world, run, doubted, now=now)


def closed(connection: Connection, world: World, run: Run, *, applied: bool, sentence: str, now: int) -> None:
    """Take a person's word for the step in doubt of a run whose request cannot be relied on: it goes no further."""
    step = next(each for each in runs.steps_of(connection, run.id) if each.state == "unknown")
    runs.end_step(connection, run.id, step.ordinal, state="done" if applied else "failed", detail=sentence, now=now)
    after: RunState = "inconclusive" if applied else "failed"
    outcome = f"{sentence} It ends here: what was signed off cannot be relied on."
    if runs.move(connection, run.id, before=frozenset({"unknown"}), after=after, outcome=outcome, now=now):
        data = {"run": run.id, "why": outcome}
        audit.append(connection, at=now, kind=f"run.{after}", actor="signoff", subject=f"run {run.id}", data=data)
    telling.question_by_audit(connection, world, run, step, now=now, answered=outcome)
    board.show(connection, world, run.matter_id, now=now)


def _advance(
    connection: Connection, request: Request, run_id: str, detail: str, now: int, *, halt: bool = False
) -> RunState:
    """Bring the run to the state that its ledger asks for. Returns it."""
    plan, run = request.plan, runs.get(connection, run_id)
    ledger = read(connection, run_id)
    undoing = run.state == "rolling_back" or course.went_back(plan, ledger)
    then = course.halted(plan, ledger) if halt else course.following(plan, ledger, undoing=undoing)
    outcome = detail
    match then.what:
        case "ask":
            after: RunState = "unknown"
        case "call":
            backward = plan.calls[then.ordinal].get("undoes") is not None
            after, outcome = ("rolling_back", run.outcome or detail) if backward else ("running", "")
        case "verify":
            after, outcome = "verifying", ""
        case "undone":
            after, outcome = "rolled_back", f"{run.outcome or detail} What was done before is taken back."
        case _:
            after = "failed"
            outcome = " ".join(part for part in (run.outcome if undoing else "", detail, then.sentence) if part)
    if after == run.state:
        return after
    before: frozenset[RunState] = GOING | {"verifying", "unknown"}
    if runs.move(connection, run_id, before=before, after=after, outcome=outcome, now=now) and after != "running":
        telling.record(connection, request, f"run.{after}", run_id, {"why": outcome}, now)
    return after
