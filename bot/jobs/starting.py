"""Whether an approved run may start: judged when it is taken up, and for the last time as its first call is begun.

Until then it may wait, be denied, or end with its approval: void, or expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.approvals import policy
from bot.approvals.policy import Verdict
from bot.approvals.terms import Terms
from bot.chat import thread
from bot.domain.approval import ApprovalState, Electorate, Vote
from bot.domain.policy import BREAK_GLASS
from bot.domain.run import Run
from bot.jobs import board, holds, telling
from bot.jobs.outdated import outdated
from bot.jobs.people import FOR_AN_APPROVAL, FRESH, electorate
from bot.jobs.world import World
from bot.runbooks import execute, seen
from bot.store import approvals, clock, locks, matters, runs, work
from bot.store.approvals import Request
from bot.store.unreadable import UnreadableRow

HELD_FOR_US = 15_000_000
"""Microseconds after which a run that may not begin yet looks again."""
NO_RUNNER = "The cluster is no longer configured with a runner."


async def start(world: World, run: Run, request: Request) -> None:
    """Check digest, expiry, people and drift anew, and begin the run, let it wait or void it. One that has begun goes
    on where it stopped."""
    if run.state != "starting":
        return
    access = world.hands(request.approval.cluster, request.plan.kinds)
    if access is None:
        await refuse(world, run, request, Verdict("refused", NO_RUNNER))
        return
    voters = await voters_of(world, request)
    verdict = _judged(world, request, voters.votes, voters.people, voters.read_at)
    if verdict.outcome == "waiting":
        await _wait(world, run, request, verdict.sentence)
        return
    if verdict.outcome != "approved":
        await refuse(world, run, request, verdict)
        return
    if await _on_hold(world, run, request, broken=policy.released(request.plan, voters.votes, voters.people)):
        return
    drifted = await execute.drift(request.plan, access)
    if drifted:
        why = " ".join(item.sentence for item in drifted)
        verdict = Verdict("refused", f"The target changed after the approval: {why}")
        await refuse(world, run, request, verdict, moved=what_moved(world, request, drifted))
        return
    await _begin(world, run, request)


@dataclass(frozen=True, slots=True)
class Voters:
    """The counted votes of an approval, and how their people stand."""

    votes: tuple[Vote, ...]
    people: Electorate
    read_at: int


async def voters_of(world: World, request: Request) -> Voters:
    """Read the votes of a request, and ask anew how their people stand."""

    def read(connection: Connection) -> tuple[tuple[Vote, ...], str, int]:
        clicks = approvals.counted(connection, request.approval)
        channel = board.channel_of(connection, world, matters.get(connection, request.approval.matter_id))
        return tuple(click.vote for click in clicks), channel, clock.now(connection)

    votes, channel, now = await world.database.read(read)
    groups = {*Terms.of(request.plan).groups, *(BREAK_GLASS for vote in votes if vote.decision == "break")}
    persons = {vote.person for vote in votes}
    people = await electorate(world, persons, groups, now, max_age=FRESH, channel=channel)
    return Voters(votes, people, now)


def _judged(
    world: World, request: Request, votes: Sequence[Vote], people: Electorate, now: int, *, hold: str = ""
) -> Verdict:
    """Judge whether what was approved may start: as what it is now, and by the rules as they are now."""
    why = outdated(world, request.plan)
    if why:
        return Verdict("refused", why)
    return policy.may_start(request.approval, request.plan, votes, people, now, hold=hold)


def last_word(
    connection: Connection, world: World, request: Request, people: Electorate, now: int, *, begun: bool = False
) -> Verdict:
    """Judge for the last time, in the transaction that begins the first call, or goes on with a run that has ``begun``.
    A click against it that was taken and is not judged yet is waited for."""
    current = approvals.request(connection, request.approval.id, lock=True)
    # Read anew: a vote may have been taken back, and another given, since its people were asked about.
    votes = [click.vote for click in approvals.counted(connection, current.approval)]
    if not begun and approvals.is_opposed(connection, request.approval.id):
        return Verdict("waiting", "Somebody's word against it was taken, and is judged first.")
    if people.at(now).age_ms > FOR_AN_APPROVAL * 1000:
        return Verdict("waiting", "Slack took too long to say who may approve it; it is asked once more.")
    glass = policy.released(current.plan, votes, people)
    why = holds.hold(connection, world, current.plan, now, broken=glass, begun=begun)
    return _judged(world, current, votes, people, now, hold=why)


def what_moved(world: World, request: Request, drifted: Sequence[execute.Drift]) -> str:
    """Say, a line a field, what has changed since the plan was made, as far as that may be shown."""
    return seen.moved(request.plan, request.seen, drifted, world.redactor.data)


async def refuse(world: World, run: Run, request: Request, verdict: Verdict, *, moved: str = "") -> None:
    """End an approval that may no longer run, as long as no call of it was begun: it has expired, or it is void. What
    ``moved`` is kept with it."""
    sentence, approval = world.redactor.text(verdict.sentence), request.approval
    after: ApprovalState = "expired" if verdict.outcome == "expired" else "void"

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if runs.end_unbegun(connection, run, outcome=sentence, now=now):
            approvals.move(
                connection, approval.id, before="approved", after=after, outcome=sentence, now=now, moved=moved
            )
            kind = "approval.expired" if after == "expired" else "run.void"
            data = {"why": sentence} | ({"moved": moved} if moved else {})
            telling.record(connection, request, kind, run.id, data, now)
            telling.show(connection, world, request, now)
            card = thread.not_started(approval) if after == "expired" else thread.void(approval, sentence, moved)
            telling.say(connection, world, request, after, card, now)

    await world.database.write(write)


async def _begin(world: World, run: Run, request: Request) -> None:
    """Set the run going once it has its locks."""

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if runs.get(connection, run.id).state != "starting":
            return
        if _waits_for_another(connection, world, run, request, now):
            return
        runs.move(connection, run.id, before=frozenset({"starting"}), after="running", now=now)
        telling.record(connection, request, "run.started", run.id, {"calls": request.plan.forward}, now)
        telling.show(connection, world, request, now)

    await world.database.write(write)


def _waits_for_another(connection: Connection, world: World, run: Run, request: Request, now: int) -> bool:
    """Take the locks of a run, or say which run it waits for: that one's end starts it, and its expiry voids it."""
    holder = locks.take(connection, run.id, request.plan.locks, now=now)
    if holder is None:
        return False
    name = _name(connection, runs.get(connection, holder).approval_id)
    why = f"It waits for {name}, which changes the same target and has not ended."
    runs.note(connection, run.id, why)
    work.want(connection, "run", run.id, now=request.approval.expires_at)
    telling.record(connection, request, "run.waiting", run.id, {"for": name}, now)
    telling.show(connection, world, request, now)
    telling.say(connection, world, request, f"waits:{name}", thread.waits(request.approval, why), now)
    return True


