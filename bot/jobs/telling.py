"""What is told of a run: its audit rows, its cards, its lines in the thread and the question to people."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.chat import run_steps, thread
from bot.chat.card import Card
from bot.domain.run import FINAL, Run, StepRecord
from bot.jobs import board
from bot.jobs.world import World
from bot.runbooks import execute
from bot.store import audit, matters, runs
from bot.store.approvals import Request

FEW_CALLS = 8
"""Calls of a plan that have a line each in the thread."""


def record(connection: Connection, request: Request, kind: str, run_id: str, data: dict[str, Any], now: int) -> None:
    """Write an audit row about a run, in the caller's transaction."""
    facts = {"run": run_id, "digest": request.plan.digest, "cluster": request.approval.cluster, **data}
    audit.append(connection, at=now, kind=kind, actor="signoff", subject=request.approval.name, data=facts)


def show(connection: Connection, world: World, request: Request, now: int) -> None:
    """Show the cards of the request and of its incident as they are now."""
    board.show_approval(connection, world, request.approval.id, now=now)
    board.show(connection, world, request.approval.matter_id, now=now)


def say(
    connection: Connection, world: World, request: Request, what: str, card: Card, now: int, *, urgent: bool = False
) -> None:
    """Say something in the matter's thread. What is said again about the same ``what`` edits it."""
    matter = matters.get(connection, request.approval.matter_id)
    board.say(connection, world, matter, f"{what}:{request.approval.name}", card, now=now, urgent=urgent)


def step(
    connection: Connection, world: World, request: Request, run_id: str, ordinal: int, now: int, *, moved: str = ""
) -> None:
    """Say what became of a step: a line each for a few calls, one line that is edited for many, with a file of all
    details at the end. ``moved`` says what had changed that it met."""
    plan, approval = request.plan, request.approval
    run, steps = runs.get(connection, run_id), runs.steps_of(connection, run_id)
    done = next(each for each in steps if each.ordinal == ordinal)
    few = len(plan.calls) <= FEW_CALLS
    if few and done.state == "done":
        what = plan.calls[ordinal]["step"] if len(plan.calls) > 1 else ""
        back = plan.calls[ordinal].get("undoes") is not None
        card = thread.step_done(approval, ordinal, plan.forward, done.detail, what=what, back=back)
        say(connection, world, request, f"step:{ordinal}", card, now)
    elif few and done.state == "failed" and run.state not in FINAL:
        card = thread.step_failed(approval, plan.calls[ordinal]["step"], done.detail)
        say(connection, world, request, f"step:{ordinal}", card, now)
    elif not few:
        card = thread.progress(approval, run_steps.counted(plan, steps))
        say(connection, world, request, "steps", card, now)
    if run.state in FINAL:
        end(connection, world, request, run, now, moved=moved)
    if not few and run.state in FINAL | {"verifying"}:
        board.attach_steps(connection, world, request, run, now=now)


def end(connection: Connection, world: World, request: Request, run: Run, now: int, *, moved: str = "") -> None:
    """Say how a run ended, and what had ``moved`` if that ended it."""
    say(connection, world, request, "end", thread.ended(request.approval, run, moved), now)


def question(
    connection: Connection,
    world: World,
    request: Request,
    run_id: str,
    *,
    now: int,
    answered: str = "",
    about: StepRecord | None = None,
    looked: str = "",
    anew: bool = True,
) -> None:
    """Ask people about a run whose step may or may not have taken effect. Until it was ``looked`` at again nobody can
    say that it did not; ``answered`` closes the question. ``anew`` offers to ask for the same again."""
    run = runs.get(connection, run_id)
    doubted = about or runs.steps_of(connection, run_id)[-1]
    call = request.plan.calls[doubted.ordinal]
    target = execute.target_of(request.plan, doubted.ordinal)
    look = f"{target} in {target.cluster}" if target.resource.in_kubernetes else f"{target} ({target.system})"
    undoes = call.get("undoes")
    # Asked for again, it would be what was taken back, and not its taking back.
    card = thread.question(
        request.approval.name,
        run,
        f"{call['action']}: {doubted.detail}",
        look=look,
        looked=looked,
        open_until=None if looked else doubted.open_until,
        answered=answered,
        again=anew and undoes is None,
        back="" if undoes is None else request.plan.calls[undoes]["step"],
    )
    say(connection, world, request, f"unknown:{doubted.ordinal}", card, now, urgent=True)


def question_by_audit(
    connection: Connection, world: World, run: Run, doubted: StepRecord, *, now: int, answered: str = ""
) -> None:
    """Ask people about a step of a run whose request cannot be relied on: all that is said of it is the audit's."""
    name = audit.subject_of_run(connection, run.id) or "A run"
    events = audit.of_subjects(connection, [name])
    asked = next((event.data for event in events if event.kind == "approval.requested"), {})
    begun = (event.data for event in events if event.kind == "step.started" and event.data.get("run") == run.id)
    call = next((data for data in begun if data.get("ordinal") == doubted.ordinal), {})
    targets = asked.get("targets")
    look = ", ".join(str(each) for each in targets[:FEW_CALLS]) if isinstance(targets, list) else ""
    what = f"{call.get('action', 'a step')}: {doubted.detail}"
    where = f"{look} in {call.get('cluster')}" if look else ""
    card = thread.question(name, run, what, look=where, answered=answered, again=False)
    matter = matters.get(connection, run.matter_id)
    board.say(connection, world, matter, f"unknown:{doubted.ordinal}:{name}", card, now=now, urgent=True)
