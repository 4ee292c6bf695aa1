"""A run's story: check everything again, call each step at most once, see whether it helped, and say so.

The story is driven by the run's state, so it may be taken up at any point. Before a call its ledger row and its audit
row are durable; a call whose ledger row was there already is never repeated: the world is read back instead.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.approvals import policy
from bot.chat import thread
from bot.chat.card import Card
from bot.domain.run import Run, RunState, StepRecord, StepState
from bot.jobs import board, proposing
from bot.jobs.engine import Steps, Story
from bot.jobs.people import electorate
from bot.jobs.world import World
from bot.runbooks import execute, verify
from bot.store import approvals, audit, clock, incidents, runs, work
from bot.store.approvals import Request

KIND = "run"
VERSION = 1

_AFTER: dict[str, RunState] = {"helped": "succeeded", "did not help": "unhelpful", "cannot tell": "inconclusive"}


def story(world: World) -> Story:
    """Return the story of one run."""

    async def run(steps: Steps, run_id: str, generation: int) -> None:
        calls = await steps("check", partial(_check, world, run_id))
        world.outbox.kick()
        for ordinal in range(calls):
            state = await steps(f"call {ordinal}", partial(_call, world, run_id, ordinal))
            world.outbox.kick()
            if state != "done":
                break
        else:
            if calls:
                await steps("verify", partial(_verify, world, run_id))
        await steps("finish", world.database.write, partial(_finish, run_id=run_id, generation=generation))
        world.outbox.kick()

    return run


async def _load(world: World, run_id: str) -> tuple[Run, Request]:
    def read(connection: Connection) -> tuple[Run, Request]:
        found = runs.get(connection, run_id)
        return found, approvals.request(connection, found.approval_id)

    return await world.database.read(read)


async def _check(world: World, run_id: str) -> int:
    """Check digest, expiry, people and drift anew. Returns how many calls to make: none if the run may not go on."""
    run, request = await _load(world, run_id)
    if run.state in ("running", "verifying"):
        return len(request.plan.calls)
    if run.state != "starting":
        return 0
    access = world.clusters.get(request.approval.cluster)
    if access is None or access.runner is None:
        return await _void(world, run, request, "The cluster is no longer configured with a runner.", again=False)
    clicks = await world.database.read(lambda connection: approvals.votes_of(connection, request.approval.id))
    votes = [click.vote for click in clicks]
    now = await world.database.read(clock.now)
    people = await electorate(world, {vote.person for vote in votes}, now)
    verdict = policy.may_start(request.approval, request.plan, votes, people, now)
    if verdict.outcome == "waiting":
        raise RuntimeError(verdict.sentence)  # the job is tried again, until the request expires
    if verdict.outcome != "approved":
        return await _void(world, run, request, verdict.sentence, again=False)
    drifted = await execute.drift(request.plan, access.runner)
    if drifted:
        sentence = "The target changed after the approval: " + " ".join(item.sentence for item in drifted)
        return await _void(world, run, request, sentence, again=True)

    def begin(connection: Connection) -> int:
        at = clock.advance(connection)
        # The last look and the start are one transaction: time may have passed since the people were read.
        current = approvals.request(connection, request.approval.id, lock=True)
        if policy.may_start(current.approval, current.plan, votes, people, at).outcome != "approved":
            raise RuntimeError("the approval changed while its run was starting: it is judged again")
        if not runs.move(connection, run_id, before=frozenset({"starting"}), after="running", now=at):
            return 0
        _record(connection, request, "run.started", run_id, {"calls": len(current.plan.calls)}, at)
        _show(connection, world, request, at)
        return len(current.plan.calls)

    return await world.database.write(begin)


async def _void(world: World, run: Run, request: Request, sentence: str, *, again: bool) -> int:
    """Void an approval that may no longer run. ``again`` proposes anew with a fresh plan: only the target moved."""
    sentence = world.redactor.text(sentence)

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if runs.move(connection, run.id, before=frozenset({"starting"}), after="void", outcome=sentence, now=now):
            approvals.move(connection, request.approval.id, before="approved", after="void", outcome=sentence, now=now)
            _record(connection, request, "run.void", run.id, {"why": sentence}, now)
            _show(connection, world, request, now)
            _say(connection, world, request, "void", thread.void(request.approval, sentence), now)

    await world.database.write(write)
    if again:
        await _propose_anew(world, request)
    return 0


async def _propose_anew(world: World, request: Request) -> None:
    """Ask for the same action with a plan of the world as it is now."""
    record = request.plan.record
    await proposing.propose(
        world,
        await world.database.read(lambda connection: incidents.get(connection, request.approval.incident_id)),
        request.approval.runbook,
        record["parameters"],
        evidence=record["evidence"],
        proposed_by=record["proposed_by"],
    )


async def _call(world: World, run_id: str, ordinal: int) -> StepState:
    run, request = await _load(world, run_id)
    if run.state not in ("running", "verifying"):
        return "unknown"
    runner = world.clusters[request.approval.cluster].runner
    if runner is None:
        raise RuntimeError("a run without a runner cannot have been started")

    def intend(connection: Connection) -> bool:
        now = clock.advance(connection)
        fresh = runs.begin_step(connection, run_id, ordinal, now=now)
        if fresh:
            call = request.plan.calls[ordinal]
            data = {"ordinal": ordinal, "action": call["action"], "digest": request.plan.digest}
            _record(connection, request, "step.started", run_id, data, now)
        return fresh

    if await world.database.write(intend):
        effect = await execute.fire(request.plan, ordinal, runner)
        if effect.outcome == "done":
            return await _end(world, request, run_id, ordinal, "done", effect.sentence)
        if effect.outcome == "failed":
            state = await _end(world, request, run_id, ordinal, "failed", effect.sentence)
            if effect.drift and ordinal == 0:
                await _propose_anew(world, request)
            return state
        why = effect.sentence
    else:
        why = "Signoff was interrupted in the middle of this step."
    return await _reconcile(world, request, run_id, ordinal, runner, why)


async def _reconcile(world: World, request: Request, run_id: str, ordinal: int, runner: Any, why: str) -> StepState:
    """Read the world back after a call whose fate is not known. Never calls again: what cannot be known is asked."""

    def read(connection: Connection) -> tuple[StepRecord | None, int]:
        return runs.step(connection, run_id, ordinal), clock.now(connection)

    step, now = await world.database.read(read)
    if step is None or step.state != "started":
        return step.state if step else "unknown"
    waited = (now - step.started_at) / 1_000_000
    found = await execute.read_back(request.plan, ordinal, runner, waited_seconds=waited)
    if found == "applied":
        return await _end(world, request, run_id, ordinal, "done", f"{why} The cluster shows that it took effect.")
    if found == "not applied":
        return await _end(
            world, request, run_id, ordinal, "failed", f"{why} The cluster shows that nothing was changed."
        )
    return await _end(world, request, run_id, ordinal, "unknown", why)


async def _end(world: World, request: Request, run_id: str, ordinal: int, state: StepState, detail: str) -> StepState:
    detail = world.redactor.text(detail)

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if not runs.end_step(connection, run_id, ordinal, state=state, detail=detail, now=now):
            return
        _record(connection, request, f"step.{state}", run_id, {"ordinal": ordinal, "detail": detail}, now)
        going: frozenset[RunState] = frozenset({"running"})
        if state == "failed":
            runs.move(connection, run_id, before=going, after="failed", outcome=detail, now=now)
            _record(connection, request, "run.failed", run_id, {"why": detail}, now)
        elif state == "unknown":
            runs.move(connection, run_id, before=going, after="unknown", outcome=detail, now=now)
            _record(connection, request, "run.unknown", run_id, {"why": detail}, now)
            ask(connection, world, request, run_id, now=now)
        elif ordinal == len(request.plan.calls) - 1:
            runs.move(connection, run_id, before=going, after="verifying", now=now)
        _show(connection, world, request, now)
        if state == "done":
            card = thread.step_done(request.approval, ordinal, len(request.plan.calls), detail)
            _say(connection, world, request, f"step:{ordinal}", card, now)
        elif state == "failed":
            _say(connection, world, request, "end", thread.ended(request.approval, runs.get(connection, run_id)), now)

    await world.database.write(write)
    return state


def answered(
    connection: Connection, world: World, request: Request, run: Run, *, applied: bool, sentence: str, now: int
) -> int | None:
    """Take a person's word for what became of the step in doubt. Returns the generation that goes on with the run."""
    step = runs.steps_of(connection, run.id)[-1]
    state: StepState = "done" if applied else "failed"
    runs.end_step(connection, run.id, step.ordinal, state=state, detail=sentence, now=now)
    last = step.ordinal == len(request.plan.calls) - 1
    after: RunState = ("verifying" if last else "running") if applied else "failed"
    runs.move(connection, run.id, before=frozenset({"unknown"}), after=after, outcome=sentence, now=now)
    _record(connection, request, f"run.{after}", run.id, {"why": sentence}, now)
    ask(connection, world, request, run.id, now=now, answered=sentence)
    _show(connection, world, request, now)
    if not applied:
        _say(connection, world, request, "end", thread.ended(request.approval, runs.get(connection, run.id)), now)
        return None
    return work.want(connection, KIND, run.id)