def _name(connection: Connection, approval_id: str) -> str:
    try:
        return approvals.get(connection, approval_id).name
    except UnreadableRow:
        return "a request that cannot be read any more"


async def _on_hold(world: World, run: Run, request: Request, *, broken: bool) -> bool:
    """Let a run wait while nothing of its kind may run now."""

    def write(connection: Connection) -> bool:
        now = clock.advance(connection)
        why = holds.hold(connection, world, request.plan, now, broken=broken)
        if not why:
            return False
        put_off(connection, world, run, request, why, now)
        return True

    return await world.database.write(write)


async def _wait(world: World, run: Run, request: Request, why: str) -> None:
    def write(connection: Connection) -> None:
        put_off(connection, world, run, request, why, clock.advance(connection))

    await world.database.write(write)


def put_off(connection: Connection, world: World, run: Run, request: Request, why: str, now: int) -> None:
    """Say what a run waits for that has made no call, and look again later; its request's expiry ends it. Until then it
    holds no lock, and can be denied."""
    why = world.redactor.text(why)
    if runs.put_back(connection, run.id, now=now):
        telling.record(connection, request, "run.waiting", run.id, {"why": why}, now)
    if runs.get(connection, run.id).state != "starting":
        return
    runs.note(connection, run.id, why)
    work.want(connection, "run", run.id, now=min(now + HELD_FOR_US, request.approval.expires_at))
    telling.show(connection, world, request, now)
    telling.say(connection, world, request, "waits", thread.waits(request.approval, why), now)
