"""Who else keeps an object as it is: deployment tools, operators and autoscalers that put back what was changed.

Read from what they leave on an object: Argo CD's tracking (https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/),
Flux's ownership labels (https://fluxcd.io/flux/components/kustomize/kustomizations/), Helm's release annotations
(https://helm.sh/docs/chart_best_practices/labels/) and controller references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.runbooks.access import Access
from bot.runbooks.actions.action import Reverter
from bot.runbooks.resources import AUTOSCALER
from bot.runbooks.target import Target, controller

Json = Mapping[str, Any]

# Kubernetes' own chains of ownership: whoever owns these does not compare them with a manifest.
_NATIVE = frozenset(
    {
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("v1", "Node"),
    }
)
_MOST_AUTOSCALERS = 500
_FLUX_KINDS = ("kustomize", "helm")
# What tells each controller of Flux to leave one object alone, as a label or an annotation
# (https://fluxcd.io/flux/components/kustomize/kustomizations/#controlling-the-apply-behavior-of-resources,
# https://fluxcd.io/flux/components/helm/helmreleases/#drift-detection). Suspending leaves no trace on the object.
_LEFT_ALONE = {
    "kustomize": "kustomize.toolkit.fluxcd.io/reconcile",
    "helm": "helm.toolkit.fluxcd.io/driftDetection",
}


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner: what it is, its name for people, and where the change belongs instead."""

    kind: Reverter
    name: str
    road: str


def of(live: Json) -> tuple[Owner, ...]:
    """Return who owns an object, by what the object says."""
    metadata = live["metadata"]
    labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    found = []
    application = _argo(metadata, labels, notes)
    if application:
        road = f"Change it in the application's repository, or use Argo CD itself (argocd app rollback {application})."
        found.append(Owner("argocd", f"Argo CD application {application}", road))
    for kind in _FLUX_KINDS:
        name, switch = labels.get(f"{kind}.toolkit.fluxcd.io/name"), _LEFT_ALONE[kind]
        if name and "disabled" not in (notes.get(switch), labels.get(switch)):
            where = labels.get(f"{kind}.toolkit.fluxcd.io/namespace", "")
            shown = f"{where}/{name}" if where else str(name)
            road = f"Change it in its repository, or have Flux leave it alone: annotate it with {switch}=disabled."
            found.append(Owner("flux", f"Flux {'HelmRelease' if kind == 'helm' else 'Kustomization'} {shown}", road))
    reference = controller(live)
    if reference is not None and (reference["apiVersion"], reference["kind"]) not in _NATIVE:
        road = f"Change the {reference['kind']} {reference['name']} instead."
        found.append(Owner("operator", f"{reference['kind']} {reference['name']}", road))
    release = notes.get("meta.helm.sh/release-name")
    if release and not any(owner.kind in ("argocd", "flux") for owner in found):
        road = f"The next upgrade brings the old value back: change the values too (helm upgrade {release})."
        found.append(Owner("helm", f"Helm release {release}", road))
    return tuple(found)


def scaled_by(target: Target, autoscalers: Iterable[Json]) -> Owner | None:
    """Return the autoscaler that decides how many pods ``target`` has, if one does."""
    for each in autoscalers:
        spec = each["spec"]
        of_it = spec.get("scaleTargetRef") or {}
        if (of_it.get("kind"), of_it.get("name")) == (target.resource.kind, target.name):
            least, most = spec.get("minReplicas", 1), spec.get("maxReplicas")
            name = each["metadata"]["name"]
            road = f"It keeps between {least} and {most} pods: change minReplicas or maxReplicas of {name} instead."
            return Owner("autoscaler", f"HorizontalPodAutoscaler {name}", road)
    return None


def by_marks(live: Json, reverted_by: frozenset[Reverter]) -> tuple[Owner, ...]:
    """Return the owners with a say in what an action writes, which ``reverted_by`` names, by what the object says."""
    return tuple(owner for owner in of(live) if owner.kind in reverted_by) if live else ()


async def concerned(access: Access, target: Target, live: Json, reverted_by: frozenset[Reverter]) -> tuple[Owner, ...]:
    """Return the owners with a say in what an action writes; autoscalers are asked for where they have one. Raises
    ``AccessFailed``."""
    scaler = scaled_by(target, await autoscalers(access, target)) if "autoscaler" in reverted_by else None
    return by_marks(live, reverted_by) + ((scaler,) if scaler else ())


async def autoscalers(access: Access, target: Target) -> list[dict[str, Any]]:
    """Read the autoscalers beside an object. Raises ``AccessFailed``."""
    return await access.items(AUTOSCALER, target.namespace, limit=_MOST_AUTOSCALERS)


def objects(owner: Owner) -> bool:
    """Say whether an owner would put the change back by itself."""
    return owner.kind != "helm"


def sentence(target: Target, owner: Owner) -> str:
    """Say who an owner of ``target`` is, what it does about a change, and which road is right."""
    if owner.kind == "autoscaler":
        return f"{owner.name} decides how many pods {target} has. {owner.road}"
    if objects(owner):
        return f"{owner.name} keeps {target} as it is and would revert the change. {owner.road}"
    return f"It belongs to {owner.name}. {owner.road}"


def _argo(metadata: Json, labels: Json, notes: Json) -> str:
    tracking = str(notes.get("argocd.argoproj.io/tracking-id", ""))
    if tracking:
        return tracking.partition(":")[0]
    if labels.get("argocd.argoproj.io/instance"):
        return str(labels["argocd.argoproj.io/instance"])
    # Its old default label is also everybody's recommended one, so only with its hand in the object does it count.
    managers = {str(each.get("manager", "")) for each in metadata.get("managedFields") or []}
    if "argocd-controller" in managers or "argocd-application-controller" in managers:
        return str(labels.get("app.kubernetes.io/instance", "unknown"))
    return ""
