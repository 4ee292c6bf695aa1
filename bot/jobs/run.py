"""A run's story: check everything again, call each step at most once, see whether it helped, and say so.

The story is driven by the run's state, so it may be taken up at any point. Before a call its ledger row and its audit
row are durable; a call whose ledger row was there already is never repeated: the world is read back instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.approvals import needs, policy
from bot.approvals.record import contradiction
from bot.approvals.terms import Terms
from bot.chat import run_steps, thread
from bot.chat.card import Card
from bot.domain.approval import Electorate, Vote
from bot.domain.policy import BREAK_GLASS
from bot.domain.run import FINAL, Run, RunState, StepRecord, StepState
from bot.jobs import anchoring, board, holds, proposing
from bot.jobs.engine import Steps, Story
from bot.jobs.people import FRESH, electorate
from bot.jobs.world import World
from bot.runbooks import course, execute, verify
from bot.runbooks.access import Access
from bot.store import approvals, audit, clock, incidents, locks, runs, stops, unreadable, work
from bot.store.approvals import Request
from bot.store.unreadable import UnreadableRow

KIND = "run"
VERSION = 1

HELD_FOR_US = 15_000_000
"""Microseconds after which a run that may not begin yet looks again."""
NO_RUNNER = "The cluster is no longer configured with a runner."
NO_CALL = -1
GOING: frozenset[RunState] = frozenset({"running", "rolling_back"})
RETRY_SECONDS = 1.0
FEW_CALLS = 8
"""Calls of a plan that have a line each in the thread."""
_AFTER: dict[str, RunState] = {"helped": "succeeded", "did not help": "unhelpful", "cannot tell": "inconclusive"}


def story(world: World) -> Story:
    """Return the story of one run."""

    async def run(steps: Steps, run_id: str, generation: int) -> None:
        async def calls(ordinal: int) -> None:
            while ordinal != NO_CALL:
                ordinal = await steps(f"call {ordinal}", partial(_relying, world, run_id, _call, ordinal))
                world.outbox.kick()

        await calls(await steps("check", partial(_relying, world, run_id, _check)))
        # What did not help may have to be taken back, which are calls again.
        await calls(await steps("verify", partial(_relying, world, run_id, _verify)))
        await steps("propose anew", partial(_propose_anew, world, run_id))
        await steps("finish", world.database.write, partial(_finish, run_id=run_id, generation=generation))
        world.outbox.kick()

    return run


class _NotShown(Exception):
    """What a run that has begun rests on does not agree with the audit."""


async def _relying(world: World, run_id: str, part: Callable[..., Awaitable[int]], *more: int) -> int:
    """Do a part of the story, or stop the run if what it rests on is not as Signoff wrote it."""
    try:
        return await part(world, run_id, *more)
    except UnreadableRow as problem:
        await _set_aside(world, run_id, f"What was signed off cannot be relied on: {problem}.", problem)
    except _NotShown as refusal:
        await _set_aside(world, run_id, str(refusal))
    return NO_CALL


async def _load(world: World, run_id: str) -> tuple[Run, Request]:
    def read(connection: Connection) -> tuple[Run, Request]:
        found = runs.get(connection, run_id)
        return found, approvals.request(connection, found.approval_id)

    return await world.database.read(read)


async def _check(world: World, run_id: str) -> int:
    """Check digest, expiry, people and drift anew. Returns the first call to make, or to see to: ``NO_CALL`` if the run
    may not go on."""
    run, request = await _load(world, run_id)
    if run.state in GOING:
        return await _coming(world, run_id)
    if run.state != "starting":
        return NO_CALL
    access = _access(world, request)
    if access is None:
        await _void(world, run, request, NO_RUNNER)
        return NO_CALL
    outdated = needs.outdated(request.plan, world.catalogue.runbooks, world.rules.policy_digest)
    if outdated:
        await _void(world, run, request, outdated)
        return NO_CALL
    voters = await _voters(world, request)
    verdict = policy.may_start(request.approval, request.plan, voters.votes, voters.people, voters.read_at)
    if verdict.outcome == "waiting":
        raise RuntimeError(verdict.sentence)  # the job is tried again, until the request expires
    if verdict.outcome != "approved":
        await _void(world, run, request, verdict.sentence)
        return NO_CALL
    if await _on_hold(world, run, request, broken=policy.released(request.plan, voters.votes, voters.people)):
        return NO_CALL
    drifted = await execute.drift(request.plan, access)
    if drifted:
        moved = " ".join(item.sentence for item in drifted)
        await _void(world, run, request, f"The target changed after the approval: {moved}")
        return NO_CALL

    def begin(connection: Connection) -> int:
        at = clock.advance(connection)
        if runs.get(connection, run_id).state != "starting":
            return NO_CALL
        if _waits_for_another(connection, world, run, request, at):
            return NO_CALL
        runs.move(connection, run_id, before=frozenset({"starting"}), after="running", now=at)
        _record(connection, request, "run.started", run_id, {"calls": request.plan.forward}, at)
        _show(connection, world, request, at)
        return 0

    return await world.database.write(begin)


def _waits_for_another(connection: Connection, world: World, run: Run, request: Request, now: int) -> bool:
    """Take the locks of a run, or say which run it waits for: that one's end starts it, and its expiry voids it."""
    holder = locks.take(connection, run.id, request.plan.locks, now=now)
    if holder is None:
        return False
    name = _name(connection, runs.get(connection, holder).approval_id)
    why = f"It waits for {name}, which changes the same target and has not ended."
    runs.note(connection, run.id, why)
    work.want(connection, KIND, run.id, now=request.approval.expires_at)
    _record(connection, request, "run.waiting", run.id, {"for": name}, now)
    _show(connection, world, request, now)
    _say(connection, world, request, f"waits:{name}", thread.waits(request.approval, why), now)
    return True