async def _verify(world: World, run_id: str) -> str:
    """Watch until the verification has a verdict; it always has one at its deadline."""
    run, request = await _load(world, run_id)
    if run.state != "verifying":
        return run.state
    ledger = await world.database.read(lambda connection: runs.steps_of(connection, run_id))
    started = max((step.ended_at or step.started_at for step in ledger), default=run.started_at)
    runner = world.clusters[request.approval.cluster].runner
    if runner is None:
        raise RuntimeError("a run without a runner cannot have been started")
    observations: list[verify.Observation] = []
    said = ""
    while True:
        now = await world.database.read(clock.now)
        observation = await verify.observe(request.plan, runner, now=now)
        observations.append(observation)
        verdict = verify.judge(request.plan.record["verification"], started, observations, now)
        if verdict is not None:
            return await _conclude(world, request, run_id, verdict)
        if observation.sentence != said:
            said = observation.sentence
            await world.database.write(partial(_progress, world=world, request=request, run_id=run_id, text=said))
            world.outbox.kick()
        await asyncio.sleep(world.verify_poll_seconds)


def _progress(connection: Connection, *, world: World, request: Request, run_id: str, text: str) -> None:
    now = clock.now(connection)
    _say(connection, world, request, "progress", thread.progress(request.approval, world.redactor.text(text)), now)


