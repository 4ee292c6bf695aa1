"""pod-evict: ask for a pod to go, which its disruption budget may refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.actions.action import Action, Before, Occasion, ReadBack, Rendered, Unsuitable
from bot.runbooks.actions.delete_pod import brief
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import POD
from bot.runbooks.target import Target, controller

Json = Mapping[str, Any]


class EvictPod(Action):
    """Posts an Eviction with the pod's uid as precondition. A budget that has no pod to spare answers 429: then it is
    asked again, as ``kubectl drain`` does, until the step's time is over."""

    name = "pod-evict"
    kinds = frozenset({POD.kind})
    verbs = frozenset({POD.verb("create", "eviction")})
    inverse = "none: an evicted pod does not come back; its controller starts another"
    patient = True

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

    def fields(self, live: Json, arguments: Json) -> Json:
        """Who would replace it, and whether somebody deletes it already."""
        return {"owner": controller(live), "deleting": bool(live["metadata"].get("deletionTimestamp"))}

    def result(self, answer: Json, arguments: Json) -> Json:
        """The server answers a Status that says nothing of the pod."""
        return {"status": answer.get("status")}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """What tells the pod from others, and then nothing."""
        return brief(live), {}

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """The pod is gone, replaced or going, whoever did it: then it is as the call would have left it."""
        if live is None or live["metadata"]["uid"] != before.uid or live["metadata"].get("deletionTimestamp"):
            return "applied"
        return "not applied"
