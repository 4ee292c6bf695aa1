"""rollout-restart: replace every pod by a new one of the same release, as ``kubectl rollout restart`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.runbooks import rollout
from bot.runbooks.actions.action import Action, Before, Occasion, ReadBack, Rendered, Unsuitable, fingerprint
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.target import Target

Json = Mapping[str, Any]

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


class RolloutRestart(Action):
    """Sets the annotation that kubectl sets, to a time fixed when the plan is made.

    No owner puts it back: a manifest does not have the annotation, and what is not in it is left alone.
    """

    name = "rollout-restart"
    kinds = rollout.KINDS
    verbs = rollout.PATCH
    inverse = "none: a restart cannot be taken back, and the release stays the same"
    requires = rollout.CHECKS

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the merge patch of one annotation: exact for maps, and it makes those that are absent."""
        at = datetime.fromtimestamp(occasion.now // 1_000_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        template = live["spec"]["template"]
        if ((template.get("metadata") or {}).get("annotations") or {}).get(RESTARTED_AT) == at:
            return Unsuitable("same-second", f"{target} was restarted this very second; plan again in a moment.")
        count = rollout.touched(target.resource, live)
        return Rendered(
            call=Call(
                "PATCH",
                target.path,
                MERGE_PATCH,
                {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}},
            ),
            effect=(
                f"{rollout.pods(count)} of {target.name} will be replaced by new ones of the same release.",
                rollout.pace(target.resource, live),
            ),
            undo="",
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """The pod template, since another release would be restarted, and what holds a rollout up."""
        return rollout.template(live)

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """By the template, which holds the time that was fixed at planning."""
        return rollout.rolled_out(live, before, fingerprint(self.fields(live, arguments)) if live else "", result)
