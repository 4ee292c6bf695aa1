"""deployment-rollback: put the pod template of an earlier revision back, as ``kubectl rollout undo`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks import label_selector, rollout
from bot.runbooks.access import Access
from bot.runbooks.actions import revisions
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
from bot.runbooks.actions.revisions import Revision
from bot.runbooks.arguments import whole
from bot.runbooks.resources import DEPLOYMENT, REPLICA_SET
from bot.runbooks.target import Target

Json = Mapping[str, Any]

REVISION = "deployment.kubernetes.io/revision"
_HASH_LABEL = "pod-template-hash"
_CAUSE_PATH = "/metadata/annotations/" + rollout.CHANGE_CAUSE.replace("/", "~1")


class Rollback(Action):
    """Replaces spec.template as a whole, by a JSON patch. The change-cause goes back with it, as it does with
    kubectl."""

    name = "deployment-rollback"
    kinds = frozenset({DEPLOYMENT.kind})
    arguments: Mapping[str, Json] = {"revision": whole(0)}
    requires = frozenset({"rollout-not-paused"})
    verbs = frozenset({DEPLOYMENT.verb("patch"), REPLICA_SET.verb("list")})
    reverted_by = DECLARED
    inverse = "deployment-rollback to the revision that was current before"

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Read the ReplicaSets that the Deployment controls: they hold the templates of its revisions."""
        wanted = label_selector.as_text(live["spec"].get("selector") or {})
        return revisions.owned(live, await access.items(REPLICA_SET, target.namespace, wanted, limit=revisions.MOST))

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the patch to the revision asked for; 0 is the newest one that is not the current."""
        kept = _revisions(gathered)
        template = revisions.bare(live["spec"]["template"], _HASH_LABEL)
        way = revisions.choose(target, template, kept, int(arguments["revision"]))
        if isinstance(way, Unsuitable):
            return way
        others = sum(each.pods for each in kept) - way.chosen.pods
        return revisions.rendered(
            target,
            live,
            way,
            _pods(live, way.chosen, others=others),
            rollout.pace(target.resource, live),
            also=_cause(live, way.chosen),
            back=_cause_back(live, way.chosen),
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


def _revisions(replica_sets: Sequence[Json]) -> list[Revision]:
    """Return the revisions; a ReplicaSet without a revision number is none."""
    found = []
    for replica_set in replica_sets:
        annotations = rollout.notes(replica_set)
        number = annotations.get(REVISION, "")
        if number.isascii() and number.isdigit():
            found.append(
                Revision(
                    number=int(number),
                    template=revisions.bare(replica_set["spec"]["template"], _HASH_LABEL),
                    pods=int((replica_set.get("status") or {}).get("replicas") or 0),
                    cause=annotations.get(rollout.CHANGE_CAUSE),
                )
            )
    return found


def _cause(live: Json, chosen: Revision) -> list[dict[str, Any]]:
    """Put the change-cause of ``chosen`` in the place of that of ``live``."""
    present = rollout.notes(live)
    if chosen.cause is None:
        return [{"op": "remove", "path": _CAUSE_PATH}] if rollout.CHANGE_CAUSE in present else []
    if present:
        return [{"op": "add", "path": _CAUSE_PATH, "value": chosen.cause}]
    return [{"op": "add", "path": "/metadata/annotations", "value": {rollout.CHANGE_CAUSE: chosen.cause}}]


def _cause_back(live: Json, chosen: Revision) -> list[dict[str, Any]]:
    """Put the change-cause of ``live`` back, once that of ``chosen`` is there."""
    cause = rollout.notes(live).get(rollout.CHANGE_CAUSE)
    if cause is None:
        return [] if chosen.cause is None else [{"op": "remove", "path": _CAUSE_PATH}]
    if chosen.cause is None and set(rollout.notes(live)) == {rollout.CHANGE_CAUSE}:
        # With the only annotation removed, the server drops the whole map.
        return [{"op": "add", "path": "/metadata/annotations", "value": {rollout.CHANGE_CAUSE: cause}}]
    return [{"op": "add", "path": _CAUSE_PATH, "value": cause}]


def _pods(live: Json, chosen: Revision, *, others: int) -> str:
    start = max(0, rollout.wanted(live) - chosen.pods)
    name = live["metadata"]["name"]
    sentence = f"{rollout.pods(start)} of {name} will be started, {rollout.pods(others)} removed"
    return sentence + (f"; {chosen.pods} already run revision {chosen.number}." if chosen.pods else ".")
