"""Running a failed CI run's jobs again: where that can be asked for, and what is asked for."""

from __future__ import annotations

from typing import Any

from bot.domain.ci import CiRun
from bot.jobs.world import World

RUNBOOK = "rerun-failed-jobs"


def possible(world: World, run: CiRun) -> bool:
    """Say whether a run's failed jobs can be asked to run again: it is one of GitHub's own workflows, in a repository
    where actions may be approved, and there is a channel in which to approve them."""
    told = world.code is not None and bool(world.code.channel)
    acts = world.actions is not None and world.acts_in(run.repository)
    return told and acts and not run.app and RUNBOOK in world.catalogue.runbooks


def parameters(run: CiRun) -> dict[str, Any]:
    """Return what the runbook is used with. GitHub's own words, checked when the event was taken."""
    return {"repository": run.repository, "workflow_run": run.run_id}
