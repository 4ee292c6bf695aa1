"""What the workload controllers have in common: owners, pods made from templates, and who goes first.

Sources: pkg/controller/controller_utils.go (pods from templates, `ActivePodsWithRanks`),
pkg/controller/garbagecollector (dependents follow their owners).
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from bot.sandbox.kubernetes import selectors
from bot.sandbox.kubernetes.clock import parse_time
from bot.sandbox.kubernetes.defaults import apply_defaults, qos_class
from bot.sandbox.kubernetes.disruption import is_ready
from bot.sandbox.kubernetes.resources import (
    CONFIG_MAPS,
    CONTROLLER_REVISIONS,
    JOBS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    SERVED,
    SERVICES,
    Resource,
)
from bot.sandbox.kubernetes.store import SAFE_LETTERS, Store

Json = dict[str, Any]

REVISION_LABEL: Final = "controller-revision-hash"


def owner_reference(resource: Resource, owner: Json) -> Json:
    """The reference that a dependent of `owner` carries."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Json) -> str:
    """The uid of the object's controller, or an empty string."""
    for owner in obj["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            return str(owner["uid"])
    return ""


def owned_by(store: Store, resource: Resource, owner: Json) -> list[Json]:
    """The objects of a type that `owner` controls."""
    meta = owner["metadata"]
    return [obj for obj in store.list(resource, meta.get("namespace", "")) if controller_of(obj) == meta["uid"]]


def live_pods(store: Store, resource: Resource, owner: Json) -> list[Json]:
    """The owner's pods that have neither ended nor been deleted; orphans that its selector matches are
    adopted first."""
    meta = owner["metadata"]
    for pod in list(store.list(PODS, meta["namespace"])):
        if (
            not pod["metadata"].get("ownerReferences")
            and "deletionTimestamp" not in pod["metadata"]
            and selectors.matches(owner["spec"].get("selector"), pod["metadata"].get("labels") or {})
        ):
            adopted = {**pod["metadata"], "ownerReferences": [owner_reference(resource, owner)]}
            store.put(PODS, {**pod, "metadata": adopted})
    return [
        pod
        for pod in owned_by(store, PODS, owner)
        if "deletionTimestamp" not in pod["metadata"]
        and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]


def make_pod(
    store: Store, resource: Resource, owner: Json, name: str, labels: Json | None = None, node: str = ""
) -> Json:
    """Create a pod from the owner's template, on `node` if one is given."""
    template = copy.deepcopy(owner["spec"]["template"])
    meta = {**(template.get("metadata") or {}), "ownerReferences": [owner_reference(resource, owner)]}
    meta.pop("creationTimestamp", None)
    meta["labels"] = {**(meta.get("labels") or {}), **(labels or {})}
    pod: Json = {"metadata": meta, "spec": template["spec"]}
    apply_defaults("Pod", pod)
    if node:
        pod["spec"]["nodeName"] = node
    pod["status"] = {"phase": "Pending", "qosClass": qos_class(pod["spec"])}
    return store.create(PODS, owner["metadata"]["namespace"], name, pod)


def end_pod(store: Store, pod: Json, deletion_timestamp: str) -> None:
    """Delete a pod the graceful way; the kubelet stops it."""
    if not pod["spec"].get("nodeName"):
        store.remove(PODS, pod)
        return
    grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
    store.change(
        PODS,
        pod,
        lambda obj: obj["metadata"].update(deletionTimestamp=deletion_timestamp, deletionGracePeriodSeconds=grace),
    )


def first_to_go(pods: Iterable[Json]) -> list[Json]:
    """Pods in the order in which a controller deletes them: unplaced, pending, not ready, newest."""

    def rank(pod: Json) -> tuple[bool, bool, bool, int, float]:
        restarts = max(
            (s.get("restartCount", 0) for s in (pod.get("status") or {}).get("containerStatuses") or []), default=0
        )
        return (
            bool(pod["spec"].get("nodeName")),
            (pod.get("status") or {}).get("phase") == "Running",
            is_ready(pod),
            -restarts,
            -parse_time(pod["metadata"]["creationTimestamp"]),
        )

    return sorted(pods, key=rank)


def is_available(pod: Json, min_ready_seconds: int, now: float) -> bool:
    """Whether a pod has been ready for long enough (podutil.IsPodAvailable)."""
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition["type"] == "Ready" and condition["status"] == "True":
            since = parse_time(condition["lastTransitionTime"])
            return min_ready_seconds == 0 or now >= since + min_ready_seconds
    return False


def template_hash(template: Json) -> str:
    """A short name for a pod template: equal templates, equal names.

    The real hash is FNV over a Go dump of the struct; only its alphabet and length are kept here.
    """
    text = json.dumps(without_hash(template), sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
    letters = ""
    for _ in range(9):
        number, rest = divmod(number, len(SAFE_LETTERS))
        letters += SAFE_LETTERS[rest]
    return letters


def without_hash(template: Json) -> Json:
    """A template as it was before a controller labelled it (EqualIgnoreHash)."""
    meta = template.get("metadata") or {}
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != "pod-template-hash"}
    return {**template, "metadata": {**meta, "labels": labels}}


def collect_garbage(store: Store, stamp: str) -> None:
    """Delete what has lost its owner, finish foreground deletions and empty namespaces that end."""
    for resource in (REPLICA_SETS, CONTROLLER_REVISIONS, PODS, JOBS, SERVICES, CONFIG_MAPS):
        for obj in list(store.list(resource)):
            owners = obj["metadata"].get("ownerReferences") or []
            if owners and not any(store.exists(owner["uid"]) for owner in owners):
                _let_go(store, resource, obj, stamp)
    for resource in SERVED:
        for obj in list(store.list(resource)):
            if "foregroundDeletion" in (obj["metadata"].get("finalizers") or []):
                _finish_foreground(store, resource, obj, stamp)
    for namespace in list(store.list(NAMESPACES)):
        if "deletionTimestamp" not in namespace["metadata"]:
            continue
        name = namespace["metadata"]["name"]
        left = [(r, obj) for r in SERVED if r.namespaced for obj in store.list(r, name)]
        for resource, obj in left:
            _let_go(store, resource, obj, stamp)
        if not left:
            store.remove(NAMESPACES, namespace)


def _let_go(store: Store, resource: Resource, obj: Json, stamp: str) -> None:
    if resource != PODS:
        store.remove(resource, obj)
    elif "deletionTimestamp" not in obj["metadata"]:
        end_pod(store, obj, stamp)


def _finish_foreground(store: Store, resource: Resource, obj: Json, stamp: str) -> None:
    uid = obj["metadata"]["uid"]
    dependents = [
        (r, d)
        for r in (REPLICA_SETS, CONTROLLER_REVISIONS, PODS, JOBS)
        for d in store.list(r, obj["metadata"].get("namespace", ""))
        if any(owner["uid"] == uid for owner in d["metadata"].get("ownerReferences") or [])
    ]
    for dependent_type, dependent in dependents:
        if dependent_type == PODS:
            _let_go(store, PODS, dependent, stamp)
        elif not owned_by(store, PODS, dependent):
            store.remove(dependent_type, dependent)
        else:
            for pod in owned_by(store, PODS, dependent):
                _let_go(store, PODS, pod, stamp)
    if not dependents:
        left = [f for f in obj["metadata"]["finalizers"] if f != "foregroundDeletion"]
        if left:
            store.change(resource, obj, lambda o: o["metadata"].update(finalizers=left))
        else:
            store.remove(resource, obj)
