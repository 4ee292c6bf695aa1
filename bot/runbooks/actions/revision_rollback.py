"""revision-rollback: put the pod template of an earlier ControllerRevision back into a StatefulSet or DaemonSet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from bot.runbooks.resources import CONTROLLER_REVISION, DAEMON_SET, POD, STATEFUL_SET
from bot.runbooks.target import Target

Json = Mapping[str, Any]

_LABEL = "controller-revision-hash"
_MOST_PODS = 500
_NAMED = 3


class RevisionRollback(Action):
    """Replaces spec.template as a whole, by a JSON patch.

    The change-cause stays as it is, as it does with kubectl: a ControllerRevision has the one that the set had when the
    revision was made, which is often that of the release before.
    """

    name = "revision-rollback"
    kinds = frozenset({STATEFUL_SET.kind, DAEMON_SET.kind})
    arguments: Mapping[str, Json] = {"revision": whole(0)}
    requires = frozenset({"rollout-automatic"})
    verbs = frozenset(
        {STATEFUL_SET.verb("patch"), DAEMON_SET.verb("patch"), CONTROLLER_REVISION.verb("list"), POD.verb("list")}
    )
    reverted_by = DECLARED
    inverse = "revision-rollback to the revision that was current before"

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Read the ControllerRevisions that the set controls, and its pods: they say which revision they run."""
        wanted = label_selector.as_text(live["spec"].get("selector") or {})
        kept = await access.items(CONTROLLER_REVISION, target.namespace, wanted, limit=revisions.MOST)
        pods = await access.items(POD, target.namespace, wanted, limit=_MOST_PODS)
        return revisions.owned(live, [*kept, *pods])

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the patch to the revision asked for; 0 is the newest one that is not the current."""
        pods = [each for each in gathered if each.get("kind") == POD.kind and _in_reach(target, live, each)]
        kept = list(_kept(gathered))
        hashes = {number: each for number, _, each in kept}
        known = [Revision(number, template, len(_of(pods, each))) for number, template, each in kept]
        template = revisions.bare(live["spec"]["template"])
        way = revisions.choose(target, template, known, int(arguments["revision"]))
        if isinstance(way, Unsuitable):
            return way
        well = _of(pods, hashes[way.chosen.number])
        broken = _named([pod["metadata"]["name"] for pod in pods if pod not in well and not _ready(pod)])
        counted = sum(each.get("kind") == POD.kind for each in gathered) < _MOST_PODS
        return revisions.rendered(
            target,
            live,
            way,
            _replaced(target, live, way.chosen, counted=counted),
            rollout.pace(target.resource, live, stuck=f"so delete {broken or 'that one'} once the template is back"),
        )

    def fields(self, live: Json, arguments: Json) -> Json:
        """The pod template, which is replaced, and what holds a rollout up."""
        return rollout.template(live)

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """By the template."""
        return rollout.rolled_out(live, before, fingerprint(self.fields(live, arguments)) if live else "", result)


def _kept(gathered: Sequence[Json]) -> Iterator[tuple[int, Json, frozenset[str]]]:
    """Yield each revision's number, its template, and the hashes by which its pods are labelled."""
    for each in gathered:
        template = _template(each.get("data")) if each.get("kind") == CONTROLLER_REVISION.kind else None
        if template is not None:
            # A DaemonSet's pods have the hash alone, a StatefulSet's the revision's whole name.
            labels = each["metadata"].get("labels") or {}
            yield int(each["revision"]), template, frozenset({each["metadata"]["name"], labels.get(_LABEL, "")} - {""})


def _template(data: Any) -> Json | None:
    """The template that the patch in a revision puts in the place of the set's, None if it is no such patch."""
    for key in ("spec", "template"):
        data = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or data.get("$patch") != "replace" or not isinstance(data.get("spec"), Mapping):
        return None
    return revisions.bare({key: value for key, value in data.items() if key != "$patch"})


def _of(pods: Sequence[Json], hashes: Collection[str]) -> list[Json]:
    return [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(_LABEL) in hashes]


def _in_reach(target: Target, live: Json, pod: Json) -> bool:
    """Whether a new template gets to the pod: it is there to stay, and not before the partition."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    number = str(pod["metadata"]["name"]).rpartition("-")[2]
    if target.resource != STATEFUL_SET or not number.isdecimal():
        return True
    start = int((live["spec"].get("ordinals") or {}).get("start") or 0)
    return int(number) >= start + rollout.partition(live)


def _ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _named(pods: Sequence[str]) -> str:
    more, by_number = len(pods) - _NAMED, sorted(pods, key=lambda pod: (len(pod), pod))
    return ", ".join(by_number[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _replaced(target: Target, live: Json, chosen: Revision, *, counted: bool) -> str:
    """Say how many pods are replaced; where not all were ``counted``, more may run the revision already."""
    count = max(0, rollout.touched(target.resource, live) - chosen.pods)
    sentence = f"{'' if counted else 'At most '}{rollout.pods(count)} of {target.name} will be replaced"
    run = "runs" if chosen.pods == 1 else "run"
    return sentence + (f"; {chosen.pods} already {run} revision {chosen.number}." if chosen.pods else ".")
