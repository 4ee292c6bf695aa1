"""node-drained: the node takes no new pods, and none that has to move is left on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.runbooks import node_pods
from bot.runbooks.access import Access
from bot.runbooks.checks.check import Look
from bot.runbooks.resources import NODE, POD
from bot.runbooks.target import Target


class NodeDrained:
    """Reads the node and the pods of every namespace that are on it."""

    name = "node-drained"
    waits_for = "the node takes no new pods and has none left to move"
    kinds = frozenset({NODE.kind})
    verbs = frozenset({POD.verb("list", cluster_wide=True)})

    async def look(self, access: Access, target: Target, live: Mapping[str, Any] | None) -> Look:
        """Count what is left; a pod that is ending is, until it is gone, as ``kubectl drain`` waits for it."""
        if live is None:
            return Look(False, None, None, f"{target} no longer exists.")
        left = len(await node_pods.on_node(access, target.name))
        if not live["spec"].get("unschedulable"):
            return Look(False, None, None, f"{target} is not cordoned, {left} pods left.")
        return Look(left == 0, None, None, f"{target} is cordoned, {left} pods left to move.")
