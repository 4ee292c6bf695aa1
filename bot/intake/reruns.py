"""The button below a failed CI run: who presses it asks for its jobs to run again, and somebody else approves that."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.domain.ask import Ask
from bot.intake.acts import RerunWanted
from bot.intake.run_forms import ASKED_AT_ONCE, TOO_MANY
from bot.jobs import asking, rerunning
from bot.jobs.world import World
from bot.store import asks, ci, clock, matters

OVER = "Nothing was asked for: this run was overtaken by a later one, or can no longer be run again from here."


async def ask(world: World, wanted: RerunWanted) -> str:
    """Store that somebody wants it and start the job that plans it. Returns "" or why nothing was stored."""

    def store(connection: Connection) -> tuple[str, int | None]:
        run = ci.find(connection, wanted.run_id)
        if run is None or not rerunning.possible(world, run) or not matters.is_open(connection, run):
            return OVER, None
        if asks.waiting(connection, wanted.person) >= ASKED_AT_ONCE:
            return TOO_MANY, None
        row = Ask(
            id=wanted.id,
            matter_id=run.id,
            runbook=rerunning.RUNBOOK,
            parameters=rerunning.parameters(run),
            person=wanted.person,
            person_name=wanted.person_name,
            replaces=None,
            received_at=clock.advance(connection),
        )
        return "", asks.receive(connection, row)

    problem, generation = await world.database.write(store, urgent=True)
    if generation is not None:
        world.engine.start_soon(asking.KIND, wanted.id, generation)
    return problem
