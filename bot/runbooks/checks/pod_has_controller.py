"""pod-has-controller: something that keeps a number of pods will start another in the place of this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.checks.check import Observed
from bot.runbooks.resources import DAEMON_SET, POD, REPLICA_SET, STATEFUL_SET
from bot.runbooks.target import controller

REPLACING = {resource.kind: resource for resource in (REPLICA_SET, STATEFUL_SET, DAEMON_SET)}


class PodHasController:
    """Refuses a bare pod, which would be lost, and a Job's, whose deletion counts as a failure."""

    name = "pod-has-controller"
    kinds = frozenset({POD.kind})
    arguments: Mapping[str, Mapping[str, Any]] = {}

    def observe(self, live: Mapping[str, Any], arguments: Mapping[str, Any]) -> Observed:
        """Read the controlling owner reference."""
        name, owner = live["metadata"]["name"], controller(live)
        if owner is None:
            return Observed(False, None, f"Nothing controls {name}, so it would not be replaced.")
        resource = REPLACING.get(owner["kind"])
        if resource is None or resource.api_version != owner["apiVersion"]:
            return Observed(
                False,
                owner,
                f"{name} belongs to {owner['kind']} {owner['name']}, which may not replace it; "
                f"only pods of a {', '.join(REPLACING)} are deleted.",
            )
        return Observed(True, owner, f"{owner['kind']} {owner['name']} replaces {name}.")
