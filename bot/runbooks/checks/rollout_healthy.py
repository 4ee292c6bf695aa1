"""rollout-healthy: every wanted pod of the Deployment is of the newest template and available, and no other is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.actions.deployment import wanted
from bot.runbooks.checks.check import Look
from bot.runbooks.resources import DEPLOYMENT, Verb
from bot.runbooks.target import Target


class RolloutHealthy:
    """Asks what ``kubectl rollout status`` asks."""

    name = "rollout-healthy"
    waits_for = "every wanted pod is of the newest template and available"
    kinds = frozenset({DEPLOYMENT.kind})
    verbs: frozenset[Verb] = frozenset()

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Read the Deployment's status."""
        return judge(target, live)


def judge(target: Target, live: Mapping[str, Any] | None) -> Look:
    """Judge a Deployment as it was read."""
    if live is None:
        return Look(False, None, None, f"{target} no longer exists.")
    status = live.get("status") or {}
    count = {key: int(status.get(key) or 0) for key in ("replicas", "updatedReplicas", "readyReplicas")}
    available = int(status.get("availableReplicas") or 0)
    desired, ready = wanted(live), count["readyReplicas"]
    if int(status.get("observedGeneration") or 0) < int(live["metadata"].get("generation") or 0):
        return Look(False, None, desired, f"The change of {target.name} has not been taken up yet.")
    updated, left = count["updatedReplicas"], count["replicas"] - count["updatedReplicas"]
    sentence = f"{ready} of {desired} pods ready"
    if updated < desired:
        return Look(False, ready, desired, f"{sentence}, {updated} of the new template.")
    if left > 0:
        return Look(False, ready, desired, f"{sentence}, {left} of an old template still there.")
    if available < desired:
        return Look(False, ready, desired, f"{sentence}, {available} available.")
    return Look(True, ready, desired, f"{sentence}.")
