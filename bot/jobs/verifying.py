"""Whether a run helped: its targets are watched until there is a verdict, and there always is one at the deadline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.chat import thread
from bot.chat.ci_section import ci_line
from bot.domain.ci_failure import CiFailure
from bot.domain.run import Run, RunState, StepState
from bot.jobs import telling
from bot.jobs.starting import NO_RUNNER
from bot.jobs.world import World
from bot.runbooks import course, verify
from bot.runbooks.access import Access
from bot.runbooks.resources import WORKFLOW_RUN
from bot.store import ci, clock, runs
from bot.store.approvals import Request

EXPLAINED_SECONDS = 30.0
"""How long the end of a workflow waits for what its log says: reading that takes seconds, and may never succeed."""

_AFTER: dict[str, RunState] = {"helped": "succeeded", "did not help": "unhelpful", "cannot tell": "inconclusive"}


async def conclude(world: World, run: Run, request: Request) -> None:
    """Watch until the verification has a verdict, and end the run by it; or begin to take back what did not help,
    where the plan says so."""
    steps = await world.database.read(lambda connection: runs.steps_of(connection, run.id))
    started = max((step.ended_at or step.started_at for step in steps), default=run.started_at)
    access = world.hands(request.approval.cluster, request.plan.kinds)
    if access is None:
        verdict = verify.Verdict("cannot tell", NO_RUNNER)
    else:
        ledger: dict[int, StepState] = {step.ordinal: step.state for step in steps}
        verdict = await watch(world, request, ledger, access, started, request.plan.record["verification"])
    if verdict.outcome == "did not help":
        verdict = replace(verdict, sentence=f"{verdict.sentence} {await _first_error(world, request)}".rstrip())
    failed = sum(step.state == "failed" for step in steps)
    more = f" {failed} of the calls failed." if failed else ""
    after = _AFTER[verdict.outcome]
    if after == "unhelpful" and course.takes_back(request.plan):
        after = "rolling_back"
    await world.database.write(
        partial(_ended, world=world, request=request, run_id=run.id, after=after, sentence=verdict.sentence + more)
    )


async def _first_error(world: World, request: Request) -> str:
    """Return why the workflow that was run again failed now, once its log was read; empty where it was not.

    GitHub tells of its end by a webhook, at about the time when the end can be seen.
    """
    code, plan = world.code, request.plan
    again = [(plan.targets[call["target"]], call["generation"]) for call in plan.calls[: plan.forward]]
    again = [(target, before) for target, before in again if target["kind"] == WORKFLOW_RUN.kind]
    if not again or code is None or not code.listens_to(again[0][0]["namespace"]):
        return ""
    target, before = again[0]

    def explained(connection: Connection) -> tuple[CiFailure, ...]:
        known = ci.newest_of(connection, target["namespace"], int(target["name"]))
        return ci.failures_in(connection, known.id) if known is not None and known.attempt > before else ()

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(EXPLAINED_SECONDS):
            while True:
                failures = await world.database.read(explained)
                if failures:
                    return ci_line(failures[0])
                await asyncio.sleep(world.verify_poll_seconds)
    return ""


async def watch(
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
    card = thread.progress(request.approval, world.redactor.text(text))
    telling.say(connection, world, request, "progress", card, clock.now(connection))


def _ended(
    connection: Connection, *, world: World, request: Request, run_id: str, after: RunState, sentence: str
) -> None:
    now, sentence = clock.advance(connection), world.redactor.text(sentence)
    if not runs.move(connection, run_id, before=frozenset({"verifying"}), after=after, outcome=sentence, now=now):
        return
    telling.record(connection, request, f"run.{after}", run_id, {"verdict": sentence}, now)
    telling.show(connection, world, request, now)
    if after == "rolling_back":
        telling.say(connection, world, request, "back", thread.rolling_back(request.approval, sentence), now)
    else:
        telling.end(connection, world, request, runs.get(connection, run_id), now)
