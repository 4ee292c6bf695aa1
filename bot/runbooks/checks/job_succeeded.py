"""job-succeeded: the Job that the run made has completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.checks.check import Look
from bot.runbooks.resources import JOB, Verb
from bot.runbooks.target import Target


class JobSucceeded:
    """Reads the Job's conditions, which the controller sets once and for ever."""

    name = "job-succeeded"
    waits_for = "the Job has completed"
    kinds = frozenset({JOB.kind})
    verbs: frozenset[Verb] = frozenset()

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Judge the Job as it was read."""
        return judge(target, live)


def judge(target: Target, live: Mapping[str, Any] | None) -> Look:
    """Judge a Job."""
    if live is None:
        return Look(False, None, None, f"{target} does not exist.")
    status = live.get("status") or {}
    true = {each["type"]: each for each in status.get("conditions") or [] if each.get("status") == "True"}
    if "Complete" in true:
        return Look(True, None, None, f"{target} has completed.")
    if "Failed" in true:
        said = f"{target} has failed: {true['Failed'].get('reason', 'no reason given')}."
        return Look(False, None, None, said, over=True)
    return Look(False, None, None, f"{target} is running, {int(status.get('active') or 0)} pods active.")