def _name(connection: Connection, approval_id: str) -> str:
    try:
        return approvals.get(connection, approval_id).name
    except UnreadableRow:
        return "a request that cannot be read any more"


async def _coming(world: World, run_id: str) -> int:
    """Return the call that the run makes next, or whose fate it has to find out; ``NO_CALL`` if there is none."""

    def read(connection: Connection) -> int:
        run = runs.get(connection, run_id)
        plan = approvals.request(connection, run.approval_id).plan
        if run.state not in GOING:
            return NO_CALL
        return course.following(plan, _ledger(connection, run_id), undoing=run.state == "rolling_back").ordinal

    return await world.database.read(read)


def _ledger(connection: Connection, run_id: str) -> dict[int, StepState]:
    return {step.ordinal: step.state for step in runs.steps_of(connection, run_id)}


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
    groups = {*Terms.of(request.plan).groups, *(BREAK_GLASS for vote in votes if vote.decision == "break")}
    people = await electorate(world, {vote.person for vote in votes}, groups, now, max_age=FRESH)
    return _Voters(votes, people, now)


def _access(world: World, request: Request) -> Access | None:
    return world.hands(request.approval.cluster)


async def _on_hold(world: World, run: Run, request: Request, *, broken: bool) -> bool:
    """Say what a run waits for that may not begin yet, and look again later; at its expiry it becomes void."""

    def write(connection: Connection) -> bool:
        now = clock.advance(connection)
        why = holds.hold(connection, world, request.plan, now, broken=broken)
        if not why:
            return False
        runs.note(connection, run.id, why)
        work.want(connection, KIND, run.id, now=min(now + HELD_FOR_US, request.approval.expires_at))
        _show(connection, world, request, now)
        _say(connection, world, request, "waits", thread.waits(request.approval, why), now)
        return True

    return await world.database.write(write)


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


async def _set_aside(world: World, run_id: str, sentence: str, problem: UnreadableRow | None = None) -> None:
    """Stop a run whose request or votes cannot be relied on, and say so. One that had begun is UNKNOWN and keeps its
    locks, for a person to look at."""
    sentence = world.redactor.text(sentence)

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if problem is not None:
            unreadable.report(connection, problem, now=now)
        run = runs.get(connection, run_id)
        after: RunState = "unknown" if runs.steps_of(connection, run_id) else "void"
        before: frozenset[RunState] = GOING | {"starting", "verifying"}
        if runs.move(connection, run_id, before=before, after=after, outcome=sentence, now=now):
            data = {"run": run_id, "approval": run.approval_id, "why": sentence}
            audit.append(connection, at=now, kind=f"run.{after}", actor="signoff", subject=f"run {run_id}", data=data)
            incident = incidents.get(connection, run.incident_id)
            card = thread.stopped(incident, sentence)
            board.say(connection, world, incident, f"stopped:{run_id}", card, now=now, urgent=True)
            board.show(connection, world, incident.id, now=now)

    await world.database.write(write)


async def _propose_anew(world: World, run_id: str) -> None:
    """Ask for the same action with a plan of the world as it is now, if this approval became void. What asks already
    is not asked twice, so this may be done again after a crash."""
    try:
        run, request = await _load(world, run_id)
    except UnreadableRow:
        return  # it was stopped, and said so
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
        # Who asked cannot approve what is asked for anew either.
        requester=request.approval.requester,
    )


