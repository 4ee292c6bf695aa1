"""One cluster: its store, its controllers and its kubelet, moved on by ticks of its clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from bot.sandbox.kubernetes import disruption
from bot.sandbox.kubernetes.clock import Clock, rfc3339
from bot.sandbox.kubernetes.daemon_sets import sync_daemon_sets
from bot.sandbox.kubernetes.deployments import report_replica_sets, sync_deployments, sync_replica_sets
from bot.sandbox.kubernetes.jobs import sync_jobs
from bot.sandbox.kubernetes.kubelet import Kubelet
from bot.sandbox.kubernetes.registry import STRATEGIC_PATCH, Options, Registry
from bot.sandbox.kubernetes.resources import (
    DISRUPTION_BUDGETS,
    PODS,
    SERVED,
    Resource,
    of_object,
)
from bot.sandbox.kubernetes.spec import ClusterSpec, ImageBehaviour, Scenario
from bot.sandbox.kubernetes.stateful_sets import sync_stateful_sets
from bot.sandbox.kubernetes.store import Store
from bot.sandbox.kubernetes.workloads import collect_garbage

Json = dict[str, Any]

_OWNER: Final = Options(manager="kubectl-client-side-apply", trusted=True)
_SETTLE: Final = 30.0
_QUIET: Final = 5.0
_STEP: Final = 0.5
_MOST_TICKS: Final = 2000


class Cluster:
    """A running cluster. All methods are synchronous: one loop owns it."""

    def __init__(self, spec: ClusterSpec, source: Callable[[], float], rng: random.Random) -> None:
        self.spec = spec
        self.clock = Clock(source)
        self.images: dict[str, ImageBehaviour] = dict(spec.images)
        self.store = Store(self.clock.now, rng)
        self.registry = Registry(self.store)
        self.kubelet = Kubelet(self.store, self.images)
        self._live_the_past()

    def tick(self) -> None:
        """Let every controller take one step."""
        store = self.store
        sync_deployments(store)
        sync_replica_sets(store)
        sync_stateful_sets(store)
        sync_daemon_sets(store)
        sync_jobs(store)
        self.kubelet.tick()
        report_replica_sets(store)
        collect_garbage(store, rfc3339(self.clock.now()))
        for budget in list(store.list(DISRUPTION_BUDGETS)):
            pods = list(store.list(PODS, budget["metadata"]["namespace"]))
            status = disruption.status(budget, pods, rfc3339(self.clock.now()))
            store.set_status(DISRUPTION_BUDGETS, budget, status)
        store.forget_old_events()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once, with the controllers at work. Raises ValueError outside 0..7 days."""
        if not 0 <= seconds <= 7 * 86_400:
            raise ValueError(f"a clock is advanced by 0 to 604800 seconds, not by {seconds}")
        step = max(_STEP, seconds / _MOST_TICKS)
        left = seconds
        while left > 0:
            self.clock.shift(min(step, left))
            left -= step
            self.tick()

    def apply(self, obj: Json) -> Json:
        """Create an object, or merge it into the one of its name, with the rights of the owner.

        Raises ApiError for an object that the server would refuse, ValueError for a type that it lacks.
        """
        resource = of_object(obj.get("apiVersion"), obj.get("kind"))
        if resource is None:
            raise ValueError(f"{obj.get('apiVersion')} {obj.get('kind')} is no type of this cluster")
        meta = obj.get("metadata") or {}
        namespace = meta.get("namespace", "default") if resource.namespaced else ""
        name = meta.get("name", "")
        if self.store.get(resource, namespace, name) is None:
            return self.registry.create(resource, namespace, obj, _OWNER).body
        return self.patch(resource, namespace, name, obj)

    def patch(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        """Make a strategic merge patch with the rights of the owner. Raises ApiError."""
        return self.registry.patch(resource, namespace, name, STRATEGIC_PATCH, body, _OWNER).body

    def play(self, scenario: Scenario, ago: float = 0.0) -> None:
        """Let a scenario happen, `ago` seconds back if nothing has been written since, and live on to now."""
        back = max(0.0, min(ago, self.clock.now() - self.store.written_at - 1))
        self.clock.shift(-back)
        self.images.update(scenario.images)
        for patch in scenario.patches:
            resource = next(r for r in SERVED if r.plural == patch.resource)
            self.patch(resource, patch.namespace, patch.name, patch.body)
        self.tick()
        self.advance(back)

    def _live_the_past(self) -> None:
        stages = sorted(self.spec.stages, key=lambda stage: -stage.ago)
        oldest = max([3600.0, *(stage.ago for stage in stages)]) + 3600
        self.clock.shift(-oldest)
        age = oldest
        for name in ("default", "kube-system"):
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for name in self.spec.nodes:
            self.apply(_node(name, self.spec.version, rfc3339(self.clock.now())))
        for stage in stages:
            self.clock.shift(age - stage.ago)
            age = stage.ago
            for obj in stage.objects:
                self.apply(obj)
            age -= self._settle(min(_SETTLE, age))
        self.clock.shift(age)
        self.tick()

    def _settle(self, seconds: float) -> float:
        """Let the controllers work until nothing has changed for a while, at most so long. Returns how long it was."""
        passed = quiet = 0.0
        while passed < seconds and quiet < _QUIET:
            step = min(_STEP, seconds - passed)
            before = self.store.revision
            self.advance(step)
            passed += step
            quiet = quiet + step if self.store.revision == before else 0.0
        return passed


def _node(name: str, version: str, stamp: str) -> Json:
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": stamp,
            "lastTransitionTime": stamp,
        }
        for kind, status, reason, message in (
            ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        )
    ]
    capacity = {"cpu": "8", "memory": "32780840Ki", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
            },
        },
        "spec": {},
        "status": {
            "addresses": [{"type": "Hostname", "address": name}],
            "allocatable": capacity,
            "capacity": capacity,
            "conditions": conditions,
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.48",
                "kubeProxyVersion": version,
                "kubeletVersion": version,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 13 (trixie)",
                "systemUUID": "",
            },
        },
    }
