"""pods-ready-at-least: of the workload's pods ``count`` or more are ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks import rollout
from bot.runbooks.arguments import whole
from bot.runbooks.checks.check import Observed


class PodsReadyAtLeast:
    """Keeps a runbook from taking pods away from a workload that has few left."""

    name = "pods-ready-at-least"
    kinds = rollout.KINDS
    arguments: Mapping[str, Mapping[str, Any]] = {"count": whole(0)}

    def observe(self, live: Mapping[str, Any], arguments: Mapping[str, Any]) -> Observed:
        """Read the status. More ready pods than asked for are no drift: the value stays what was asked for."""
        status, least = live.get("status") or {}, int(arguments["count"])
        ready = int(status.get("readyReplicas") or status.get("numberReady") or 0)
        name = live["metadata"]["name"]
        return Observed(ready >= least, min(ready, least), f"{ready} pods of {name} are ready, {least} are needed.")
