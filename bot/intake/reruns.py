"""Failed CI runs that somebody in Slack wants to run again, by the button below one or by address: stored, and planned
by a job. Somebody else approves that."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from bot.intake.acts import RerunNamed, RerunWanted
from bot.intake.run_forms import ASKED_AT_ONCE, TOO_MANY
from bot.jobs import asking, board, rerunning
from bot.jobs.world import World
from bot.store import asks, ci, clock, matters

OVER = "Nothing was asked for: this run was overtaken by a later one, or can no longer be run again from here."
NO_GITHUB = "Signoff has no GitHub configured: nothing was asked for."


async def ask(world: World, wanted: RerunWanted) -> str:
    """Store that somebody wants it and start the job that plans it. Returns "" or why nothing was stored."""

    def store(connection: Connection) -> tuple[str, int | None]:
        run = ci.find(connection, wanted.run_id)
        if run is None or not rerunning.possible(world, run) or not matters.is_open(connection, run):
            return OVER, None
        if asks.waiting(connection, wanted.person) >= ASKED_AT_ONCE:
            return TOO_MANY, None
        now = clock.advance(connection)
        return "", rerunning.ask(connection, run, wanted.id, wanted.person, wanted.person_name, now=now)

    problem, generation = await world.database.write(store, urgent=True)
    if generation is not None:
        world.engine.start_soon(asking.KIND, wanted.id, generation)
    return problem


async def ask_by_name(world: World, wanted: RerunNamed) -> str:
    """Store that somebody wants a run, or all that failed at a pull request's head, to run again, and start the jobs
    that plan it. Returns what to tell that person."""
    asked, code = wanted.asked, world.code
    if code is None:
        return NO_GITHUB

    def store(connection: Connection) -> tuple[str, list[tuple[str, int]]]:
        if asked.run_id:
            one = rerunning.of_run(connection, world, asked.repository, asked.run_id)
            found = one if isinstance(one, str) else [one]
        else:
            found = rerunning.of_pull(connection, world, asked.repository, asked.number)
        if isinstance(found, str):
            return f"Nothing was asked for. {found}", []
        if asks.waiting(connection, wanted.person) + len(found) > ASKED_AT_ONCE:
            return TOO_MANY, []
        now = clock.advance(connection)
        started = []
        for run in found:
            ask_id = "v" + hashlib.sha256(f"{wanted.id}\n{run.id}".encode()).hexdigest()[:24]
            generation = rerunning.ask(connection, run, ask_id, wanted.person, wanted.person_name, now=now)
            # What is asked for is talked about below the run's message: of a pull request's there is none until now.
            board.show(connection, world, run.id, now=now)
            started += [(ask_id, generation)] if generation is not None else []
        names = " and ".join(run.name for run in found)
        return f"Asking for the failed jobs of {names} to run again in <#{code.channel}>.", started

    said, started = await world.database.write(store, urgent=True)
    for ask_id, generation in started:
        world.engine.start_soon(asking.KIND, ask_id, generation)
    world.outbox.kick()
    return said
