"""What rolling out a changed pod template means for each kind of workload, whichever action causes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.runbooks.resources import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Resource

if TYPE_CHECKING:
    from bot.runbooks.actions.action import Before, ReadBack

Json = Mapping[str, Any]

CHANGE_CAUSE = "kubernetes.io/change-cause"
KINDS = frozenset({DEPLOYMENT.kind, STATEFUL_SET.kind, DAEMON_SET.kind})
PATCH = frozenset({DEPLOYMENT.verb("patch"), STATEFUL_SET.verb("patch"), DAEMON_SET.verb("patch")})
CHECKS = frozenset({"rollout-not-paused", "rollout-automatic"})
"""Without them a changed template may reach no pod; each is asked for of the kinds that it is for."""


def notes(live: Json) -> Mapping[str, str]:
    """Return the annotations of any object, empty when it has none."""
    found: Mapping[str, str] = live["metadata"].get("annotations") or {}
    return found


def wanted(live: Json) -> int:
    """How many pods a Deployment or StatefulSet wants; the API's default is one."""
    replicas = live["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def scheduled(live: Json) -> int:
    """How many nodes run a pod of the DaemonSet: only its controller knows."""
    return int((live.get("status") or {}).get("desiredNumberScheduled") or 0)


def partition(live: Json) -> int:
    """The number of the first pod of the StatefulSet that gets a changed template; those before keep what they have."""
    rolling = (live["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)


def touched(resource: Resource, live: Json) -> int:
    """How many pods a change of the template replaces."""
    if resource == DAEMON_SET:
        return scheduled(live)
    return max(0, wanted(live) - partition(live)) if resource == STATEFUL_SET else wanted(live)


def pace(resource: Resource, live: Json, *, stuck: str = "so delete that one first") -> str:
    """Say how the workload replaces its pods; ``stuck`` is what to do where a pod that is not ready holds them up."""
    if resource == STATEFUL_SET:
        return _one_by_one(live, stuck)
    if resource == DAEMON_SET:
        rolling = (live["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        # https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
        unavailable, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
        return f"Pods are replaced node by node: at most {unavailable} unavailable and {surge} extra at a time."
    strategy = live["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return "All its pods are stopped before new ones start (strategy Recreate)."
    rolling = strategy.get("rollingUpdate") or {}
    # The API's defaults: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy
    surge, unavailable = rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%")
    return f"Pods are replaced step by step: at most {unavailable} unavailable and {surge} extra at a time."


def _one_by_one(live: Json, stuck: str) -> str:
    """https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies"""
    count, first = wanted(live), partition(live)
    rolling = (live["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    several = rolling.get("maxUnavailable", 1)
    if count == 1:
        said = "Its only pod is stopped before the new one starts."
    elif several != 1:
        said = f"Pods are replaced from the highest number down: at most {several} unavailable at a time."
    else:
        said = "Pods are replaced one by one, the highest number first; each must be ready before the next."
    kept = f" Pods 0 to {first - 1} stay as they are (partition {first})." if first > 1 else ""
    kept = f" Pod 0 stays as it is (partition {first})." if first == 1 else kept
    ready = int((live.get("status") or {}).get("readyReplicas") or 0)
    if ready < count and live["spec"].get("podManagementPolicy") != "Parallel":
        # https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
        kept += f" Only {ready} of {count} are ready now: while one is not, none is replaced, {stuck}."
    return said + kept


def pods(count: int) -> str:
    """``1 pod``, ``3 pods``."""
    return f"{count} pod" if count == 1 else f"{count} pods"


def rolled_out(live: Json | None, before: Before, now: str, result: str) -> ReadBack:
    """Tell whether a change of the pod template took effect; ``now`` is the hash of the action's fields as they are.

    Every change of a workload's spec raises its generation. Fields as before under a higher generation may be an
    unrelated change, or our change and its reversal: nobody can tell.
    """
    if live is None or live["metadata"]["uid"] != before.uid:
        return "cannot tell"
    if now == result:
        return "applied"
    if now == before.fields and before.generation in (None, live["metadata"].get("generation")):
        return "not applied"
    return "cannot tell"


def template(live: Json) -> Json:
    """The pod template, and what else decides whether a change of it reaches the pods: a change in them is drift."""
    spec = live["spec"]
    strategy = spec.get("updateStrategy") or {}
    return {
        "template": spec["template"],
        "paused": bool(spec.get("paused")),
        "strategy": strategy.get("type"),
        "partition": partition(live) if strategy else None,
    }
