"""What became of a call whose answer never came: read back at once, and asked and looked at again if that cannot tell.

Nothing is ever called again here.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from bot.chat.mrkdwn import clock_utc
from bot.domain.run import Run, StepRecord, StepState
from bot.jobs import ledger, telling
from bot.jobs.starting import NO_RUNNER
from bot.jobs.world import World
from bot.runbooks import execute
from bot.runbooks.actions.action import ReadBack
from bot.runbooks.seen import look
from bot.store import clock, runs, work
from bot.store.approvals import Request

LOOK_AGAIN_US = 300_000_000
"""Microseconds between two looks at what a question is about that nobody has answered."""


async def read_back(world: World, request: Request, run_id: str, ordinal: int, why: str, *, sent: bool = False) -> None:
    """Read the world back after a call whose fate is not known. Never calls again: what cannot be known is asked.
    ``sent`` says that nothing of it is sent any more."""

    def read(connection: Connection) -> tuple[StepRecord | None, int]:
        return runs.step(connection, run_id, ordinal), clock.now(connection)

    step, now = await world.database.read(read)
    if step is None or step.state != "started":
        return
    end = partial(ledger.end, world, request, run_id, ordinal)
    # What was interrupted may have been sent until its time was over.
    last = now if sent else step.tried_at + request.plan.calls[ordinal]["timeout_seconds"] * 1_000_000
    until = last + ledger.SETTLED_AFTER_US
    access = world.hands(request.approval.cluster, request.plan.kinds)
    if access is None:
        await end("unknown", f"{why} {NO_RUNNER}", open_until=until)
        return
    found = await execute.read_back(request.plan, ordinal, access, waited_seconds=max(0.0, (now - last) / 1_000_000))
    if found == "cannot tell":
        seen = await look(request.plan, ordinal, access, world.redactor.data)
        await end("unknown", f"{why} At {clock_utc(now)} {seen}", open_until=until)
    else:
        state: StepState = "done" if found == "applied" else "failed"
        await end(state, f"{why} {_shown(request, ordinal, found)}")


def _shown(request: Request, ordinal: int, found: ReadBack) -> str:
    shows = "it took effect" if found == "applied" else "nothing was changed"
    return f"{execute.target_of(request.plan, ordinal).system} shows that {shows}."


async def look_again(world: World, run: Run, request: Request) -> None:
    """Look once more at a call in doubt as soon as nothing of it can be under way any more, and now and then until
    somebody answers: what shows by then needs nobody's word."""

    def read(connection: Connection) -> tuple[StepRecord | None, int]:
        return runs.in_doubt(connection, run.id), clock.now(connection)

    step, now = await world.database.read(read)
    if step is None:
        return
    until = step.open_until or 0
    access = world.hands(request.approval.cluster, request.plan.kinds)
    found: ReadBack = "cannot tell"
    seen = NO_RUNNER
    if access is not None and now >= until:
        limit = execute.REQUEST_LIMIT_SECONDS
        found = await execute.read_back(request.plan, step.ordinal, access, waited_seconds=limit)
        seen = await look(request.plan, step.ordinal, access, world.redactor.data)

    def write(connection: Connection) -> None:
        now = clock.advance(connection)
        if runs.get(connection, run.id).state != "unknown":
            return
        if found == "cannot tell":
            if now >= until:
                looked = world.redactor.text(f"At {clock_utc(now)} {seen}")
                telling.question(connection, world, request, run.id, now=now, looked=looked)
            work.want(connection, "run", run.id, now=max(until, now + LOOK_AGAIN_US))
            return
        applied = found == "applied"
        sentence = f"At {clock_utc(now)} {_shown(request, step.ordinal, found)}"
        data = {"ordinal": step.ordinal, "detail": sentence}
        telling.record(connection, request, "step.done" if applied else "step.failed", run.id, data, now)
        ledger.answered(connection, world, request, run, applied=applied, sentence=sentence, now=now, anew=not applied)

    await world.database.write(write)
