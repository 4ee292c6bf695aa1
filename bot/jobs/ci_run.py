"""A CI run's story: explain what failed, say so where the change is discussed, and ask to run again what failed by
chance."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from bot.analysis.ci import job_log
from bot.analysis.ci.first_error import first_error
from bot.analysis.ci.job_log import JobLog
from bot.analysis.ci.unread import unread as unread_jobs
from bot.analysis.ci_failure import by_chance, explain
from bot.clients.github import GitHubError, GitHubLimited
from bot.clients.github_repository import GitHubRepository
from bot.condense.diff.parse import from_listing
from bot.condense.diff.patch import Patch
from bot.domain.ci import CiRun
from bot.domain.ci_failure import Sighting
from bot.jobs import asking_github, board, proposing, rerunning
from bot.jobs.engine import Steps, Story
from bot.jobs.proposing import Unplanned, Wanted
from bot.jobs.withdrawing import withdraw
from bot.jobs.world import CodeAccess, World
from bot.store import ci, clock, matters, pulls, work

KIND = "ci"
VERSION = 1

JOBS_READ = 6
LOG_BYTES = 8 * 1024 * 1024
EXPLAIN_TOKENS = 6000
log = structlog.get_logger(__name__)

OVERTAKEN = "{} ended since, so nobody needs this any more."


def story(world: World, code: CodeAccess) -> Story:
    """Return the story of one CI run."""

    async def run(steps: Steps, row_id: str, generation: int) -> None:
        explaining = steps("explain", partial(_explain, world, code, row_id))
        if not await asking_github.asked(world, KIND, row_id, generation, explaining):
            return
        await steps("show", world.database.write, partial(_show, world, code, row_id))
        world.outbox.kick()
        await steps("propose", partial(_propose, world, row_id))
        await steps("finish", world.database.write, partial(_finish, row_id, generation))
        world.outbox.kick()

    return run


async def _explain(world: World, code: CodeAccess, row_id: str) -> str:
    run = await world.database.read(lambda connection: ci.get(connection, row_id))
    if run.conclusion not in ci.FAILED or run.app or not code.listens_to(run.repository):
        return "nothing"
    repository = GitHubRepository(code.github, run.repository)
    failed = [job for job in await repository.jobs(run.run_id, run.attempt) if job.get("conclusion") in ci.FAILED]
    asked = failed[:JOBS_READ]
    found = [await _log(world, repository, job) for job in asked]
    logs = [one for one in found if one is not None]
    unread = unread_jobs(
        run.workflow,
        gone=[_name(world, job) for job, one in zip(asked, found, strict=True) if one is None],
        beyond=[_name(world, job) for job in failed[JOBS_READ:]],
        read=len(logs),
        logs=logs,
    )
    if not logs:
        await world.database.write(lambda connection: ci.explain(connection, run, unread))
        return "no logs"
    patch = await _patch(world, repository, run)
    signatures = {first_error(one.own).signature for one in logs} - {""}

    def before(connection: Connection) -> tuple[Mapping[str, tuple[Sighting, ...]], bool]:
        seen = {signature: ci.seen_elsewhere(connection, run, signature) for signature in signatures}
        return seen, ci.passed_before(connection, run)

    seen, passed_before = await world.database.read(before)
    failures = await explain(
        logs,
        patch,
        seen,
        world.gateway,
        code.ci_prompt,
        passed_before=passed_before,
        deadline_seconds=world.rules.model_seconds,
        max_tokens=EXPLAIN_TOKENS,
        purpose=f"CI {run.name}",
    )
    await world.database.write(lambda connection: ci.explain(connection, run, (*failures, *unread)))
    return "explained"


async def _log(world: World, repository: GitHubRepository, job: Mapping[str, Any]) -> JobLog | None:
    raw = await repository.job_log(int(job["id"]), limit_bytes=LOG_BYTES)
    if raw is None:
        return None
    steps = job.get("steps")
    step = next((str(one.get("name")) for one in steps or [] if one.get("conclusion") in ci.FAILED), "")
    part = partial(job_log.read, lines_before=raw.lines_before, complete=raw.complete)
    return await asyncio.to_thread(part, _name(world, job), step, raw.data, world.redactor.text)


def _name(world: World, job: Mapping[str, Any]) -> str:
    return world.redactor.text(str(job.get("name") or "a job"))


async def _patch(world: World, repository: GitHubRepository, run: CiRun) -> Patch:
    """Return the diff that was tested: the pull request's, as far as that still is at this head, or the commit's. The
    logs tell what failed without it, so one that GitHub does not give is an empty one."""
    numbers: set[int] = set()
    if not run.on_default:
        known = await world.database.read(lambda connection: pulls.with_head(connection, run.repository, run.head_sha))
        numbers = {*run.pulls, *(row.number for row in known)}
    try:
        if numbers:
            number = min(numbers)
            if ((await repository.pull(number)).get("head") or {}).get("sha") == run.head_sha:
                return from_listing(await repository.files(number))
        listed = (await repository.commit(run.head_sha)).get("files")
    except GitHubLimited:
        raise
    except GitHubError as error:
        if error.status not in asking_github.GONE:
            raise
        log.warning("a failure is explained without its diff", run=run.name, why=str(error))
        listed = []
    return from_listing(listed if isinstance(listed, list) else [])


def _show(world: World, code: CodeAccess, row_id: str, connection: Connection) -> None:
    """Have the comments of its pull requests brought up to date. Of the default branch tell the channel what fails. Of
    what the channel was told, or what somebody asked for there, say that it is overtaken: nobody needs that again."""
    now = clock.advance(connection)
    run = ci.get(connection, row_id)
    at_head = (run.repository, run.head_sha)
    # A pull request's newer job overtakes the one under way, with the review that a model may be writing.
    if ci.failures_of(connection, *at_head) != ci.failures_of(connection, *at_head, without=row_id):
        for row in pulls.with_head(connection, *at_head):
            work.want(connection, "pull", row.id)
    told = run.on_default and bool(code.channel)
    if told and run.conclusion in ci.FAILED and ci.failures_in(connection, row_id):
        board.show(connection, world, row_id, now=now)
    for earlier in ci.overtaken(connection, run):
        if board.is_told(connection, earlier):
            withdraw(connection, world, earlier, OVERTAKEN.format(run.name), now=now)
            board.show(connection, world, earlier.id, now=now)


async def _propose(world: World, row_id: str) -> str | None:
    """Ask for a re-run of what failed by chance on the default branch, once; what a pull request made fail, or failed
    again, is for a person to ask for."""

    def read(connection: Connection) -> tuple[CiRun, bool]:
        run = ci.get(connection, row_id)
        return run, by_chance(ci.failures_in(connection, row_id)) and matters.is_open(connection, run)

    run, wanted = await world.database.read(read)
    if not (wanted and run.on_default and run.attempt == 1 and rerunning.possible(world, run)):
        return None
    wished = Wanted(rerunning.RUNBOOK, rerunning.parameters(run), "rules")
    made = await proposing.propose(world, run, wished, name=f"{row_id}:rerun")
    return None if isinstance(made, Unplanned) else made.id


def _finish(row_id: str, generation: int, connection: Connection) -> None:
    work.done(connection, KIND, row_id, generation)
