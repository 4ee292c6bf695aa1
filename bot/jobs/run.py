"""A run's story: start it, make its calls, see whether it helped, and ask anew where it became void.

The story is driven by the run's state, so it may be taken up at any point.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import Connection

from bot.approvals.terms import on_behalf_of
from bot.chat import thread
from bot.domain.approval import Approval
from bot.domain.matter import Matter
from bot.domain.run import Run, RunState
from bot.jobs import board, proposing
from bot.jobs.calling import NotShown, Paused, call
from bot.jobs.engine import Steps, Story
from bot.jobs.ledger import GOING, NO_CALL, coming, doubt
from bot.jobs.proposing import Unplanned, Wanted
from bot.jobs.reading_back import look_again
from bot.jobs.starting import start
from bot.jobs.verifying import conclude
from bot.jobs.world import World
from bot.runbooks import diff
from bot.store import approvals, audit, clock, joined, matters, runs, unreadable, work
from bot.store.approvals import Request
from bot.store.unreadable import UnreadableRow

KIND = "run"
VERSION = 1

_UNENDED: frozenset[RunState] = GOING | {"starting", "verifying"}


def story(world: World) -> Story:
    """Return the story of one run."""

    async def run(steps: Steps, run_id: str, generation: int) -> None:
        async def calls(ordinal: int) -> None:
            while ordinal != NO_CALL:
                ordinal = await steps(f"call {ordinal}", partial(_part, world, run_id, GOING, call, ordinal))
                world.outbox.kick()

        await calls(await steps("check", partial(_part, world, run_id, GOING | {"starting", "unknown"}, _take_up)))
        # What did not help may have to be taken back, which are calls again.
        await calls(await steps("verify", partial(_part, world, run_id, frozenset({"verifying"}), conclude)))
        await steps("propose anew", partial(_propose_anew, world, run_id))
        await steps("finish", world.database.write, partial(_finish, run_id=run_id, generation=generation))
        world.outbox.kick()

    return run


async def _take_up(world: World, run: Run, request: Request) -> None:
    await (look_again if run.state == "unknown" else start)(world, run, request)


async def _part(
    world: World, run_id: str, states: frozenset[RunState], do: Callable[..., Awaitable[None]], *more: int
) -> int:
    """Do a part of the story if the run is in one of these states. Returns the call that comes next, or ``NO_CALL``.
    Stops the run if what it rests on is not as Signoff wrote it."""
    try:
        run, request = await _load(world, run_id)
        if run.state not in states:
            return NO_CALL
        await do(world, run, request, *more)
        return await coming(world, run_id)
    except UnreadableRow as problem:
        await _set_aside(world, run_id, f"What was signed off cannot be relied on: {problem}.", problem)
    except NotShown as refusal:
        await _set_aside(world, run_id, str(refusal))
    except Paused:
        pass  # its next generation goes on
    return NO_CALL


async def _load(world: World, run_id: str) -> tuple[Run, Request]:
    def read(connection: Connection) -> tuple[Run, Request]:
        found = runs.get(connection, run_id)
        return found, approvals.request(connection, found.approval_id)

    return await world.database.read(read)


async def _set_aside(world: World, run_id: str, sentence: str, problem: UnreadableRow | None = None) -> None:
    """Stop a run whose request or votes cannot be relied on, and say so. One in the middle of a call is UNKNOWN, keeps
    its locks and asks; what was done before stays as it is."""
    sentence = world.redactor.text(sentence)

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if problem is not None:
            unreadable.report(connection, problem, now=now)
        run = runs.get(connection, run_id)
        steps = runs.steps_of(connection, run_id)
        doubted = next((step for step in steps if step.state == "started"), None)
        after: RunState = "unknown" if doubted else "failed" if steps else "void"
        if runs.move(connection, run_id, before=_UNENDED, after=after, outcome=sentence, now=now):
            data = {"run": run_id, "approval": run.approval_id, "why": sentence}
            audit.append(connection, at=now, kind=f"run.{after}", actor="signoff", subject=f"run {run_id}", data=data)
            matter = matters.get(connection, run.matter_id)
            card = thread.stopped(matter.name, sentence)
            board.say(connection, world, matter, f"stopped:{run_id}", card, now=now, urgent=True)
            if doubted is not None:
                doubt(connection, world, run, doubted.ordinal, sentence, now)
            board.show(connection, world, matter.id, now=now)

    await world.database.write(write)


async def _propose_anew(world: World, run_id: str) -> None:
    """Ask for the same action with a plan of the world as it is now, if this approval became void. What asks already
    is not asked twice, so this may be done again after a crash."""
    try:
        run, request = await _load(world, run_id)
    except UnreadableRow:
        return  # it was stopped, and said so

    def still_open(connection: Connection) -> Matter | None:
        wanting = (
            matters.get(connection, each)
            for each in (run.matter_id, *joined.matters_of(connection, request.approval.id))
        )
        return next((matter for matter in wanting if matters.is_open(connection, matter)), None)

    matter = await world.database.read(still_open)
    if request.approval.state != "void" or matter is None:
        return
    record = request.plan.record
    wanted = Wanted(
        request.approval.runbook,
        record["parameters"],
        record["proposed_by"],
        record["evidence"],
        # Who asked, and whom they act for, cannot approve what is asked for anew either.
        requester=request.approval.requester,
        on_behalf_of=on_behalf_of(record),
        replaces=request.approval.id,
        since=request.approval.created_at,
    )
    made = await proposing.request(world, matter, wanted)
    if isinstance(made, Unplanned):
        await world.database.write(partial(_later, world=world, matter=matter, run=run, unplanned=made))
    else:
        await world.database.write(partial(_say_what_moved, world=world, matter=matter, old=request, made=made))


def _later(connection: Connection, *, world: World, matter: Matter, run: Run, unplanned: Unplanned) -> None:
    proposing.note(connection, world=world, matter=matter, unplanned=unplanned)
    if unplanned.passing:
        now = clock.now(connection)
        work.want(connection, KIND, run.id, now=proposing.again_at(run.ended_at or now, now))


def _say_what_moved(connection: Connection, *, world: World, matter: Matter, old: Request, made: Approval) -> None:
    new = approvals.request(connection, made.id)
    card = thread.asked_anew(old.approval, new.approval, diff.moved(old.full_diff, new.full_diff))
    now = clock.advance(connection)
    board.say(connection, world, matter, f"anew:{old.approval.name}", card, now=now)


def _finish(connection: Connection, *, run_id: str, generation: int) -> None:
    work.done(connection, KIND, run_id, generation)
