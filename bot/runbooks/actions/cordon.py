"""node-cordon and node-uncordon: keep new pods away from a node, and let them come again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.actions.action import Action, Occasion, Rendered, Unsuitable
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.resources import NODE
from bot.runbooks.target import Target

Json = Mapping[str, Any]


class Cordon(Action):
    """Sets spec.unschedulable, as ``kubectl cordon`` does."""

    name = "node-cordon"
    kinds = frozenset({NODE.kind})
    verbs = frozenset({NODE.verb("patch")})
    inverse = "node-uncordon"
    requires = frozenset({"node-schedulable"})
    unschedulable = True

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the merge patch of the one field."""
        what = "takes no new pods; those on it keep running" if self.unschedulable else "takes new pods again"
        return Rendered(
            call=_call(target, self.unschedulable),
            effect=(f"{target} {what}.",),
            undo=f"{'Uncordon' if self.unschedulable else 'Cordon'} {target}.",
            inverse=_call(target, not self.unschedulable),
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """Whether it takes new pods."""
        return {"unschedulable": bool(live["spec"].get("unschedulable"))}


class Uncordon(Cordon):
    """Takes spec.unschedulable away."""

    name = "node-uncordon"
    inverse = "node-cordon"
    requires = frozenset({"node-cordoned"})
    unschedulable = False


def _call(target: Target, unschedulable: bool) -> Call:
    return Call("PATCH", target.path, MERGE_PATCH, {"spec": {"unschedulable": True if unschedulable else None}})