async def _conclude(world: World, request: Request, run_id: str, verdict: verify.Verdict) -> str:
    after = _AFTER[verdict.outcome]
    sentence = world.redactor.text(verdict.sentence)

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if runs.move(connection, run_id, before=frozenset({"verifying"}), after=after, outcome=sentence, now=now):
            _record(connection, request, f"run.{after}", run_id, {"verdict": sentence}, now)
            _show(connection, world, request, now)
            _say(connection, world, request, "end", thread.ended(request.approval, runs.get(connection, run_id)), now)

    await world.database.write(write)
    return after


def _finish(connection: Connection, *, run_id: str, generation: int) -> None:
    work.done(connection, KIND, run_id, generation)


def ask(connection: Connection, world: World, request: Request, run_id: str, *, now: int, answered: str = "") -> None:
    """Ask people about a run whose step may or may not have taken effect; ``answered`` closes the question."""
    run = runs.get(connection, run_id)
    step = runs.steps_of(connection, run_id)[-1]
    call = request.plan.calls[step.ordinal]
    target = request.plan.targets[call["target"]]
    look = f"{target['kind']} {target['namespace']}/{target['name']} in {request.approval.cluster}"
    card = thread.question(request.approval, run, f"{call['action']}: {step.detail}", look=look, answered=answered)
    _say(connection, world, request, f"unknown:{step.ordinal}", card, now)


def _record(connection: Connection, request: Request, kind: str, run_id: str, data: dict[str, Any], now: int) -> None:
    facts = {"run": run_id, "digest": request.plan.digest, "cluster": request.approval.cluster, **data}
    audit.append(connection, at=now, kind=kind, actor="signoff", subject=request.approval.name, data=facts)


def _show(connection: Connection, world: World, request: Request, now: int) -> None:
    board.show_approval(connection, world, request.approval.id, now=now)
    board.show(connection, world, request.approval.incident_id, now=now)


def _say(connection: Connection, world: World, request: Request, what: str, card: Card, now: int) -> None:
    incident = incidents.get(connection, request.approval.incident_id)
    board.say(connection, world, incident, f"{what}:{request.approval.name}", card, now=now)
