"""deployment-pause and deployment-resume: stop a Deployment from rolling out changes, and let it go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks import rollout
from bot.runbooks.actions.action import DECLARED, Action, Occasion, Rendered, Unsuitable
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.resources import DEPLOYMENT
from bot.runbooks.target import Target

Json = Mapping[str, Any]


class PauseRollout(Action):
    """Sets spec.paused; pods that run keep running."""

    name = "deployment-pause"
    kinds = frozenset({DEPLOYMENT.kind})
    verbs = frozenset({DEPLOYMENT.verb("patch")})
    inverse = "deployment-resume"
    requires = frozenset({"rollout-not-paused"})
    # A manifest seldom says paused: false, so helm and kubectl apply leave it; a reconciler that does takes it back.
    reverted_by = DECLARED - {"helm"}
    paused = True

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the merge patch of the one field."""
        what = (
            f"{target} rolls out no change of its pod template until it is resumed; its pods keep running."
            if self.paused
            else f"{target} rolls out what was changed while it was paused. {rollout.pace(target.resource, live)}"
        )
        return Rendered(
            call=_call(target, self.paused),
            effect=(what,),
            undo=f"{'Resume' if self.paused else 'Pause'} the rollout of {target}.",
            inverse=_call(target, not self.paused),
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """Whether it is paused."""
        return {"paused": bool(live["spec"].get("paused"))}


class ResumeRollout(PauseRollout):
    """Takes spec.paused away."""

    name = "deployment-resume"
    inverse = "deployment-pause"
    requires = frozenset({"rollout-paused"})
    paused = False

    def fields(self, live: Json, arguments: Json) -> Json:
        """Whether it is paused, and the pod template that will be rolled out."""
        return {"paused": bool(live["spec"].get("paused")), "template": live["spec"]["template"]}


def _call(target: Target, paused: bool) -> Call:
    return Call("PATCH", target.path, MERGE_PATCH, {"spec": {"paused": True if paused else None}})
