"""Running a failed CI run's jobs again: of which runs that can be asked for, and the ask itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.domain.approval import Person
from bot.domain.ask import Ask
from bot.domain.ci import CiRun
from bot.jobs.world import World
from bot.store import asks, ci, matters, pulls

RUNBOOK = "rerun-failed-jobs"
AT_ONCE = 5
"""Workflows of one commit that are asked to run again together."""
ELSEWHERE = "Run it again on GitHub."


def refusal(world: World, run: CiRun) -> str:
    """Say why a run's failed jobs cannot be asked to run again here, and what to do; an empty string if they can."""
    if run.app:
        return f"{run.name} is a check of {run.app} and no workflow of GitHub. Run it again there."
    if world.actions is None:
        return f"Signoff has no credential for actions on GitHub (docs/github.md says which). {ELSEWHERE}"
    if not world.acts_in(run.repository):
        return f"{run.repository} is not among github.repositories of the configuration file. {ELSEWHERE}"
    if world.code is None or not world.code.channel:
        return f"There is no channel to approve it in: github.channel of the configuration file names one. {ELSEWHERE}"
    if RUNBOOK not in world.catalogue.runbooks:
        return f"The runbook {RUNBOOK} is not in the catalogue. {ELSEWHERE}"
    return ""


def possible(world: World, run: CiRun) -> bool:
    """Say whether a run's failed jobs can be asked to run again: it is one of GitHub's own workflows, in a repository
    where actions may be approved, and there is a channel in which to approve them."""
    return not refusal(world, run)


def over(connection: Connection, run: CiRun) -> str:
    """Say why nobody needs a run to be tried again; an empty string if it failed and is the newest of its workflow."""
    if run.conclusion not in ci.FAILED:
        return f"{run.name} ended as {run.conclusion}: it has no failed jobs to run again."
    if not matters.is_open(connection, run):
        return f"{run.name} was overtaken by a later run of {run.workflow}. Ask for that one if it failed too."
    return ""


def of_run(connection: Connection, world: World, repository: str, run_id: int) -> CiRun | str:
    """Return a run that can be asked for by its number, or a sentence why not."""
    run = ci.newest_of(connection, repository, run_id)
    if run is None:
        told = f"Signoff has not heard of run {run_id} of {repository}."
        return f"{told} If it failed, redeliver its workflow_run event on GitHub, or run it again there."
    return refusal(world, run) or over(connection, run) or run


def of_pull(connection: Connection, world: World, repository: str, number: int) -> list[CiRun] | str:
    """Return which failed runs at a pull request's head can be asked for, or a sentence why none."""
    pull = pulls.find(connection, repository, number)
    failed = ci.failed_at(connection, repository, pull.head_sha) if pull and pull.head_sha else []
    if not failed:
        return (
            f"Signoff knows of no failed run at the head of {repository}#{number}. Name one by its address on GitHub."
        )
    unfit = {run.id: refusal(world, run) or over(connection, run) for run in failed}
    able = [run for run in failed if not unfit[run.id]]
    return able[:AT_ONCE] or unfit[failed[0].id]


def ask(connection: Connection, run: CiRun, ask_id: str, person: Person, person_name: str, *, now: int) -> int | None:
    """Store that somebody wants a run's failed jobs to run again. Returns the generation of the job that plans it, None
    if it was stored before."""
    row = Ask(
        id=ask_id,
        matter_id=run.id,
        runbook=RUNBOOK,
        parameters=parameters(run),
        person=person,
        person_name=person_name,
        replaces=None,
        received_at=now,
    )
    return asks.receive(connection, row)


def parameters(run: CiRun) -> dict[str, Any]:
    """Return what the runbook is used with. GitHub's own words, checked when the event was taken."""
    return {"repository": run.repository, "workflow_run": run.run_id}
