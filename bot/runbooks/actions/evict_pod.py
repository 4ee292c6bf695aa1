"""pod-evict: ask for a pod to go, which its disruption budget may refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.actions.action import Occasion, Rendered, Unsuitable
from bot.runbooks.actions.delete_pod import DeletePod
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import POD
from bot.runbooks.target import Target, controller

Json = Mapping[str, Any]


class EvictPod(DeletePod):
    """Posts an Eviction with the pod's uid as precondition; what it leaves is what a deletion does. A budget that has
    no pod to spare answers 429: then it is asked again, as ``kubectl drain`` does, until the step's time is over."""

    name = "pod-evict"
    verbs = frozenset({POD.verb("create", "eviction")})
    inverse = "none: an evicted pod does not come back; its controller starts another"
    patient = True
    gone_is_done = True  # as to `kubectl drain`

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the eviction."""
        if live["metadata"].get("deletionTimestamp"):
            return Unsuitable("already-deleted", f"{target} is being deleted already; there is nothing to do.")
        owner = controller(live)
        replaced = (
            f"{owner['kind']} {owner['name']} starts another elsewhere"
            if owner
            else "nothing controls it, so nothing starts another"
        )
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": target.name, "namespace": target.namespace},
            "deleteOptions": {"preconditions": {"uid": live["metadata"]["uid"]}},
        }
        return Rendered(
            call=Call("POST", target.resource.path(target.namespace, target.name, "eviction"), JSON, body),
            effect=(f"{target} is evicted as its disruption budget allows; {replaced}.",),
            undo="",
        )

    def result(self, answer: Json, arguments: Json) -> Json:
        """The server answers a Status that says nothing of the pod."""
        return {"status": answer.get("status")}