async def _call(world: World, run_id: str, ordinal: int) -> int:
    """Make one call, if it was never begun and may still be made; else find out what became of it. Returns the next."""
    run, request = await _load(world, run_id)
    if run.state not in GOING:
        return NO_CALL
    access = _access(world, request)
    begun = await world.database.read(lambda connection: runs.step(connection, run_id, ordinal))
    interrupted = "Signoff was interrupted in the middle of this step."
    if begun is not None:
        if begun.state == "started" and access is not None and execute.reads_only(request.plan, ordinal):
            await _fire(world, request, run_id, ordinal, access)
        else:
            await _reconcile(world, request, run_id, ordinal, interrupted)
        return await _coming(world, run_id)
    if access is None and ordinal == 0:
        await _void(world, run, request, NO_RUNNER)
        return NO_CALL
    held = NO_RUNNER if access is None else await _held(world, request, run_id, ordinal, access)
    refusal = await _begin(world, request, run_id, ordinal)
    if refusal:
        await _void(world, run, request, refusal)
    elif refusal is None:
        await _reconcile(world, request, run_id, ordinal, interrupted)
    elif held or access is None:
        await _end(world, request, run_id, ordinal, "failed", f"Nothing was sent: {held}", halt=True)
    else:
        await _fire(world, request, run_id, ordinal, access)
    return await _coming(world, run_id)


async def _held(world: World, request: Request, run_id: str, ordinal: int, access: Access) -> str:
    """Wait before the first call of a batch until the targets of the batches before are well. Returns why the run may
    not go on, or an empty string."""
    plan = request.plan
    steps = await world.database.read(lambda connection: runs.steps_of(connection, run_id))
    ledger: dict[int, StepState] = {step.ordinal: step.state for step in steps}
    if not course.begins_batch(plan, ledger, ordinal):
        return ""
    rules = {**plan.record["verification"], "stable_seconds": 0}
    began = max(step.ended_at or step.started_at for step in steps)
    verdict = await _watch(world, request, ledger, access, began, rules)
    return "" if verdict.outcome == "helped" else f"the targets before are not well. {verdict.sentence}"


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
            glass = policy.released(current.plan, votes, voters.people)
            why = holds.hold(connection, world, current.plan, now, broken=glass)
            verdict = policy.may_start(current.approval, current.plan, votes, voters.people, now, hold=why)
            if verdict.outcome == "waiting":
                raise RuntimeError(verdict.sentence)
            if verdict.outcome != "approved":
                return verdict.sentence
        stop = stops.current(connection)
        if stop is not None:
            raise RuntimeError(stop.sentence)  # tried again, until they are on
        if runs.step(connection, run_id, ordinal) is not None:
            return None
        told, broken = audit.unbroken(connection, request.approval.name, anchors=world.anchors.seen)
        wrong = broken or contradiction(told, request.plan.digest, ordinal)
        if wrong:
            sentence = f"It cannot be shown that this was signed off: {wrong}"
            if runs.steps_of(connection, run_id):
                raise _NotShown(sentence)
            return sentence
        if not runs.begin_step(connection, run_id, ordinal, now=now):
            return None
        data = {"ordinal": ordinal, "action": request.plan.calls[ordinal]["action"]}
        _record(connection, request, "step.started", run_id, data, now)
        return ""

    begun = await world.database.write(write)
    if begun == "":
        await anchoring.note(world)
    return begun


async def _fire(world: World, request: Request, run_id: str, ordinal: int, access: Access) -> None:
    """Make the call; where the plan says so, again after it certainly had no effect."""
    call = request.plan.calls[ordinal]
    for left in range(call["retries"], -1, -1):
        effect = await execute.fire(request.plan, ordinal, access)
        if effect.outcome == "failed" and not effect.drift and left:
            await world.database.write(partial(_retried, request=request, run_id=run_id, ordinal=ordinal, left=left))
            await asyncio.sleep(RETRY_SECONDS)
            continue
        break
    if effect.outcome == "in_doubt":
        await _reconcile(world, request, run_id, ordinal, effect.sentence)
        return
    drifted = bool(effect.drift) and ordinal == 0
    await _end(world, request, run_id, ordinal, effect.outcome, effect.sentence, void=drifted)


def _retried(connection: Connection, *, request: Request, run_id: str, ordinal: int, left: int) -> None:
    data = {"ordinal": ordinal, "left": left - 1}
    _record(connection, request, "step.retried", run_id, data, clock.advance(connection))


