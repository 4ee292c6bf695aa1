"""rollout-not-paused: the Deployment rolls out changes of its pod template; a paused one would do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.checks.check import Observed
from bot.runbooks.resources import DEPLOYMENT


class RolloutNotPaused:
    """Refuses a paused Deployment, as kubectl does for restart and undo."""

    name = "rollout-not-paused"
    kinds = frozenset({DEPLOYMENT.kind})
    arguments: Mapping[str, Mapping[str, Any]] = {}

    def observe(self, live: Mapping[str, Any], arguments: Mapping[str, Any]) -> Observed:
        """Read spec.paused."""
        name = live["metadata"]["name"]
        if live["spec"].get("paused"):
            return Observed(False, True, f"The rollout of {name} is paused; resume it first (kubectl rollout resume).")
        return Observed(True, False, f"The rollout of {name} is not paused.")
