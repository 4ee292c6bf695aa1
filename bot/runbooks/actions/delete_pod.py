"""pod-delete: delete one pod, and no other pod that may have its name by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.actions.action import Action, Before, Occasion, ReadBack, Rendered, Unsuitable
from bot.runbooks.call import JSON, Call
from bot.runbooks.resources import POD
from bot.runbooks.target import Target, controller

Json = Mapping[str, Any]


class DeletePod(Action):
    """Deletes with the pod's own grace period; the uid is a precondition that the server checks."""

    name = "pod-delete"
    kinds = frozenset({POD.kind})
    verbs = frozenset({POD.verb("delete")})
    inverse = "none: a deleted pod does not come back; its controller starts another"

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the deletion. Background propagation is what kubectl uses."""
        if live["metadata"].get("deletionTimestamp"):
            return Unsuitable("already-deleted", f"{target} is being deleted already; there is nothing to do.")
        owner = controller(live)
        replaced = (
            f"{owner['kind']} {owner['name']} starts another in its place."
            if owner
            else "Nothing controls it, so nothing starts another in its place."
        )
        grace = live["spec"].get("terminationGracePeriodSeconds", 30)
        return Rendered(
            call=Call(
                "DELETE",
                target.path,
                JSON,
                {
                    "apiVersion": "v1",
                    "kind": "DeleteOptions",
                    "preconditions": {"uid": live["metadata"]["uid"]},
                    "propagationPolicy": "Background",
                },
            ),
            effect=(f"{target} will be deleted; it has {grace} s to end by itself.", replaced),
            undo="",
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """Who would replace it, and whether somebody deletes it already."""
        return {"owner": controller(live), "deleting": bool(live["metadata"].get("deletionTimestamp"))}

    def result(self, answer: Json, arguments: Json) -> Json:
        """Which pod it was: the server answers the pod itself, or a Status about it."""
        subject = answer.get("details") if answer.get("kind") == "Status" else answer.get("metadata")
        return {"uid": (subject or {}).get("uid", "")}

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """What tells the pod from others, and then nothing."""
        return brief(live), {}

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """The pod is gone, replaced or going, whoever did it: then it is as the call would have left it."""
        if live is None or live["metadata"]["uid"] != before.uid or live["metadata"].get("deletionTimestamp"):
            return "applied"
        return "not applied"


def brief(pod: Json) -> Json:
    """What tells a pod from others; its whole manifest would say no more."""
    spec = pod["spec"]
    return {
        "kind": POD.kind,
        "metadata": {key: pod["metadata"].get(key) for key in ("name", "namespace", "uid")},
        "controller": controller(pod),
        "node": spec.get("nodeName"),
        "phase": (pod.get("status") or {}).get("phase"),
        "containers": [
            {"name": container["name"], "image": container.get("image", "")}
            for container in spec.get("containers") or []
        ],
    }
