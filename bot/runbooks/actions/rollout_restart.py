"""deployment-restart: replace every pod by a new one of the same release, as ``kubectl rollout restart`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.runbooks.actions import deployment
from bot.runbooks.actions.action import Action, Before, Occasion, ReadBack, Rendered, Unsuitable, fingerprint
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.resources import DEPLOYMENT
from bot.runbooks.target import Target

Json = Mapping[str, Any]

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


class RolloutRestart(Action):
    """Sets the annotation that kubectl sets, to a time fixed when the plan is made.

    No owner puts it back: a manifest does not have the annotation, and what is not in it is left alone.
    """

    name = "deployment-restart"
    kinds = frozenset({DEPLOYMENT.kind})
    verbs = frozenset({DEPLOYMENT.verb("patch")})
    inverse = "none: a restart cannot be taken back, and the release stays the same"
    requires = frozenset({"rollout-not-paused"})

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the merge patch of one annotation: exact for maps, and it makes those that are absent."""
        at = datetime.fromtimestamp(occasion.now // 1_000_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        template = live["spec"]["template"]
        if (template["metadata"].get("annotations") or {}).get(RESTARTED_AT) == at:
            return Unsuitable("same-second", f"{target} was restarted this very second; plan again in a moment.")
        count = deployment.wanted(live)
        return Rendered(
            call=Call(
                "PATCH",
                target.path,
                MERGE_PATCH,
                {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}},
            ),
            effect=(
                f"{deployment.pods(count)} of {target.name} will be replaced by new ones of the same release.",
                deployment.pace(live),
            ),
            undo="",
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """The pod template, since another release would be restarted, and whether the rollout is paused."""
        return {"template": live["spec"]["template"], "paused": bool(live["spec"].get("paused"))}

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """By the template, which holds the time that was fixed at planning."""
        return deployment.rolled_out(live, before, fingerprint(self.fields(live, arguments)) if live else "", result)
