"""The Deployment and ReplicaSet controllers: revisions, rolling updates, scaling, status and events.

Source: pkg/controller/deployment/{deployment_controller,sync,rolling,recreate,progress}.go,
util/deployment_util.go and pkg/controller/replicaset/replica_set.go.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from bot.sandbox.kubernetes import rollout
from bot.sandbox.kubernetes.clock import parse_time, rfc3339
from bot.sandbox.kubernetes.disruption import is_ready
from bot.sandbox.kubernetes.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from bot.sandbox.kubernetes.store import Store
from bot.sandbox.kubernetes.workloads import (
    end_pod,
    first_to_go,
    is_available,
    live_pods,
    make_pod,
    owned_by,
    owner_reference,
    template_hash,
    without_hash,
)

Json = dict[str, Any]

REVISION: Final = "deployment.kubernetes.io/revision"
REVISION_HISTORY: Final = "deployment.kubernetes.io/revision-history"
DESIRED: Final = "deployment.kubernetes.io/desired-replicas"
MAXIMUM: Final = "deployment.kubernetes.io/max-replicas"
HASH: Final = "pod-template-hash"

_NOT_COPIED: Final = frozenset(
    {"kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED, MAXIMUM,
     "deprecated.deployment.rollback.to"}
)  # fmt: skip
_NO_DEADLINE: Final = 2**31 - 1


def sync_deployments(store: Store) -> None:
    """One step of every Deployment."""
    for deployment in list(store.list(DEPLOYMENTS)):
        if "deletionTimestamp" not in deployment["metadata"]:
            _Sync(store, deployment).run()


def sync_replica_sets(store: Store) -> None:
    """One step of every ReplicaSet: make and delete pods, then report."""
    now = store.now()
    for rs in list(store.list(REPLICA_SETS)):
        if "deletionTimestamp" in rs["metadata"]:
            continue
        name = rs["metadata"]["name"]
        pods = live_pods(store, REPLICA_SETS, rs)
        wanted = rs["spec"].get("replicas", 1)
        for _ in range(wanted - len(pods)):
            pod = make_pod(store, REPLICA_SETS, rs, f"{name}-{store.suffix()}")
            _tell(store, rs, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", "replicaset-controller")
        for pod in first_to_go(pods)[: max(0, len(pods) - wanted)]:
            grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
            end_pod(store, pod, rfc3339(now + grace))
            _tell(store, rs, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", "replicaset-controller")


def report_replica_sets(store: Store) -> None:
    """Bring the status of every ReplicaSet up to what its pods are now."""
    now = store.now()
    for rs in list(store.list(REPLICA_SETS)):
        pods = live_pods(store, REPLICA_SETS, rs)
        template_labels = ((rs["spec"]["template"].get("metadata") or {}).get("labels") or {}).items()
        counts = {
            "fullyLabeledReplicas": len(
                [pod for pod in pods if template_labels <= (pod["metadata"].get("labels") or {}).items()]
            ),
            "readyReplicas": len([pod for pod in pods if is_ready(pod)]),
            "availableReplicas": len(
                [pod for pod in pods if is_available(pod, rs["spec"].get("minReadySeconds", 0), now)]
            ),
        }
        status = {
            "replicas": len(pods),
            **{key: value for key, value in counts.items() if value},
            "observedGeneration": rs["metadata"]["generation"],
        }
        store.set_status(REPLICA_SETS, rs, status)


def _tell(store: Store, about: Json, reason: str, message: str, component: str) -> None:
    store.event(about, "Normal", reason, message, component=component)


def _size(rs: Json) -> int:
    return int(rs["spec"].get("replicas", 1))


def _available(rs: Json) -> int:
    return int((rs.get("status") or {}).get("availableReplicas", 0))


def revision_of(obj: Json) -> int:
    """The revision that an object carries, 0 for none."""
    text = (obj["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0


class _Sync:
    """One step of one Deployment."""

    def __init__(self, store: Store, deployment: Json) -> None:
        self._store = store
        self._d = deployment
        self._spec: Json = deployment["spec"]
        self._bounds = rollout.Bounds.of(self._spec)
        self._conditions: list[Json] = copy.deepcopy((deployment.get("status") or {}).get("conditions") or [])
        self._stamp = rfc3339(store.now())
        sets = sorted(
            owned_by(store, REPLICA_SETS, deployment),
            key=lambda rs: (parse_time(rs["metadata"]["creationTimestamp"]), revision_of(rs)),
        )
        template = without_hash(self._spec["template"])
        self._new: Json | None = next((rs for rs in sets if without_hash(rs["spec"]["template"]) == template), None)
        self._old = [rs for rs in sets if rs is not self._new]

    def run(self) -> None:
        paused = bool(self._spec.get("paused"))
        self._note_pause(paused)
        if paused or self._is_scaling():
            self._adopt_revision()
            self._scale()
            self._trim_history()
            self._report(estimate=False)
            return
        self._ensure_new()
        if self._spec["strategy"]["type"] == "Recreate":
            self._recreate()
        elif not self._scale_up():
            self._scale_down()
        self._trim_history()
        self._report(estimate=True)

    # -- revisions ----------------------------------------------------------------------------

    def _ensure_new(self) -> None:
        if self._new is None:
            self._create_new()
        self._adopt_revision()

    def _create_new(self) -> None:
        meta = self._d["metadata"]
        digest = template_hash(self._spec["template"])
        template = copy.deepcopy(self._spec["template"])
        template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = digest
        template["metadata"].pop("creationTimestamp", None)
        selector = copy.deepcopy(self._spec["selector"])
        selector.setdefault("matchLabels", {})[HASH] = digest
        size = rollout.new_size(self._bounds, 0, [_size(rs) for rs in self._old])
        if self._spec["strategy"]["type"] == "Recreate" and any(map(_size, self._old)):
            size = 0
        name = f"{meta['name']}-{digest}"
        self._new = self._store.create(
            REPLICA_SETS,
            meta["namespace"],
            name,
            {
                "metadata": {
                    "labels": dict(template["metadata"]["labels"]),
                    "annotations": {
                        **self._annotations({}, max(map(revision_of, self._old), default=0) + 1),
                        **self._sizing(),
                    },
                    "ownerReferences": [owner_reference(DEPLOYMENTS, self._d)],
                },
                "spec": {
                    "replicas": size,
                    "selector": selector,
                    "template": template,
                    **({"minReadySeconds": self._spec["minReadySeconds"]} if "minReadySeconds" in self._spec else {}),
                },
                "status": {"replicas": 0},
            },
        )
        if size:
            self._tell(f"Scaled up replica set {name} from 0 to {size}")
        self._condition("Progressing", "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')

    def _adopt_revision(self) -> None:
        """Give the current set the highest revision (a rollback renumbers the set that it goes back to) and
        write that on the Deployment."""
        if self._new is None:
            return
        wanted = max(map(revision_of, self._old), default=0) + 1
        revision = max(revision_of(self._new), wanted)
        annotations = self._annotations(self._new["metadata"].get("annotations") or {}, revision)
        ready = self._spec.get("minReadySeconds", 0)

        def adopt(obj: Json) -> None:
            obj["metadata"]["annotations"] = annotations
            if obj["spec"].get("minReadySeconds", 0) != ready:
                obj["spec"]["minReadySeconds"] = ready

        if (self._new["metadata"].get("annotations") or {}) != annotations or ready != self._new["spec"].get(
            "minReadySeconds", 0
        ):
            self._new = self._store.change(REPLICA_SETS, self._new, adopt)
        if revision_of(self._d) != revision:
            self._d = self._store.change(
                DEPLOYMENTS,
                self._d,
                lambda obj: obj["metadata"].setdefault("annotations", {}).update({REVISION: str(revision)}),
            )
        has_progress = any(c["type"] == "Progressing" for c in self._conditions)
        if not has_progress and "progressDeadlineSeconds" in self._spec:
            name = self._new["metadata"]["name"]
            self._condition("Progressing", "True", "FoundNewReplicaSet", f'Found new replica set "{name}"')

    def _annotations(self, current: Json, revision: int) -> Json:
        result = dict(current)
        for key, value in (self._d["metadata"].get("annotations") or {}).items():
            if key not in _NOT_COPIED:
                result[key] = value
        before = current.get(REVISION)
        if before and before.isdigit() and int(before) < revision:
            history = [part for part in result.get(REVISION_HISTORY, "").split(",") if part]
            result[REVISION_HISTORY] = ",".join([*history, before])
        result[REVISION] = str(revision)
        return result

    def _sizing(self) -> Json:
        """What a set remembers of the size that it was made for; a difference means that somebody scaled."""
        return {DESIRED: str(self._bounds.replicas), MAXIMUM: str(self._bounds.replicas + self._bounds.surge)}

    def _trim_history(self) -> None:
        limit = self._spec.get("revisionHistoryLimit", 10)
        idle = [
            rs
            for rs in sorted(self._old, key=revision_of)
            if _size(rs) == 0 and (rs.get("status") or {}).get("replicas", 0) == 0
        ]
        for rs in idle[: max(0, len(self._old) - limit)]:
            self._store.remove(REPLICA_SETS, rs)
            self._old.remove(rs)

    # -- sizes --------------------------------------------------------------------------------

    def _resize(self, rs: Json, size: int) -> Json:
        before = _size(rs)
        annotations = self._sizing()
        known = rs["metadata"].get("annotations") or {}
        if before == size and all(known.get(key) == value for key, value in annotations.items()):
            return rs

        def resize(obj: Json) -> None:
            obj["metadata"].setdefault("annotations", {}).update(annotations)
            if before != size:
                obj["spec"]["replicas"] = size
                obj["metadata"]["generation"] += 1

        resized = self._store.change(REPLICA_SETS, rs, resize)
        if before != size:
            way = "up" if size > before else "down"
            self._tell(f"Scaled {way} replica set {rs['metadata']['name']} from {before} to {size}")
        return resized

    def _scale_up(self) -> bool:
        assert self._new is not None
        size = rollout.new_size(self._bounds, _size(self._new), [_size(rs) for rs in self._old])
        if size == _size(self._new):
            return False
        self._new = self._resize(self._new, size)
        return True

    def _scale_down(self) -> None:
        assert self._new is not None
        sizes = rollout.old_sizes(
            self._bounds,
            rollout.Set(_size(self._new), _available(self._new)),
            [rollout.Set(_size(rs), _available(rs)) for rs in self._old],
        )
        for i, size in enumerate(sizes):
            if size != _size(self._old[i]):
                self._old[i] = self._resize(self._old[i], size)

    def _recreate(self) -> None:
        assert self._new is not None
        for i, rs in enumerate(self._old):
            if _size(rs):
                self._old[i] = self._resize(rs, 0)
        lingering = [pod for rs in self._old for pod in owned_by(self._store, PODS, rs)]
        if not lingering:
            self._new = self._resize(self._new, self._bounds.replicas)

    def _is_scaling(self) -> bool:
        active = [rs for rs in [*self._old, *([self._new] if self._new else [])] if _size(rs) > 0]
        return any(
            (rs["metadata"].get("annotations") or {}).get(DESIRED, str(self._bounds.replicas))
            != str(self._bounds.replicas)
            for rs in active
        )

    def _scale(self) -> None:
        everything = [*([self._new] if self._new else []), *reversed(self._old)]
        active = [rs for rs in everything if _size(rs) > 0]
        if not everything:
            return
        if len(active) <= 1:
            self._resize(active[0] if active else everything[0], self._bounds.replicas)
        elif self._new is not None and _size(self._new) == self._bounds.replicas == _available(self._new):
            for rs in active:
                if rs is not self._new:
                    self._resize(rs, 0)
        elif self._spec["strategy"]["type"] == "RollingUpdate":
            before = [
                int((rs["metadata"].get("annotations") or {}).get(MAXIMUM, self._bounds.replicas)) for rs in active
            ]
            sizes = rollout.proportional_sizes(self._bounds, [_size(rs) for rs in active], before)
            for rs, size in zip(active, sizes, strict=True):
                self._resize(rs, size)

    # -- status -------------------------------------------------------------------------------

    def _tell(self, message: str) -> None:
        _tell(self._store, self._d, "ScalingReplicaSet", message, "deployment-controller")

    def _note_pause(self, paused: bool) -> None:
        current = next((c for c in self._conditions if c["type"] == "Progressing"), None)
        if current is not None and current["reason"] == "ProgressDeadlineExceeded":
            return
        noted = current is not None and current["reason"] == "DeploymentPaused"
        if paused and not noted:
            self._condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
        elif not paused and noted:
            self._condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")

    def _condition(self, kind: str, status: str, reason: str, message: str, *, refresh: bool = False) -> None:
        """SetDeploymentCondition: same status and reason is no news, unless `refresh` says so."""
        old = next((c for c in self._conditions if c["type"] == kind), None)
        if old is not None and old["status"] == status and old["reason"] == reason and not refresh:
            return
        turned = old["lastTransitionTime"] if old is not None and old["status"] == status else self._stamp
        self._conditions = [c for c in self._conditions if c["type"] != kind]
        self._conditions.append(
            {
                "type": kind,
                "status": status,
                "lastUpdateTime": self._stamp,
                "lastTransitionTime": turned,
                "reason": reason,
                "message": message,
            }
        )

    def _counts(self) -> Json:
        sets = [*self._old, *([self._new] if self._new else [])]
        statuses = [rs.get("status") or {} for rs in sets]
        available = sum(s.get("availableReplicas", 0) for s in statuses)
        counts = {
            "replicas": sum(s.get("replicas", 0) for s in statuses),
            "updatedReplicas": ((self._new or {}).get("status") or {}).get("replicas", 0),
            "readyReplicas": sum(s.get("readyReplicas", 0) for s in statuses),
            "availableReplicas": available,
            "unavailableReplicas": max(0, sum(map(_size, sets)) - available),
        }
        return {key: value for key, value in counts.items() if value}

    def _report(self, *, estimate: bool) -> None:
        old = self._d.get("status") or {}
        counts = self._counts()
        if counts.get("availableReplicas", 0) >= self._bounds.replicas - self._bounds.unavailable:
            self._condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        else:
            self._condition(
                "Available",
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            )
        if estimate:
            self._estimate(old, counts)
        status = {
            "observedGeneration": self._d["metadata"]["generation"],
            **counts,
            "conditions": self._conditions,
        }
        self._store.set_status(DEPLOYMENTS, self._d, status)

    def _estimate(self, old: Json, counts: Json) -> None:
        deadline = self._spec.get("progressDeadlineSeconds", _NO_DEADLINE)
        if deadline == _NO_DEADLINE:
            self._conditions = [c for c in self._conditions if c["type"] != "Progressing"]
            return
        current = next((c for c in self._conditions if c["type"] == "Progressing"), None)
        at_rest = counts.get("replicas", 0) == counts.get("updatedReplicas", 0)
        if at_rest and current is not None and current["reason"] == "NewReplicaSetAvailable":
            return
        who = (
            f'ReplicaSet "{self._new["metadata"]["name"]}"'
            if self._new
            else f'Deployment "{self._d["metadata"]["name"]}"'
        )
        if rollout.is_complete(self._spec, counts):
            self._condition("Progressing", "True", "NewReplicaSetAvailable", f"{who} has successfully progressed.")
        elif rollout.has_progressed(old, counts):
            self._condition("Progressing", "True", "ReplicaSetUpdated", f"{who} is progressing.", refresh=True)
        elif (
            current is not None
            and current["reason"] not in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded")
            and self._store.now() > parse_time(current["lastUpdateTime"]) + deadline
        ):
            self._condition("Progressing", "False", "ProgressDeadlineExceeded", f"{who} has timed out progressing.")