async def _reconcile(world: World, request: Request, run_id: str, ordinal: int, why: str) -> None:
    """Read the world back after a call whose fate is not known. Never calls again: what cannot be known is asked."""

    def read(connection: Connection) -> tuple[StepRecord | None, int]:
        return runs.step(connection, run_id, ordinal), clock.now(connection)

    step, now = await world.database.read(read)
    if step is None or step.state != "started":
        return
    access = _access(world, request)
    if access is None:
        await _end(world, request, run_id, ordinal, "unknown", f"{why} {NO_RUNNER}")
        return
    # It may have been sent until its time was over: only from then on is nothing under way any more.
    waited = (now - step.started_at) / 1_000_000 - request.plan.calls[ordinal]["timeout_seconds"]
    found = await execute.read_back(request.plan, ordinal, access, waited_seconds=max(0.0, waited))
    if found == "applied":
        await _end(world, request, run_id, ordinal, "done", f"{why} The cluster shows that it took effect.")
    elif found == "not applied":
        await _end(world, request, run_id, ordinal, "failed", f"{why} The cluster shows that nothing was changed.")
    else:
        await _end(world, request, run_id, ordinal, "unknown", why)


async def _end(
    world: World,
    request: Request,
    run_id: str,
    ordinal: int,
    state: StepState,
    detail: str,
    *,
    void: bool = False,
    halt: bool = False,
) -> None:
    """Complete a step, and the run if that decides it. ``void`` voids the approval too: its target had moved.
    ``halt`` ends the run whatever failures the plan tolerates."""
    detail = world.redactor.text(detail)

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if not runs.end_step(connection, run_id, ordinal, state=state, detail=detail, now=now):
            return
        _record(connection, request, f"step.{state}", run_id, {"ordinal": ordinal, "detail": detail}, now)
        after = _advance(connection, world, request, run_id, detail, now, halt=halt)
        if void and after == "failed":
            held = request.approval.id
            approvals.move(connection, held, before="approved", after="void", outcome=detail, now=now)
        if state == "unknown":
            ask(connection, world, request, run_id, now=now)
        _show(connection, world, request, now)
        _tell(connection, world, request, run_id, ordinal, now)

    await world.database.write(write)


def _advance(
    connection: Connection, world: World, request: Request, run_id: str, detail: str, now: int, *, halt: bool = False
) -> RunState:
    """Bring the run to the state that its ledger asks for. Returns it."""
    plan, run = request.plan, runs.get(connection, run_id)
    ledger = _ledger(connection, run_id)
    undoing = run.state == "rolling_back" or course.went_back(plan, ledger)
    coming = course.halted(plan, ledger) if halt else course.following(plan, ledger, undoing=undoing)
    outcome = detail
    match coming.what:
        case "ask":
            after: RunState = "unknown"
        case "call":
            backward = plan.calls[coming.ordinal].get("undoes") is not None
            after, outcome = ("rolling_back", run.outcome or detail) if backward else ("running", "")
        case "verify":
            after, outcome = "verifying", ""
        case "undone":
            after, outcome = "rolled_back", f"{run.outcome or detail} What was done before is taken back."
        case _:
            after = "failed"
            outcome = " ".join(part for part in (run.outcome if undoing else "", detail, coming.sentence) if part)
    if after == run.state:
        return after
    before: frozenset[RunState] = GOING | {"verifying", "unknown"}
    if runs.move(connection, run_id, before=before, after=after, outcome=outcome, now=now) and after != "running":
        _record(connection, request, f"run.{after}", run_id, {"why": outcome}, now)
    return after


def _tell(connection: Connection, world: World, request: Request, run_id: str, ordinal: int, now: int) -> None:
    """Say in the thread what became of a step: a line each for a few calls, one line that is edited for many, with a
    file of all details at the end."""
    plan, approval = request.plan, request.approval
    run, steps = runs.get(connection, run_id), runs.steps_of(connection, run_id)
    step = next(each for each in steps if each.ordinal == ordinal)
    few = len(plan.calls) <= FEW_CALLS
    if few and step.state == "done":
        what = plan.calls[ordinal]["step"] if len(plan.calls) > 1 else ""
        back = plan.calls[ordinal].get("undoes") is not None
        card = thread.step_done(approval, ordinal, plan.forward, step.detail, what=what, back=back)
        _say(connection, world, request, f"step:{ordinal}", card, now)
    elif few and step.state == "failed" and run.state not in FINAL:
        card = thread.step_failed(approval, plan.calls[ordinal]["step"], step.detail)
        _say(connection, world, request, f"step:{ordinal}", card, now)
    elif not few:
        card = thread.progress(approval, run_steps.counted(plan, steps))
        _say(connection, world, request, "steps", card, now)
    if run.state in FINAL:
        _say(connection, world, request, "end", thread.ended(approval, run), now)
    if not few and run.state in FINAL | {"verifying"}:
        board.attach_steps(connection, world, request, run, now=now)


