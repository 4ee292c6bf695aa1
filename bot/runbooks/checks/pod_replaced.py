"""pod-replaced: the pod is gone, and its controller has every pod it wants ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.checks.check import Look
from bot.runbooks.checks.pod_has_controller import REPLACING
from bot.runbooks.resources import POD
from bot.runbooks.target import Target


class PodReplaced:
    """Looks at the pod by uid and at the controller that the plan recorded."""

    name = "pod-replaced"
    waits_for = "the pod is gone and its controller has every pod it wants ready"
    kinds = frozenset({POD.kind})
    verbs = frozenset(resource.verb("get") for resource in REPLACING.values())

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Read the controller too."""
        owner = target.owner
        if owner is None or owner["kind"] not in REPLACING:
            return Look(False, None, None, f"Nothing that replaces pods controls {target.name}.")
        found = await access.find(REPLACING[owner["kind"]], target.namespace, owner["name"])
        return judge(target, live, found)


def judge(target: Target, live: Mapping[str, Any] | None, owner: Mapping[str, Any] | None) -> Look:
    """Judge the pod and its controller as they were read."""
    recorded = target.owner or {}
    name = f"{recorded.get('kind')} {recorded.get('name')}"
    if owner is None or owner["metadata"]["uid"] != recorded.get("uid"):
        return Look(False, None, None, f"{name} no longer exists.")
    ready, desired = _ready(owner)
    sentence = f"{ready} of {desired} pods of {name} ready"
    if live is not None and live["metadata"]["uid"] == target.uid:
        return Look(False, ready, desired, f"{sentence}, {target.name} still there.")
    status = owner.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(owner["metadata"].get("generation") or 0):
        return Look(False, ready, desired, f"{sentence}, a change of it not taken up yet.")
    if desired == 0:
        return Look(False, ready, desired, f"{name} wants no pods any more.")
    return Look(ready >= desired, ready, desired, f"{sentence}.")


def _ready(owner: Mapping[str, Any]) -> tuple[int, int]:
    status = owner.get("status") or {}
    if owner.get("kind") == "DaemonSet":
        return int(status.get("numberReady") or 0), int(status.get("desiredNumberScheduled") or 0)
    replicas = owner["spec"].get("replicas")
    return int(status.get("readyReplicas") or 0), 1 if replicas is None else int(replicas)
