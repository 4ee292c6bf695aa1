"""scale: set how many pods a Deployment or StatefulSet has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks import owners, rollout
from bot.runbooks.access import Access
from bot.runbooks.actions.action import DECLARED, Action, Occasion, Rendered, Unsuitable
from bot.runbooks.arguments import whole
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.resources import AUTOSCALER, DEPLOYMENT, STATEFUL_SET
from bot.runbooks.target import Target

Json = Mapping[str, Any]


class Scale(Action):
    """Patches spec.replicas, unless an autoscaler decides about it."""

    name = "scale"
    kinds = frozenset({DEPLOYMENT.kind, STATEFUL_SET.kind})
    arguments: Mapping[str, Json] = {"replicas": whole(0)}
    verbs = frozenset({DEPLOYMENT.verb("patch"), STATEFUL_SET.verb("patch"), AUTOSCALER.verb("list")})
    inverse = "scale to the number before"
    reverted_by = DECLARED | {"autoscaler"}

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Read the autoscalers of the namespace."""
        return await owners.autoscalers(access, target)

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the merge patch of the number."""
        autoscaler = owners.scaled_by(target, gathered)
        if autoscaler is not None:
            return Unsuitable("owned", owners.sentence(target, autoscaler))
        wanted, now = int(arguments["replicas"]), rollout.wanted(live)
        if wanted == now:
            return Unsuitable("no-change", f"{target} asks for {rollout.pods(now)} already.")
        if wanted < now and _deletes_volumes(live):
            why = f"{target} deletes the volumes of the pods that go (whenScaled: Delete), and nothing brings them back"
            return Unsuitable("volumes", f"{why}; set persistentVolumeClaimRetentionPolicy.whenScaled to Retain first.")
        moved = f"{rollout.pods(abs(wanted - now))} will be {'started' if wanted > now else 'removed'}"
        stopped = " Nothing of it will run any more." if wanted == 0 else ""
        return Rendered(
            call=_call(target, wanted),
            effect=(f"{target} goes from {now} to {rollout.pods(wanted)}: {moved}.{stopped}",),
            undo=f"Scale {target} back to {now}.",
            inverse=_call(target, now),
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """The number of pods."""
        return {"replicas": rollout.wanted(live)}


def _deletes_volumes(live: Json) -> bool:
    """https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention"""
    policy = live["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return bool(live["spec"].get("volumeClaimTemplates")) and policy.get("whenScaled") == "Delete"


def _call(target: Target, replicas: int) -> Call:
    return Call("PATCH", target.path, MERGE_PATCH, {"spec": {"replicas": replicas}})
