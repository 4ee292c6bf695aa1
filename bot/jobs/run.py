"""A run's story: check everything again, call each step at most once, see whether it helped, and say so.

The story is driven by the run's state, so it may be taken up at any point. Before a call its ledger row and its audit
row are durable; a call whose ledger row was there already is never repeated: the world is read back instead.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.approvals import policy
from bot.approvals.terms import Terms
from bot.chat import thread
from bot.chat.card import Card
from bot.clients.kubernetes import Kubernetes
from bot.domain.approval import Electorate, Vote
from bot.domain.run import Run, RunState, StepRecord, StepState
from bot.jobs import board, proposing
from bot.jobs.engine import Steps, Story
from bot.jobs.people import FRESH, electorate
from bot.jobs.world import World
from bot.runbooks import execute, verify
from bot.store import approvals, audit, clock, incidents, locks, runs, work
from bot.store.approvals import Request

KIND = "run"
VERSION = 1

NO_RUNNER = "The cluster is no longer configured with a runner."
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
        await steps("propose anew", partial(_propose_anew, world, run_id))
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
    runner = _runner(world, request)
    if runner is None:
        await _void(world, run, request, NO_RUNNER)
        return 0
    voters = await _voters(world, request)
    verdict = policy.may_start(request.approval, request.plan, voters.votes, voters.people, voters.read_at)
    if verdict.outcome == "waiting":
        raise RuntimeError(verdict.sentence)  # the job is tried again, until the request expires
    if verdict.outcome != "approved":
        await _void(world, run, request, verdict.sentence)
        return 0
    drifted = await execute.drift(request.plan, runner)
    if drifted:
        moved = " ".join(item.sentence for item in drifted)
        await _void(world, run, request, f"The target changed after the approval: {moved}")
        return 0

    def begin(connection: Connection) -> int:
        at = clock.advance(connection)
        if runs.get(connection, run_id).state != "starting":
            return 0
        if _waits_for_another(connection, world, run, request, at):
            return 0
        runs.move(connection, run_id, before=frozenset({"starting"}), after="running", now=at)
        _record(connection, request, "run.started", run_id, {"calls": len(request.plan.calls)}, at)
        _show(connection, world, request, at)
        return len(request.plan.calls)

    return await world.database.write(begin)


def _waits_for_another(connection: Connection, world: World, run: Run, request: Request, now: int) -> bool:
    """Take the locks of a run, or say which run it waits for: that one's end starts it, and its expiry voids it."""
    holder = locks.take(connection, run.id, request.plan.locks, now=now)
    if holder is None:
        return False
    of = approvals.get(connection, runs.get(connection, holder).approval_id)
    why = f"It waits for {of.name}, which changes the same target and has not ended."
    runs.note(connection, run.id, why)
    work.want(connection, KIND, run.id, now=request.approval.expires_at)
    _record(connection, request, "run.waiting", run.id, {"for": of.name}, now)
    _show(connection, world, request, now)
    _say(connection, world, request, f"waits:{of.name}", thread.waits(request.approval, why), now)
    return True


@dataclass(frozen=True, slots=True)
class _Voters:
    """The counted votes of an approval, and how their people stand."""

    votes: tuple[Vote, ...]
    people: Electorate
    read_at: int


async def _voters(world: World, request: Request) -> _Voters:
    def read(connection: Connection) -> tuple[tuple[Vote, ...], int]:
        clicks = approvals.votes_of(connection, request.approval.id)
        return tuple(click.vote for click in clicks), clock.now(connection)

    votes, now = await world.database.read(read)
    groups = Terms.of(request.plan).groups
    people = await electorate(world, {vote.person for vote in votes}, groups, now, max_age=FRESH)
    return _Voters(votes, people, now)


def _runner(world: World, request: Request) -> Kubernetes | None:
    access = world.clusters.get(request.approval.cluster)
    return access.runner if access else None


async def _void(world: World, run: Run, request: Request, sentence: str) -> None:
    """Void an approval that may no longer run, as long as no call of it was begun."""
    sentence = world.redactor.text(sentence)
    unbegun: frozenset[RunState] = frozenset({"starting", "running"})

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if runs.steps_of(connection, run.id):
            return
        if runs.move(connection, run.id, before=unbegun, after="void", outcome=sentence, now=now):
            approvals.move(connection, request.approval.id, before="approved", after="void", outcome=sentence, now=now)
            _record(connection, request, "run.void", run.id, {"why": sentence}, now)
            _show(connection, world, request, now)
            _say(connection, world, request, "void", thread.void(request.approval, sentence), now)

    await world.database.write(write)


async def _propose_anew(world: World, run_id: str) -> None:
    """Ask for the same action with a plan of the world as it is now, if this approval became void. What asks already
    is not asked twice, so this may be done again after a crash."""
    run, request = await _load(world, run_id)
    incident = await world.database.read(lambda connection: incidents.get(connection, run.incident_id))
    if request.approval.state != "void" or incident.status != "open":
        return
    record = request.plan.record
    await proposing.propose(
        world,
        incident,
        request.approval.runbook,
        record["parameters"],
        evidence=record["evidence"],
        proposed_by=record["proposed_by"],
    )


