"""The revisions that a workload keeps of its pod template: which one a rollback returns to, and what that writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.runbooks.actions.action import Rendered, Unsuitable, fingerprint
from bot.runbooks.call import JSON_PATCH, Call
from bot.runbooks.target import Target, controller

Json = Mapping[str, Any]

MOST = 500
"""Objects read that hold revisions; Kubernetes keeps ten of a workload by default."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A pod template that was kept, without what its controller added, and how many pods run it. ``cause`` is the
    change-cause that belongs to it, where that is known."""

    number: int
    template: Json
    pods: int
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """From which revision to which a rollback goes."""

    current: Revision
    chosen: Revision


def owned(live: Json, found: Iterable[Json]) -> list[Json]:
    """Return those that ``live`` controls: labels alone may be anybody's."""
    uid = live["metadata"]["uid"]
    return [each for each in found if (controller(each) or {}).get("uid") == uid]


def bare(template: Json, added_label: str = "") -> Json:
    """A pod template without nulls and without the label that its controller added, fit to be compared and written."""
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value is not None}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != added_label}
    metadata.pop("labels", None)
    return {**template, "metadata": {**metadata, **({"labels": labels} if labels else {})}}


def choose(target: Target, template: Json, revisions: Sequence[Revision], asked: int) -> Return | Unsuitable:
    """Choose the revision to return to from the current ``template``, which is bare; 0 asks for the newest that is not
    the current one."""
    newest_first = sorted(revisions, key=lambda revision: revision.number, reverse=True)
    now = fingerprint(template)
    current = next((revision for revision in newest_first if fingerprint(revision.template) == now), None)
    if current is None:
        return Unsuitable(
            "not-observed",
            f"The newest change of {target} has not become a revision yet; plan again in a moment.",
        )
    others = [revision for revision in newest_first if revision.number != current.number]
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
    return Return(current, chosen)


def rendered(
    target: Target, live: Json, way: Return, *sentences: str, also: Sequence[Json] = (), back: Sequence[Json] = ()
) -> Rendered:
    """Render the replacement of the template, and its inverse. ``sentences`` say what becomes of the pods; ``also`` and
    ``back`` are what a workload's kind replaces beside the template, and what puts that back."""
    current, chosen = way.current, way.chosen
    return Rendered(
        call=Call("PATCH", target.path, JSON_PATCH, [_replacing(chosen.template), *also]),
        effect=(
            f"{target} returns from revision {current.number} to the pod template of revision {chosen.number}.",
            *_images(current.template, chosen.template),
            *sentences,
        ),
        undo=f"Roll {target} back to revision {current.number}.",
        inverse=Call("PATCH", target.path, JSON_PATCH, [_replacing(live["spec"]["template"]), *back]),
    )


def _replacing(template: Json) -> dict[str, Any]:
    """A merge, plain or strategic, would keep what the newer template added (a container, a variable, a volume); only a
    replacement gives exactly the old template."""
    return {"op": "replace", "path": "/spec/template", "value": template}


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
