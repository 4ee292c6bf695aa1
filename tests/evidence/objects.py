"""Kubernetes objects as plain dicts, as short as a specification wants them."""

from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

NOW = 1_795_000_000_000_000
MINUTE = 60_000_000
HOUR = 60 * MINUTE


def at(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def container_status(
    name: str = "app", image: str = "example/app:1", *, ready: bool = False, restarts: int = 0, **state: Any
) -> Json:
    last = state.pop("last", None)
    return {
        "name": name,
        "image": image,
        "ready": ready,
        "restartCount": restarts,
        "state": state,
        "lastState": {"terminated": last} if last else {},
    }


def running(name: str = "app", *, ready: bool = True, restarts: int = 0, **more: Any) -> Json:
    return container_status(name, ready=ready, restarts=restarts, running={"startedAt": at(NOW - HOUR)}, **more)


def pod(
    name: str = "app-5d98ffcfd-tz4nc",
    *containers: Json,
    phase: str = "Running",
    node: str | None = "node-1",
    init: list[Json] | None = None,
    template: str | None = "5d98ffcfd",
    owner: Json | None = None,
    spec: Json | None = None,
    status: Json | None = None,
    **metadata: Any,
) -> Json:
    statuses = list(containers) or [running()]
    ready = all(one["ready"] for one in statuses)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-of-{name}",
            "creationTimestamp": at(NOW - 2 * HOUR),
            "labels": {"app": "app", **({"pod-template-hash": template} if template else {})},
            **({"ownerReferences": [owner]} if owner else {}),
            **metadata,
        },
        "spec": {
            "nodeName": node,
            "containers": [{"name": one["name"], "image": one["image"]} for one in statuses],
            "initContainers": [{"name": one["name"], "image": one["image"]} for one in init or []],
            **(spec or {}),
        },
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": statuses,
            "initContainerStatuses": init or [],
            **(status or {}),
        },
    }


def event(
    reason: str,
    message: str,
    *,
    type: str = "Warning",
    count: int = 1,
    first: int = NOW - HOUR,
    last: int = NOW - MINUTE,
    kind: str = "Pod",
    name: str = "app-1",
) -> Json:
    return {
        "type": type,
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": at(first),
        "lastTimestamp": at(last),
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name},
    }


def template(image: str = "registry.example/shop/app:1", *, env: Json | None = None, **container: Any) -> Json:
    one = {"name": "app", "image": image, **container}
    if env is not None:
        one["env"] = [{"name": name, "value": value} for name, value in env.items()]
    return {"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [one]}}


def replica_set(
    revision: int, pod_template: Json, *, age: int = HOUR, ready: int = 0, replicas: int = 0, cause: str = ""
) -> Json:
    return {
        "metadata": {
            "name": f"app-{revision}",
            "uid": f"uid-{revision}",
            "creationTimestamp": at(NOW - age),
            "annotations": {
                "deployment.kubernetes.io/revision": str(revision),
                **({"kubernetes.io/change-cause": cause} if cause else {}),
            },
        },
        "spec": {"template": pod_template},
        "status": {"replicas": replicas, "readyReplicas": ready},
    }


def deployment(revision: int = 1, **status: Any) -> Json:
    return {
        "metadata": {
            "name": "app",
            "namespace": "shop",
            "uid": "uid-of-app",
            "generation": 7,
            "creationTimestamp": at(NOW - 48 * HOUR),
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        },
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "app"}}, "template": template()},
        "status": {"observedGeneration": 7, **status},
    }


def node(
    name: str, *, ready: bool = True, labels: Json | None = None, taints: list[Json] | None = None, **conditions: str
) -> Json:
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": taints or []},
        "status": {
            "conditions": [
                {"type": "Ready", "status": "True" if ready else "Unknown", "reason": "KubeletReady"},
                *({"type": kind, "status": status} for kind, status in conditions.items()),
            ],
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110", "hugepages-1Gi": "0"},
        },
    }