async def _call(world: World, run_id: str, ordinal: int) -> StepState:
    """Make one call, if it was never begun and may still be made; else find out what became of it."""
    run, request = await _load(world, run_id)
    if run.state not in ("running", "verifying"):
        return "unknown"
    runner = _runner(world, request)
    begun = await world.database.read(lambda connection: runs.step(connection, run_id, ordinal))
    if begun is None and runner is None:
        await _void(world, run, request, NO_RUNNER)
        return "failed"
    if begun is None:
        refusal = await _begin(world, request, run_id, ordinal)
        if refusal:
            await _void(world, run, request, refusal)
            return "failed"
        if refusal is not None and runner is not None:
            return await _fire(world, request, run_id, ordinal, runner)
    return await _reconcile(world, request, run_id, ordinal, "Signoff was interrupted in the middle of this step.")


async def _begin(world: World, request: Request, run_id: str, ordinal: int) -> str | None:
    """Write the ledger row of a call, with its audit row, in the transaction that judges for the last time whether the
    run may start. Returns "" if it was written, why it may not be, or None if it was there before."""
    voters = await _voters(world, request) if ordinal == 0 else None

    def write(connection: Connection) -> str | None:
        now = clock.advance(connection)
        if voters is not None:
            current = approvals.request(connection, request.approval.id, lock=True)
            # Read anew: a vote may have been taken back, and another given, since its people were asked about.
            votes = [click.vote for click in approvals.votes_of(connection, request.approval.id)]
            verdict = policy.may_start(current.approval, current.plan, votes, voters.people, now)
            if verdict.outcome == "waiting":
                raise RuntimeError(verdict.sentence)
            if verdict.outcome != "approved":
                return verdict.sentence
        if not runs.begin_step(connection, run_id, ordinal, now=now):
            return None
        data = {"ordinal": ordinal, "action": request.plan.calls[ordinal]["action"]}
        _record(connection, request, "step.started", run_id, data, now)
        return ""

    return await world.database.write(write)


async def _fire(world: World, request: Request, run_id: str, ordinal: int, runner: Kubernetes) -> StepState:
    effect = await execute.fire(request.plan, ordinal, runner)
    if effect.outcome == "done":
        return await _end(world, request, run_id, ordinal, "done", effect.sentence)
    if effect.outcome == "failed":
        drifted = bool(effect.drift) and ordinal == 0
        return await _end(world, request, run_id, ordinal, "failed", effect.sentence, void=drifted)
    return await _reconcile(world, request, run_id, ordinal, effect.sentence)


async def _reconcile(world: World, request: Request, run_id: str, ordinal: int, why: str) -> StepState:
    """Read the world back after a call whose fate is not known. Never calls again: what cannot be known is asked."""

    def read(connection: Connection) -> tuple[StepRecord | None, int]:
        return runs.step(connection, run_id, ordinal), clock.now(connection)

    step, now = await world.database.read(read)
    if step is None or step.state != "started":
        return step.state if step else "unknown"
    runner = _runner(world, request)
    if runner is None:
        return await _end(world, request, run_id, ordinal, "unknown", f"{why} {NO_RUNNER}")
    # It may have been sent until its time was over: only from then on is nothing under way any more.
    waited = (now - step.started_at) / 1_000_000 - request.plan.calls[ordinal]["timeout_seconds"]
    found = await execute.read_back(request.plan, ordinal, runner, waited_seconds=max(0.0, waited))
    if found == "applied":
        return await _end(world, request, run_id, ordinal, "done", f"{why} The cluster shows that it took effect.")
    if found == "not applied":
        return await _end(
            world, request, run_id, ordinal, "failed", f"{why} The cluster shows that nothing was changed."
        )
    return await _end(world, request, run_id, ordinal, "unknown", why)


async def _end(
    world: World, request: Request, run_id: str, ordinal: int, state: StepState, detail: str, *, void: bool = False
) -> StepState:
    """Complete a step, and the run if that decides it. ``void`` voids the approval too: its target had moved."""
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
            if void:
                held = request.approval.id
                approvals.move(connection, held, before="approved", after="void", outcome=detail, now=now)
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
    runner = _runner(world, request)
    if runner is None:
        return await _conclude(world, request, run_id, verify.Verdict("cannot tell", NO_RUNNER))
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
    _say(connection, world, request, f"unknown:{step.ordinal}", card, now, urgent=True)


def _record(connection: Connection, request: Request, kind: str, run_id: str, data: dict[str, Any], now: int) -> None:
    facts = {"run": run_id, "digest": request.plan.digest, "cluster": request.approval.cluster, **data}
    audit.append(connection, at=now, kind=kind, actor="signoff", subject=request.approval.name, data=facts)


def _show(connection: Connection, world: World, request: Request, now: int) -> None:
    board.show_approval(connection, world, request.approval.id, now=now)
    board.show(connection, world, request.approval.incident_id, now=now)


def _say(
    connection: Connection, world: World, request: Request, what: str, card: Card, now: int, *, urgent: bool = False
) -> None:
    incident = incidents.get(connection, request.approval.incident_id)
    board.say(connection, world, incident, f"{what}:{request.approval.name}", card, now=now, urgent=urgent)
