"""The StatefulSet controller: numbered pods, one after the other up, one after the other down.

Source: pkg/controller/statefulset/stateful_set_control.go. As there, a set that goes in order waits for a pod
that never becomes ready, even after its template was put right; somebody has to delete that pod.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.kubernetes import controller_revisions
from bot.sandbox.kubernetes.clock import rfc3339
from bot.sandbox.kubernetes.disruption import is_ready
from bot.sandbox.kubernetes.resources import PODS, STATEFUL_SETS
from bot.sandbox.kubernetes.store import Store
from bot.sandbox.kubernetes.workloads import REVISION_LABEL, end_pod, is_available, make_pod, owned_by

Json = dict[str, Any]


def sync_stateful_sets(store: Store) -> None:
    """One step of every StatefulSet, then its status."""
    for stateful_set in list(store.list(STATEFUL_SETS)):
        if "deletionTimestamp" in stateful_set["metadata"]:
            continue
        update = controller_revisions.newest(store, STATEFUL_SETS, stateful_set)
        known = {each["metadata"]["name"]: each for each in controller_revisions.history(store, stateful_set)}
        current = known.get((stateful_set.get("status") or {}).get("currentRevision"), update)
        _step(store, stateful_set, current, update)
        _report(store, stateful_set, current["metadata"]["name"], update["metadata"]["name"])


def _ordinal(pod: Json) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _labelled(pod: Json) -> str:
    return str((pod["metadata"].get("labels") or {}).get(REVISION_LABEL, ""))


def _step(store: Store, stateful_set: Json, current: Json, newest: Json) -> None:
    spec, name = stateful_set["spec"], stateful_set["metadata"]["name"]
    wanted, in_order = spec.get("replicas", 1), spec.get("podManagementPolicy") != "Parallel"
    pods = {_ordinal(pod): pod for pod in owned_by(store, PODS, stateful_set)}
    update = newest["metadata"]["name"]
    partition = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    for ordinal in range(wanted):
        pod = pods.get(ordinal)
        if pod is None:
            revision = current if ordinal < partition else newest
            labels = {
                "statefulset.kubernetes.io/pod-name": f"{name}-{ordinal}",
                "apps.kubernetes.io/pod-index": str(ordinal),
                REVISION_LABEL: controller_revisions.pod_label(STATEFUL_SETS, revision),
            }
            owner = controller_revisions.with_template_of(stateful_set, revision)
            make_pod(store, STATEFUL_SETS, owner, f"{name}-{ordinal}", labels)
            message = f"create Pod {name}-{ordinal} in StatefulSet {name} successful"
            store.event(stateful_set, "Normal", "SuccessfulCreate", message, component="statefulset-controller")
            if in_order:
                return
        elif in_order and (not is_ready(pod) or "deletionTimestamp" in pod["metadata"]):
            return
    surplus = [pods[ordinal] for ordinal in sorted(pods, reverse=True) if ordinal >= wanted]
    for pod in surplus:
        _end(store, stateful_set, pod)
        if in_order:
            return
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete" or surplus:
        return
    for ordinal in range(wanted - 1, partition - 1, -1):
        pod = pods.get(ordinal)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        if _labelled(pod) != update:
            _end(store, stateful_set, pod)
            return
        if not is_ready(pod):
            return


def _end(store: Store, stateful_set: Json, pod: Json) -> None:
    if "deletionTimestamp" in pod["metadata"]:
        return
    end_pod(store, pod, rfc3339(store.now() + pod["spec"].get("terminationGracePeriodSeconds", 30)))
    name = stateful_set["metadata"]["name"]
    message = f"delete Pod {pod['metadata']['name']} in StatefulSet {name} successful"
    store.event(stateful_set, "Normal", "SuccessfulDelete", message, component="statefulset-controller")


def _report(store: Store, stateful_set: Json, before: str, update: str) -> None:
    pods = owned_by(store, PODS, stateful_set)
    updated = [pod for pod in pods if _labelled(pod) == update]
    wanted = stateful_set["spec"].get("replicas", 1)
    rolling = (stateful_set["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"  # completeRollingUpdate
    done = rolling and len(updated) == len(pods) == wanted and all(map(is_ready, pods))
    current = update if done else before
    ready_seconds = stateful_set["spec"].get("minReadySeconds", 0)
    counts = {
        "readyReplicas": len([pod for pod in pods if is_ready(pod)]),
        "currentReplicas": len([pod for pod in pods if _labelled(pod) == current]),
        "updatedReplicas": len(updated),
    }
    status = {
        "observedGeneration": stateful_set["metadata"]["generation"],
        "replicas": len(pods),
        **{key: value for key, value in counts.items() if value},
        "availableReplicas": len([pod for pod in pods if is_available(pod, ready_seconds, store.now())]),
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": 0,
    }
    store.set_status(STATEFUL_SETS, stateful_set, status)
    controller_revisions.trim(store, STATEFUL_SETS, stateful_set, {current, *map(_labelled, pods)})
