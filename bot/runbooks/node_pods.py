"""The pods of a node that a drain has to move, as ``kubectl drain`` chooses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.resources import DAEMON_SET, POD
from bot.runbooks.target import controller

MOST = 500
"""Pods read of one node; the kubelet runs 110 by default and is not tested with many more."""
_MIRROR = "kubernetes.io/config.mirror"


def has_to_move(pod: Mapping[str, Any]) -> bool:
    """Whether the pod has to leave: not a DaemonSet's, which stays, nor a static one, nor one that has ended. One that
    is on its way has to until it is gone."""
    owner = controller(pod)
    if owner is not None and owner["kind"] == DAEMON_SET.kind:
        return False
    if _MIRROR in (pod["metadata"].get("annotations") or {}):
        return False
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


async def on_node(access: Access, node: str) -> list[dict[str, Any]]:
    """Read the pods of every namespace that are left of those that a drain of ``node`` moves, also those that are on
    their way. Raises ``AccessFailed``."""
    found = await access.items(POD, "", fields=f"spec.nodeName={node}", limit=MOST)
    return [pod for pod in found if has_to_move(pod)]
