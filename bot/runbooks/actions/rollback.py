"""deployment-rollback: put the pod template of an earlier revision back, as ``kubectl rollout undo`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.runbooks import rollout
from bot.runbooks.access import Access
from bot.runbooks.actions.action import (
    DECLARED,
    Action,
    Before,
    Occasion,
    ReadBack,
    Rendered,
    Unsuitable,
    fingerprint,
)
from bot.runbooks.arguments import whole
from bot.runbooks.call import JSON_PATCH, Call
from bot.runbooks.resources import DEPLOYMENT, REPLICA_SET
from bot.runbooks.target import Target

Json = Mapping[str, Any]

REVISION = "deployment.kubernetes.io/revision"
_HASH_LABEL = "pod-template-hash"
_MOST_REPLICA_SETS = 500


@dataclass(frozen=True, slots=True)
class _Revision:
    number: int
    template: Json
    cause: str | None
    pods: int


class Rollback(Action):
    """Replaces spec.template as a whole, by a JSON patch.

    A merge, plain or strategic, would keep what the newer template added (a container, a variable, a volume); only a
    replacement gives exactly the old template. The change-cause goes back with it, as it does with kubectl.
    """

    name = "deployment-rollback"
    kinds = frozenset({DEPLOYMENT.kind})
    arguments: Mapping[str, Json] = {"revision": whole(0)}
    requires = frozenset({"rollout-not-paused"})
    verbs = frozenset({DEPLOYMENT.verb("patch"), REPLICA_SET.verb("list")})
    reverted_by = DECLARED
    inverse = "deployment-rollback to the revision that was current before"

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Read the ReplicaSets that the Deployment controls: they hold the templates of its revisions."""
        wanted = selector(live["spec"].get("selector") or {})
        found = await access.items(REPLICA_SET, target.namespace, wanted, limit=_MOST_REPLICA_SETS)
        uid = live["metadata"]["uid"]
        return [
            replica_set
            for replica_set in found
            if any(
                owner.get("controller") and owner.get("uid") == uid
                for owner in replica_set["metadata"].get("ownerReferences") or []
            )
        ]

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the patch to the revision asked for; 0 is the newest one that is not the current."""
        asked = arguments["revision"]
        revisions = _revisions(gathered)
        template = _bare(live["spec"]["template"])
        current = next((revision for revision in revisions if revision.template == template), None)
        if current is None:
            return Unsuitable(
                "not-observed",
                f"The newest change of {target} has not become a revision yet; plan again in a moment.",
            )
        others = [revision for revision in revisions if revision.number != current.number]
        known = ", ".join(str(revision.number) for revision in others) or "none"
        if asked == current.number:
            return Unsuitable(
                "same-template",
                f"Revision {asked} of {target} is the current one, so there is nothing to roll back. "
                f"Earlier revisions still kept: {known}.",
            )
        if not others:
            return Unsuitable(
                "no-earlier-revision",
                f"{target} keeps no earlier revision to return to. Deploy a fixed release instead.",
            )
        chosen = next((revision for revision in others if asked in (0, revision.number)), None)
        if chosen is None:
            return Unsuitable(
                "unknown-revision",
                f"{target} keeps no revision {asked}. Revisions it could return to: {known}.",
            )
        return Rendered(
            call=Call("PATCH", target.path, JSON_PATCH, _patch(live, chosen)),
            effect=(
                f"{target} returns from revision {current.number} to the pod template of revision {chosen.number}.",
                *_images(current.template, chosen.template),
                _pods(live, chosen, others=sum(each.pods for each in revisions) - chosen.pods),
                rollout.pace(target.resource, live),
            ),
            undo=f"Roll {target} back to revision {current.number}.",
            inverse=Call("PATCH", target.path, JSON_PATCH, _inverse(live, chosen)),
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """The pod template and the change-cause, which are replaced, and whether the rollout is paused."""
        return {
            "template": live["spec"]["template"],
            "paused": bool(live["spec"].get("paused")),
            "change_cause": rollout.notes(live).get(rollout.CHANGE_CAUSE),
        }

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """By the template and the change-cause."""
        return rollout.rolled_out(live, before, fingerprint(self.fields(live, arguments)) if live else "", result)


def selector(spec: Json) -> str:
    """Write a LabelSelector as the text that a list takes. Raises ``ValueError`` on an operator it does not know."""
    parts = [f"{key}={value}" for key, value in sorted((spec.get("matchLabels") or {}).items())]
    for expression in spec.get("matchExpressions") or []:
        key, operator = expression["key"], expression["operator"]
        values = ",".join(expression.get("values") or [])
        match operator:
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(key)
            case "DoesNotExist":
                parts.append(f"!{key}")
            case _:
                raise ValueError(f"unknown selector operator {operator!r}")
    return ",".join(parts)


def _revisions(replica_sets: Sequence[Json]) -> list[_Revision]:
    """Return the revisions, newest first; a ReplicaSet without a revision number is none."""
    found = []
    for replica_set in replica_sets:
        annotations = rollout.notes(replica_set)
        number = annotations.get(REVISION, "")
        if number.isascii() and number.isdigit():
            found.append(
                _Revision(
                    number=int(number),
                    template=_bare(replica_set["spec"]["template"]),
                    cause=annotations.get(rollout.CHANGE_CAUSE),
                    pods=int((replica_set.get("status") or {}).get("replicas") or 0),
                )
            )
    return sorted(found, key=lambda revision: revision.number, reverse=True)


def _bare(template: Json) -> Json:
    """A pod template without the label that tells ReplicaSets apart and without nulls, fit to be compared."""
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value is not None}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != _HASH_LABEL}
    metadata.pop("labels", None)
    return {**template, "metadata": {**metadata, **({"labels": labels} if labels else {})}}


def _patch(live: Json, chosen: _Revision) -> list[dict[str, Any]]:
    patch: list[dict[str, Any]] = [{"op": "replace", "path": "/spec/template", "value": chosen.template}]
    present = rollout.notes(live)
    path = "/metadata/annotations/" + rollout.CHANGE_CAUSE.replace("/", "~1")
    if chosen.cause is None:
        if rollout.CHANGE_CAUSE in present:
            patch.append({"op": "remove", "path": path})
    elif present:
        patch.append({"op": "add", "path": path, "value": chosen.cause})
    else:
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {rollout.CHANGE_CAUSE: chosen.cause}})
    return patch


def _inverse(live: Json, chosen: _Revision) -> list[dict[str, Any]]:
    """Put the template and the change-cause of ``live`` back, once those of ``chosen`` are there."""
    patch: list[dict[str, Any]] = [{"op": "replace", "path": "/spec/template", "value": live["spec"]["template"]}]
    cause = rollout.notes(live).get(rollout.CHANGE_CAUSE)
    path = "/metadata/annotations/" + rollout.CHANGE_CAUSE.replace("/", "~1")
    if cause is not None:
        # With the only annotation removed, the server drops the whole map.
        alone = chosen.cause is None and set(rollout.notes(live)) == {rollout.CHANGE_CAUSE}
        whole = {"op": "add", "path": "/metadata/annotations", "value": {rollout.CHANGE_CAUSE: cause}}
        patch.append(whole if alone else {"op": "add", "path": path, "value": cause})
    elif chosen.cause is not None:
        patch.append({"op": "remove", "path": path})
    return patch


def _images(current: Json, chosen: Json) -> list[str]:
    """Say which images change; the diff shows the rest."""
    before, after = (
        {
            container["name"]: container.get("image", "")
            for key in ("initContainers", "containers")
            for container in template["spec"].get(key) or []
        }
        for template in (current, chosen)
    )
    sentences = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            sentences.append(f"Container {name} goes away (image {before[name]}).")
        elif name not in before:
            sentences.append(f"Container {name} comes back (image {after[name]}).")
        elif before[name] != after[name]:
            sentences.append(f"Container {name}: image {before[name]} → {after[name]}.")
    return sentences


def _pods(live: Json, chosen: _Revision, *, others: int) -> str:
    start = max(0, rollout.wanted(live) - chosen.pods)
    name = live["metadata"]["name"]
    sentence = f"{rollout.pods(start)} of {name} will be started, {rollout.pods(others)} removed"
    return sentence + (f"; {chosen.pods} already run revision {chosen.number}." if chosen.pods else ".")
