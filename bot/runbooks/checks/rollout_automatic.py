"""rollout-automatic: a changed template reaches pods of the StatefulSet or DaemonSet without somebody deleting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks import rollout
from bot.runbooks.checks.check import Observed
from bot.runbooks.resources import DAEMON_SET, STATEFUL_SET


class RolloutAutomatic:
    """Refuses the update strategy OnDelete, as kubectl does for a restart's status, and a partition above all pods."""

    name = "rollout-automatic"
    kinds = frozenset({STATEFUL_SET.kind, DAEMON_SET.kind})
    arguments: Mapping[str, Mapping[str, Any]] = {}

    def observe(self, live: Mapping[str, Any], arguments: Mapping[str, Any]) -> Observed:
        """Read spec.updateStrategy; a DaemonSet has no partition."""
        name = live["metadata"]["name"]
        strategy = str((live["spec"].get("updateStrategy") or {}).get("type") or "RollingUpdate")
        first = rollout.partition(live)
        seen = {"type": strategy, "partition": first}
        if strategy != "RollingUpdate":
            why = (
                f"{name} replaces no pod by itself (updateStrategy {strategy}): a new template reaches a pod once it is"
            )
            by_hand = "Change the template and delete the pods one after the other, or set RollingUpdate first."
            return Observed(False, seen, f"{why} deleted. {by_hand}")
        if first and first >= rollout.wanted(live):
            why = (
                f"The partition of {name} is {first} and it has {rollout.pods(rollout.wanted(live))}, so none would be"
            )
            return Observed(False, seen, f"{why} replaced; lower updateStrategy.rollingUpdate.partition first.")
        return Observed(True, seen, f"{name} replaces its pods by itself when its template changes.")
