"""annotate: set one annotation of an object, for the tools and people that read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks import rollout
from bot.runbooks.actions.action import Action, Occasion, Rendered, Unsuitable
from bot.runbooks.arguments import NAME, TEXT
from bot.runbooks.call import MERGE_PATCH, Call
from bot.runbooks.resources import CONFIG_MAP, CRON_JOB, DAEMON_SET, DEPLOYMENT, NODE, STATEFUL_SET
from bot.runbooks.target import Target

Json = Mapping[str, Any]

_RESOURCES = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CONFIG_MAP, CRON_JOB, NODE)
# What makes a controller do something has an action of its own, or none.
RESERVED = ("kubernetes.io", "k8s.io", "argoproj.io", "fluxcd.io", "helm.sh")


def reserved(key: str) -> bool:
    """Whether an annotation belongs to Kubernetes or to a deployment tool, so that this action may not set it."""
    domain = key.partition("/")[0] if "/" in key else ""
    return any(domain == each or domain.endswith("." + each) for each in RESERVED)


class Annotate(Action):
    """No owner puts it back: a manifest does not have the annotation."""

    name = "annotate"
    kinds = frozenset(each.kind for each in _RESOURCES)
    arguments: Mapping[str, Json] = {"key": NAME, "value": TEXT}
    literal = frozenset({"key"})
    verbs = frozenset(each.verb("patch") for each in _RESOURCES)
    inverse = "annotate with the value before, or without the annotation"

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the merge patch of the annotation."""
        key, value = str(arguments["key"]), str(arguments["value"])
        before = rollout.notes(live).get(key)
        if reserved(key):
            return Unsuitable("reserved", f"The annotation {key} belongs to Kubernetes or a deployment tool.")
        if before == value:
            return Unsuitable("no-change", f"{target} has that annotation already.")
        back = "Remove the annotation" if before is None else f"Set the annotation back to {before[:100]}"
        return Rendered(
            call=_call(target, key, value),
            effect=(f"{target} gets the annotation {key}; its pods are left alone.",),
            undo=f"{back} of {target}.",
            inverse=_call(target, key, before),
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """The annotation's value."""
        return {"value": rollout.notes(live).get(str(arguments["key"]))}


def _call(target: Target, key: str, value: str | None) -> Call:
    return Call("PATCH", target.path, MERGE_PATCH, {"metadata": {"annotations": {key: value}}})
