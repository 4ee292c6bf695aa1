"""rollout-healthy: every wanted pod of the workload is of the newest template and available, and no other is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.runbooks import rollout
from bot.runbooks.access import Access
from bot.runbooks.checks.check import Look
from bot.runbooks.resources import DAEMON_SET, STATEFUL_SET, Verb
from bot.runbooks.target import Target

Json = Mapping[str, Any]


class RolloutHealthy:
    """Asks what ``kubectl rollout status`` asks."""

    name = "rollout-healthy"
    waits_for = "every wanted pod is of the newest template and available"
    kinds = rollout.KINDS
    verbs: frozenset[Verb] = frozenset()

    async def look(self, access: Access, target: Target, live: Json | None) -> Look:
        """Read the workload's status."""
        return judge(target, live)


@dataclass(frozen=True, slots=True)
class _Count:
    """Pods as the controller reports them; ``due`` is how many are to be of the newest template, ``surplus`` says which
    are still there and are not to be, ``under_way`` that it has not finished."""

    desired: int
    ready: int
    available: int
    updated: int
    due: int
    surplus: str = ""
    under_way: bool = False


def judge(target: Target, live: Json | None) -> Look:
    """Judge a workload as it was read."""
    if live is None:
        return Look(False, None, None, f"{target} no longer exists.")
    status = live.get("status") or {}
    if target.resource == STATEFUL_SET:
        count = _stateful_set(live, status)
    elif target.resource == DAEMON_SET:
        count = _daemon_set(live, status)
    else:
        count = _deployment(live, status)
    if _number(status, "observedGeneration") < int(live["metadata"].get("generation") or 0):
        desired = None if target.resource == DAEMON_SET else count.desired
        return Look(False, None, desired, f"The change of {target.name} has not been taken up yet.")
    desired, ready = count.desired, count.ready
    sentence = f"{ready} of {desired} pods ready"
    if count.updated < count.due:
        return Look(False, ready, desired, f"{sentence}, {count.updated} of the new template.")
    if count.surplus:
        return Look(False, ready, desired, f"{sentence}, {count.surplus} still there.")
    if count.available < desired:
        return Look(False, ready, desired, f"{sentence}, {count.available} available.")
    if count.under_way:
        return Look(False, ready, desired, f"{sentence}, and the rollout is not over.")
    return Look(True, ready, desired, f"{sentence}.")


def _deployment(live: Json, status: Json) -> _Count:
    wanted, updated = rollout.wanted(live), _number(status, "updatedReplicas")
    old = _number(status, "replicas") - updated
    return _Count(
        desired=wanted,
        ready=_number(status, "readyReplicas"),
        available=_number(status, "availableReplicas"),
        updated=updated,
        due=wanted,
        surplus=f"{old} of an old template" if old > 0 else "",
    )


def _stateful_set(live: Json, status: Json) -> _Count:
    wanted = rollout.wanted(live)
    more = _number(status, "replicas") - wanted
    # Pods before the partition keep their template; under OnDelete each does until somebody deletes it.
    due = 0 if _on_delete(live) else rollout.touched(STATEFUL_SET, live)
    return _Count(
        desired=wanted,
        ready=_number(status, "readyReplicas"),
        available=_number(status, "availableReplicas"),
        updated=_number(status, "updatedReplicas"),
        due=due,
        surplus=f"{more} more" if more > 0 else "",
        under_way=due == wanted and status.get("currentRevision") != status.get("updateRevision"),
    )


def _daemon_set(live: Json, status: Json) -> _Count:
    wanted = rollout.scheduled(live)
    return _Count(
        desired=wanted,
        ready=_number(status, "numberReady"),
        available=_number(status, "numberAvailable"),
        updated=_number(status, "updatedNumberScheduled"),
        due=0 if _on_delete(live) else wanted,
        under_way=_number(status, "numberUnavailable") > 0,
    )


def _on_delete(live: Json) -> bool:
    return (live["spec"].get("updateStrategy") or {}).get("type") == "OnDelete"


def _number(status: Json, key: str) -> int:
    return int(status.get(key) or 0)
