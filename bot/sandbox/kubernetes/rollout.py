"""The arithmetic of a rolling update, as functions on numbers.

Source: pkg/controller/deployment/{rolling,sync,progress}.go and util/deployment_util.go, whose function
names the docstrings give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


def scaled(value: int | str, total: int, *, up: bool) -> int:
    """An int-or-percentage of `total` (GetScaledValueFromIntOrPercent)."""
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * total / 100
    return math.ceil(share) if up else math.floor(share)


@dataclass(frozen=True)
class Bounds:
    """How far a rollout may go over and under the wanted replicas."""

    replicas: int
    surge: int
    unavailable: int

    @classmethod
    def of(cls, spec: Json) -> Bounds:
        """Read a Deployment's spec (ResolveFenceposts: never both zero)."""
        replicas = spec.get("replicas", 1)
        strategy = spec.get("strategy") or {}
        if strategy.get("type") == "Recreate":
            return cls(replicas, 0, replicas)
        rolling = strategy.get("rollingUpdate") or {}
        surge = scaled(rolling.get("maxSurge", "25%"), replicas, up=True)
        unavailable = scaled(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        if surge == 0 and unavailable == 0:
            unavailable = 1
        return cls(replicas, surge, min(unavailable, replicas))


@dataclass(frozen=True)
class Set:
    """A ReplicaSet as the arithmetic sees it; old ones come oldest first."""

    replicas: int
    available: int


def new_size(bounds: Bounds, new: int, old: Sequence[int]) -> int:
    """How many replicas the new set gets next (NewRSNewReplicas, reconcileNewReplicaSet)."""
    if new >= bounds.replicas:
        return bounds.replicas
    room = bounds.replicas + bounds.surge - (new + sum(old))
    return new + min(max(room, 0), bounds.replicas - new)


def old_sizes(bounds: Bounds, new: Set, old: Sequence[Set]) -> list[int]:
    """How many replicas each old set keeps (reconcileOldReplicaSets): unhealthy ones go first, healthy ones
    only as far as enough stay available."""
    sizes = [s.replicas for s in old]
    total = new.replicas + sum(sizes)
    least = bounds.replicas - bounds.unavailable
    spare = total - least - (new.replicas - new.available)
    if spare <= 0 or not any(sizes):
        return sizes
    for i, s in enumerate(old):
        gone = min(spare, max(0, sizes[i] - s.available))
        sizes[i] -= gone
        spare -= gone
    left = new.available + sum(s.available for s in old) - least
    for i in range(len(old)):
        gone = min(sizes[i], max(0, left))
        sizes[i] -= gone
        left -= gone
    return sizes


def proportional_sizes(bounds: Bounds, sizes: Sequence[int], before: Sequence[int]) -> list[int]:
    """Spread a change of `replicas` in mid-rollout over all active sets (scale, GetProportion).

    `sizes` are the active sets newest first, `before` the surge-inclusive maximum each was sized for.
    """
    allowed = bounds.replicas + bounds.surge if bounds.replicas else 0
    add = allowed - sum(sizes)
    if add == 0 or not sizes:
        return list(sizes)
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i if add > 0 else -i))
    result = list(sizes)
    added = 0
    for i in order:
        fraction = math.floor(sizes[i] * allowed / before[i] + 0.5) - sizes[i] if before[i] else 0
        left = add - added
        share = min(fraction, left) if add > 0 else max(fraction, left)
        share = max(share, 0) if add > 0 else min(share, 0)
        result[i] += share
        added += share
    result[order[0]] = max(0, result[order[0]] + add - added)
    return result


def is_complete(spec: Json, status: Json) -> bool:
    """Whether the rollout is done (DeploymentComplete)."""
    wanted = spec.get("replicas", 1)
    return all(status.get(key, 0) == wanted for key in ("updatedReplicas", "replicas", "availableReplicas"))


def has_progressed(old: Json, new: Json) -> bool:
    """Whether the new status shows any progress over the old one (DeploymentProgressing)."""
    behind = new.get("replicas", 0) - new.get("updatedReplicas", 0)
    was_behind = old.get("replicas", 0) - old.get("updatedReplicas", 0)
    return behind < was_behind or any(
        new.get(key, 0) > old.get(key, 0) for key in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
