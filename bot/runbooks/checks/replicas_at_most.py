"""replicas-at-most: the workload asks for no more than ``count`` pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.arguments import whole
from bot.runbooks.checks.check import Observed
from bot.runbooks.resources import DEPLOYMENT, STATEFUL_SET


class ReplicasAtMost:
    """Keeps a runbook away from workloads that are larger than it was written for."""

    name = "replicas-at-most"
    kinds = frozenset({DEPLOYMENT.kind, STATEFUL_SET.kind})
    arguments: Mapping[str, Mapping[str, Any]] = {"count": whole(0)}

    def observe(self, live: Mapping[str, Any], arguments: Mapping[str, Any]) -> Observed:
        """Read spec.replicas; the API's default is one."""
        replicas = live["spec"].get("replicas")
        asked = 1 if replicas is None else int(replicas)
        most = int(arguments["count"])
        said = f"{live['metadata']['name']} asks for {asked} pods, at most {most} are accepted."
        return Observed(asked <= most, asked, said)
