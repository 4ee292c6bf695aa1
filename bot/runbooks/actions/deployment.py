"""What rolling a Deployment out again means, whichever action causes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.actions.action import Before, ReadBack

Json = Mapping[str, Any]

CHANGE_CAUSE = "kubernetes.io/change-cause"


def notes(live: Json) -> Mapping[str, str]:
    """Return the annotations of any object, empty when it has none."""
    found: Mapping[str, str] = live["metadata"].get("annotations") or {}
    return found


def wanted(live: Json) -> int:
    """How many pods the Deployment wants; the API's default is one."""
    replicas = live["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def pace(live: Json) -> str:
    """Say how the Deployment replaces its pods."""
    strategy = live["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return "All its pods are stopped before new ones start (strategy Recreate)."
    rolling = strategy.get("rollingUpdate") or {}
    # The API's defaults: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy
    surge, unavailable = rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%")
    return f"Pods are replaced step by step: at most {unavailable} unavailable and {surge} extra at a time."


def pods(count: int) -> str:
    """``1 pod``, ``3 pods``."""
    return f"{count} pod" if count == 1 else f"{count} pods"


def rolled_out(live: Json | None, before: Before, now: str, result: str) -> ReadBack:
    """Tell whether a change of the pod template took effect; ``now`` is the hash of the action's fields as they are.

    Every change of a Deployment's spec raises its generation. Fields as before under a higher generation may be an
    unrelated change, or our change and its reversal: nobody can tell.
    """
    if live is None or live["metadata"]["uid"] != before.uid:
        return "cannot tell"
    if now == result:
        return "applied"
    if now == before.fields and before.generation in (None, live["metadata"].get("generation")):
        return "not applied"
    return "cannot tell"