def answered(
    connection: Connection, world: World, request: Request, run: Run, *, applied: bool, sentence: str, now: int
) -> int | None:
    """Take a person's word for what became of the step in doubt. Returns the generation that goes on with the run."""
    step = next(each for each in runs.steps_of(connection, run.id) if each.state == "unknown")
    state: StepState = "done" if applied else "failed"
    runs.end_step(connection, run.id, step.ordinal, state=state, detail=sentence, now=now)
    # The question was the outcome so far; what follows has its own.
    after = _advance(connection, world, request, run.id, sentence, now)
    ask(connection, world, request, run.id, now=now, answered=sentence, about=step)
    _show(connection, world, request, now)
    if after in FINAL:
        _say(connection, world, request, "end", thread.ended(request.approval, runs.get(connection, run.id)), now)
        return None
    return work.want(connection, KIND, run.id)


async def _verify(world: World, run_id: str) -> int:
    """Watch until the verification has a verdict; it always has one at its deadline. Returns the first call that takes
    back what did not help, where the plan says so."""
    run, request = await _load(world, run_id)
    if run.state != "verifying":
        return NO_CALL
    steps = await world.database.read(lambda connection: runs.steps_of(connection, run_id))
    started = max((step.ended_at or step.started_at for step in steps), default=run.started_at)
    access = _access(world, request)
    if access is None:
        verdict = verify.Verdict("cannot tell", NO_RUNNER)
    else:
        ledger: dict[int, StepState] = {step.ordinal: step.state for step in steps}
        verdict = await _watch(world, request, ledger, access, started, request.plan.record["verification"])
    failed = sum(step.state == "failed" for step in steps)
    await _conclude(world, request, run_id, verdict, f" {failed} of the calls failed." if failed else "")
    return await _coming(world, run_id)


async def _watch(
    world: World,
    request: Request,
    ledger: Mapping[int, StepState],
    access: Access,
    started: int,
    rules: Mapping[str, Any],
) -> verify.Verdict:
    """Look until there is a verdict, and say in the thread what is seen."""
    observations: list[verify.Observation] = []
    said = ""
    while True:
        now = await world.database.read(clock.now)
        observation = await verify.observe(request.plan, ledger, access, now=now)
        observations.append(observation)
        verdict = verify.judge(rules, started, observations, now)
        if verdict is not None:
            return verdict
        if observation.sentence != said:
            said = observation.sentence
            await world.database.write(partial(_progress, world=world, request=request, text=said))
            world.outbox.kick()
        await asyncio.sleep(world.verify_poll_seconds)


def _progress(connection: Connection, *, world: World, request: Request, text: str) -> None:
    now = clock.now(connection)
    _say(connection, world, request, "progress", thread.progress(request.approval, world.redactor.text(text)), now)


async def _conclude(world: World, request: Request, run_id: str, verdict: verify.Verdict, more: str) -> None:
    after = _AFTER[verdict.outcome]
    sentence = world.redactor.text(verdict.sentence + more)
    if after == "unhelpful" and course.takes_back(request.plan):
        after = "rolling_back"

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if runs.move(connection, run_id, before=frozenset({"verifying"}), after=after, outcome=sentence, now=now):
            _record(connection, request, f"run.{after}", run_id, {"verdict": sentence}, now)
            _show(connection, world, request, now)
            run = runs.get(connection, run_id)
            if after == "rolling_back":
                _say(connection, world, request, "back", thread.rolling_back(request.approval, sentence), now)
            else:
                _say(connection, world, request, "end", thread.ended(request.approval, run), now)

    await world.database.write(write)


def _finish(connection: Connection, *, run_id: str, generation: int) -> None:
    work.done(connection, KIND, run_id, generation)


def ask(
    connection: Connection,
    world: World,
    request: Request,
    run_id: str,
    *,
    now: int,
    answered: str = "",
    about: StepRecord | None = None,
) -> None:
    """Ask people about a run whose step may or may not have taken effect; ``answered`` closes the question."""
    run = runs.get(connection, run_id)
    step = about or runs.steps_of(connection, run_id)[-1]
    call = request.plan.calls[step.ordinal]
    look = f"{execute.target_of(request.plan, step.ordinal)} in {request.approval.cluster}"
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
