"""workflow-run-succeeded: the workflow run that was started came to a good end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.checks.check import Look
from bot.runbooks.resources import WORKFLOW, WORKFLOW_RUN, Verb
from bot.runbooks.target import Target


class WorkflowRunSucceeded:
    """Reads the run's own conclusion."""

    name = "workflow-run-succeeded"
    waits_for = "the workflow's run has succeeded"
    kinds = frozenset({WORKFLOW.kind, WORKFLOW_RUN.kind})
    verbs: frozenset[Verb] = frozenset()

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Judge the run as it was read."""
        run = (live or {}).get("run") or {}
        if run.get("status") != "completed":
            return Look(False, None, None, f"{target} is {run.get('status') or 'not started'}.")
        conclusion = run["conclusion"] or "over without a conclusion"
        good = conclusion == "success"
        said = f"{target}, attempt {run['attempt']}, ended: {conclusion}."
        return Look(good, None, None, said, over=not good)
