"""The DaemonSet controller: one pod on every node, also on a cordoned one.

Source: pkg/controller/daemon/daemon_controller.go and update.go; without surge, node selectors and taints.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.kubernetes import controller_revisions
from bot.sandbox.kubernetes.clock import rfc3339
from bot.sandbox.kubernetes.disruption import is_ready
from bot.sandbox.kubernetes.resources import DAEMON_SETS, NODES, PODS
from bot.sandbox.kubernetes.rollout import scaled
from bot.sandbox.kubernetes.store import Store
from bot.sandbox.kubernetes.workloads import (
    REVISION_LABEL,
    end_pod,
    is_available,
    live_pods,
    make_pod,
    owned_by,
)

Json = dict[str, Any]


def sync_daemon_sets(store: Store) -> None:
    """One step of every DaemonSet, then its status."""
    nodes = [node["metadata"]["name"] for node in store.list(NODES)]
    for daemon_set in list(store.list(DAEMON_SETS)):
        if "deletionTimestamp" in daemon_set["metadata"]:
            continue
        revision = controller_revisions.newest(store, DAEMON_SETS, daemon_set)
        digest = controller_revisions.pod_label(DAEMON_SETS, revision)
        _step(store, daemon_set, nodes, digest)
        _report(store, daemon_set, nodes, digest)
        live = {_labelled(pod) for pod in owned_by(store, PODS, daemon_set)}
        controller_revisions.trim(store, DAEMON_SETS, daemon_set, live)


def _labelled(pod: Json) -> str:
    return str((pod["metadata"].get("labels") or {}).get(REVISION_LABEL, ""))


def _step(store: Store, daemon_set: Json, nodes: list[str], digest: str) -> None:
    meta, spec = daemon_set["metadata"], daemon_set["spec"]
    everywhere = owned_by(store, PODS, daemon_set)
    placed = {pod["spec"].get("nodeName") for pod in everywhere}
    for node in nodes:
        if node not in placed:
            pod = make_pod(
                store, DAEMON_SETS, daemon_set, f"{meta['name']}-{store.suffix()}", {REVISION_LABEL: digest}, node
            )
            message = f"Created pod: {pod['metadata']['name']}"
            store.event(daemon_set, "Normal", "SuccessfulCreate", message, component="daemonset-controller")
    if spec["updateStrategy"]["type"] == "OnDelete":
        return
    pods = live_pods(store, DAEMON_SETS, daemon_set)
    most = max(1, scaled(spec["updateStrategy"]["rollingUpdate"]["maxUnavailable"], len(nodes), up=True))
    missing = len(nodes) - len([pod for pod in pods if is_ready(pod)])
    outdated = [pod for pod in pods if _labelled(pod) != digest]
    # Pods that are down anyway go at once, healthy ones only as far as the budget lasts.
    for pod in sorted(outdated, key=is_ready):
        if is_ready(pod):
            if missing >= most:
                break
            missing += 1
        end_pod(store, pod, rfc3339(store.now() + pod["spec"].get("terminationGracePeriodSeconds", 30)))
        message = f"Deleted pod: {pod['metadata']['name']}"
        store.event(daemon_set, "Normal", "SuccessfulDelete", message, component="daemonset-controller")


def _report(store: Store, daemon_set: Json, nodes: list[str], digest: str) -> None:
    pods = live_pods(store, DAEMON_SETS, daemon_set)
    seconds = daemon_set["spec"].get("minReadySeconds", 0)
    available = len([pod for pod in pods if is_available(pod, seconds, store.now())])
    updated = len([pod for pod in pods if _labelled(pod) == digest])
    optional = {
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "numberUnavailable": len(nodes) - available,
    }
    status = {
        "currentNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": len(nodes),
        "numberReady": len([pod for pod in pods if is_ready(pod)]),
        "observedGeneration": daemon_set["metadata"]["generation"],
        **{key: value for key, value in optional.items() if value},
    }
    store.set_status(DAEMON_SETS, daemon_set, status)
