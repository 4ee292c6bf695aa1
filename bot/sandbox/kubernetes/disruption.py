"""Pod disruption budgets: how many pods are healthy, how many have to be.

Sources: pkg/controller/disruption/disruption.go and pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.kubernetes import selectors
from bot.sandbox.kubernetes.rollout import scaled

Json = dict[str, Any]


@dataclass(frozen=True)
class Budget:
    """The four numbers of a budget's status."""

    healthy: int
    desired: int
    expected: int

    @property
    def allowed(self) -> int:
        """How many pods may go now."""
        return max(0, self.healthy - self.desired) if self.expected else 0


def is_ready(pod: Json) -> bool:
    """Whether the pod's Ready condition is true."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def can_ignore_budget(pod: Json) -> bool:
    """Whether the pod is ending or has not begun, so that no budget protects it."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or "deletionTimestamp" in pod["metadata"]


def measure(budget: Json, pods: Sequence[Json]) -> Budget:
    """Count the budget's pods among `pods`.

    `expected` is the number of pods that there are; the real controller asks their workloads' replicas,
    which differs only while a workload scales.
    """
    spec = budget["spec"]
    mine = [
        pod
        for pod in pods
        if spec.get("selector") and selectors.matches(spec["selector"], pod["metadata"].get("labels") or {})
    ]
    expected = len([pod for pod in mine if "deletionTimestamp" not in pod["metadata"]])
    healthy = len([pod for pod in mine if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]])
    if "maxUnavailable" in spec:
        desired = max(0, expected - scaled(spec["maxUnavailable"], expected, up=True))
    else:
        desired = scaled(spec.get("minAvailable", 1), expected, up=True)
    return Budget(healthy, desired, expected)


def status(budget: Json, pods: Sequence[Json], now: str) -> Json:
    """The budget's status object; `now` stamps a condition that turns."""
    counts = measure(budget, pods)
    enough = counts.allowed > 0
    old = next((c for c in (budget.get("status") or {}).get("conditions") or []), None)
    word = "True" if enough else "False"
    since = old["lastTransitionTime"] if old is not None and old["status"] == word else now
    return {
        "conditions": [
            {
                "type": "DisruptionAllowed",
                "status": word,
                "reason": "SufficientPods" if enough else "InsufficientPods",
                "message": "",
                "observedGeneration": budget["metadata"].get("generation", 1),
                "lastTransitionTime": since,
            }
        ],
        "currentHealthy": counts.healthy,
        "desiredHealthy": counts.desired,
        "disruptionsAllowed": counts.allowed,
        "expectedPods": counts.expected,
        "observedGeneration": budget["metadata"].get("generation", 1),
    }
