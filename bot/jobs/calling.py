"""One call of a run: begun in the ledger, and made at most once.

Before a call its ledger row and its audit row are durable. A call whose row was there already is never repeated, unless
it only reads.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from bot.approvals.policy import Verdict
from bot.approvals.record import contradiction
from bot.chat import thread
from bot.domain.run import Run, StepState
from bot.jobs import anchoring, ledger, starting, telling
from bot.jobs.reading_back import read_back
from bot.jobs.starting import NO_RUNNER
from bot.jobs.verifying import watch
from bot.jobs.world import World
from bot.runbooks import course, execute
from bot.runbooks.access import Access
from bot.store import audit, clock, runs, stops, work
from bot.store.approvals import Request

RETRY_SECONDS = 1.0
INTERRUPTED = "Signoff was interrupted in the middle of this step."

IDLE_US = 5 * 60_000_000
"""Microseconds in which a run did nothing, beyond what its last call may take, after which it goes on only if it might
start: Signoff was down, actions were off, or a question waited for its answer."""


class NotShown(Exception):
    """What a run that has begun rests on does not agree with the audit."""


class Paused(Exception):
    """A run that has begun may not go on now. It has said why, and looks again later."""


async def call(world: World, run: Run, request: Request, ordinal: int) -> None:
    """Make one call, if it was never begun and may still be made; else find out what became of it."""
    access = world.hands(request.approval.cluster, request.plan.kinds)
    begun = await world.database.read(lambda connection: runs.step(connection, run.id, ordinal))
    if begun is not None:
        if begun.state == "started" and access is not None and execute.reads_only(request.plan, ordinal):
            await _fire(world, request, run.id, ordinal, access)
        else:
            await read_back(world, request, run.id, ordinal, INTERRUPTED)
        return
    if access is None and ordinal == 0:
        await starting.refuse(world, run, request, Verdict("refused", NO_RUNNER))
        return
    idle = await world.database.read(lambda connection: _idle(connection, request, run.id, ordinal))
    held = NO_RUNNER if access is None else await _held(world, request, run.id, ordinal, access)
    verdict = await _begin(world, run, request, ordinal, anew=idle)
    if verdict is None:
        await read_back(world, request, run.id, ordinal, INTERRUPTED)
        return
    if verdict.outcome == "waiting":
        raise Paused
    if verdict.outcome != "approved" and not idle:
        await starting.refuse(world, run, request, verdict)
        return
    why = verdict.sentence or await _late(world, request, run.id, ordinal) or held
    if why or access is None:
        await ledger.end(world, request, run.id, ordinal, "failed", f"Nothing was sent: {why}", halt=True)
    else:
        await _fire(world, request, run.id, ordinal, access)


async def _late(world: World, request: Request, run_id: str, ordinal: int) -> str:
    """Say whether a call was begun later than the runbook bounds its runs, or return an empty string."""
    steps = await world.database.read(lambda connection: runs.steps_of(connection, run_id))
    own = next(step.started_at for step in steps if step.ordinal == ordinal)
    return course.late(request.plan, ordinal, min(step.started_at for step in steps), own)


async def _held(world: World, request: Request, run_id: str, ordinal: int, access: Access) -> str:
    """Wait before the first call of a batch until the targets of the batches before are well. Returns why the run may
    not go on, or an empty string."""
    plan = request.plan
    steps = await world.database.read(lambda connection: runs.steps_of(connection, run_id))
    states: dict[int, StepState] = {step.ordinal: step.state for step in steps}
    if not course.begins_batch(plan, states, ordinal):
        return ""
    began = max(step.ended_at or step.started_at for step in steps)
    rules = {**plan.record["verification"], "stable_seconds": 0}
    whole = int((plan.record.get("limits") or {}).get("run_seconds", 0))
    if whole:
        left = whole - (began - min(step.started_at for step in steps)) // 1_000_000
        rules["deadline_seconds"] = max(0, min(rules["deadline_seconds"], left))
    verdict = await watch(world, request, states, access, began, rules)
    return "" if verdict.outcome == "helped" else f"the targets before are not well. {verdict.sentence}"


def _idle(connection: Connection, request: Request, run_id: str, ordinal: int) -> bool:
    """Say whether a run stood still for so long that it has to be judged again before this call. What takes a call back
    was approved for when things have gone wrong, and is made whenever it can be."""
    steps = runs.steps_of(connection, run_id)
    if not steps or request.plan.calls[ordinal].get("undoes") is not None:
        return False
    last = max(steps, key=lambda step: step.started_at)
    made = request.plan.calls[last.ordinal]
    takes = int((made["timeout_seconds"] + RETRY_SECONDS) * (made["retries"] + 1)) * 1_000_000
    return clock.now(connection) - last.started_at > takes + IDLE_US


async def _begin(world: World, run: Run, request: Request, ordinal: int, *, anew: bool) -> Verdict | None:
    """Write the ledger row of a call, with its audit row, in the transaction that judges for the last time whether the
    run may start; ``anew`` judges one that has begun once more, whose row then says what stops it. Returns what was
    decided, without a sentence if it goes on; None if the row was there before, or the run is to wait for its start."""
    voters = await starting.voters_of(world, request) if ordinal == 0 or anew else None
    run_id, going = run.id, Verdict("approved", "")

    def write(connection: Connection) -> Verdict | None:
        now = clock.advance(connection)
        if runs.step(connection, run_id, ordinal) is not None:
            return None
        verdict = going
        if voters is not None:
            last = starting.last_word(connection, world, request, voters.people, now, begun=anew)
            if last.outcome == "waiting" and not anew:
                starting.put_off(connection, world, run, request, last.sentence, now)
                return None
            if last.outcome != "approved" and not anew:
                return last
            verdict = going if last.outcome == "approved" else last
        stop = stops.current(connection)
        if stop is not None:
            verdict = Verdict("waiting", stop.sentence)
        if verdict.outcome == "waiting":
            _pause(connection, world, run, request, verdict.sentence, now)
            return verdict
        told, broken = audit.unbroken(connection, request.approval.name, anchors=world.anchors.seen)
        wrong = broken or contradiction(told, request.plan.digest, ordinal)
        if not wrong and world.anchors.trouble:
            wrong = f"{world.anchors.trouble}. `signoff audit verify` says what was done to it."
        if wrong:
            sentence = f"It cannot be shown that this was signed off: {wrong}"
            if runs.steps_of(connection, run_id):
                raise NotShown(sentence)
            return Verdict("refused", sentence)
        if not runs.begin_step(connection, run_id, ordinal, now=now):
            return None
        runs.note(connection, run_id, "")
        data = {"ordinal": ordinal, "action": request.plan.calls[ordinal]["action"]}
        telling.record(connection, request, "step.started", run_id, data, now)
        return verdict

    begun = await world.database.write(write)
    if begun is going:
        await anchoring.note(world)
    return begun


def _pause(connection: Connection, world: World, run: Run, request: Request, why: str, now: int) -> None:
    """Say why a run that has begun does not go on now, and look again later. It keeps its locks: it is half done."""
    why = world.redactor.text(why)
    current = runs.get(connection, run.id)
    if current.state == "running" and current.outcome != why:
        runs.note(connection, run.id, why)
        telling.record(connection, request, "run.waiting", run.id, {"why": why}, now)
    work.want(connection, "run", run.id, now=now + starting.HELD_FOR_US)
    telling.show(connection, world, request, now)
    telling.say(connection, world, request, "paused", thread.paused(request.approval, why), now)


async def _fire(world: World, request: Request, run_id: str, ordinal: int, access: Access) -> None:
    """Make the call; where the plan says so, again after it certainly had no effect."""
    retries = request.plan.calls[ordinal]["retries"]
    for left in range(retries, -1, -1):
        effect = await execute.fire(request.plan, ordinal, access, stopped=partial(_stopped, world))
        if effect.outcome == "failed" and not effect.drift and left:
            await asyncio.sleep(RETRY_SECONDS)
            again = partial(_retried, request=request, run_id=run_id, ordinal=ordinal, left=left)
            why = await world.database.write(again)
            if why and why not in effect.sentence:
                effect = replace(effect, sentence=f"{effect.sentence} It was not tried again: {why}")
            if why:
                break
            continue
        break
    if effect.outcome == "in_doubt":
        await read_back(world, request, run_id, ordinal, effect.sentence, sent=True)
        return
    drifted = bool(effect.drift) and ordinal == 0
    moved = starting.what_moved(world, request, effect.drift)
    await ledger.end(world, request, run_id, ordinal, effect.outcome, effect.sentence, void=drifted, moved=moved)


async def _stopped(world: World) -> str:
    """Say why a call that had no effect yet must not be sent again, or return an empty string."""
    stop = await world.database.read(stops.current)
    return stop.sentence if stop else ""


def _retried(connection: Connection, *, request: Request, run_id: str, ordinal: int, left: int) -> str:
    """Record that a call is made once more; returns why it must not be, or an empty string."""
    stop = stops.current(connection)
    if stop is not None:
        return stop.sentence
    now = clock.advance(connection)
    began = min(step.started_at for step in runs.steps_of(connection, run_id))
    late = course.late(request.plan, ordinal, began, now)
    if not late:
        runs.try_step(connection, run_id, ordinal, now=now)
        data = {"ordinal": ordinal, "left": left - 1}
        telling.record(connection, request, "step.retried", run_id, data, now)
    return late
