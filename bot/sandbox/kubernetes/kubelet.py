"""Pods on their nodes: scheduling, image pulls, starts, probes, crashes, back-offs and ends.

Every container walks through a few states at known times, so a compressed clock sees the same story as a
patient one. Sources: pkg/kubelet/images/image_manager.go and pkg/kubelet/kuberuntime (event texts; pull
and crash back-off from 10 s doubling to 300 s, forgotten after 10 minutes of running),
pkg/kubelet/status/generate.go (conditions), pkg/scheduler (FailedScheduling). Init containers and
liveness probes are not played.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.sandbox.kubernetes import logs
from bot.sandbox.kubernetes.clock import rfc3339
from bot.sandbox.kubernetes.logs import Run
from bot.sandbox.kubernetes.resources import NODES, PODS
from bot.sandbox.kubernetes.spec import ImageBehaviour
from bot.sandbox.kubernetes.store import Store

Json = dict[str, Any]

BACKOFF_FIRST: Final = 10.0
BACKOFF_MOST: Final = 300.0
BACKOFF_FORGOTTEN: Final = 600.0
_SYNC: Final = 15.0  # how often the kubelet looks again and counts its back-off events
_FAILED_SHOWN: Final = 1.0  # how long ErrImagePull and a fresh exit stand before the back-off shows
_PROBE: Final = 10.0
_STOPPING: Final = 0.6
_MOST_STEPS: Final = 100_000

_HEALTHY: Final = ImageBehaviour(start_log=("started",))


@dataclass
class Container:
    """Where one container stands. `step` names what happens next, at `due`."""

    name: str
    image: str
    step: str
    due: float
    behaviour: ImageBehaviour = _HEALTHY
    failures: int = 0
    retry_at: float = 0.0
    restarts: int = 0
    current: Run | None = None
    before: Run | None = None
    ready_at: float | None = None
    state: Json = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: Json = field(default_factory=dict)


@dataclass
class PodLife:
    """What the kubelet knows of a pod besides the object."""

    containers: dict[str, Container]
    started: float
    ready_since: dict[str, tuple[str, str]] = field(default_factory=dict)
    stop_at: float | None = None


class Kubelet:
    """Runs all pods of a cluster; `behaviours` may change while it does."""

    def __init__(self, store: Store, behaviours: Mapping[str, ImageBehaviour]) -> None:
        self._store = store
        self._behaviours = behaviours
        self._lives: dict[str, PodLife] = {}
        self._cached: set[tuple[str, str]] = set()

    def tick(self) -> None:
        """Bring every pod up to the present."""
        now = self._store.now()
        seen = set()
        for pod in list(self._store.list(PODS)):
            seen.add(pod["metadata"]["uid"])
            if not pod["spec"].get("nodeName"):
                self._schedule(pod, now)
            else:
                self._run(pod, now)
        for uid in self._lives.keys() - seen:
            del self._lives[uid]

    def log(self, pod: Json, options: logs.LogOptions) -> bytes:
        """The log that a request asks for; empty for a pod without a node. Raises ApiError 400."""
        name = logs.pick_container(pod, options.container)
        life = self._lives.get(pod["metadata"]["uid"])
        if life is None:
            return b""
        container = life.containers[name]
        runs = (container.current, container.before)
        if "waiting" in container.state:  # what ended is then both the last and the previous run
            runs = (container.current, container.current)
        run = logs.pick_run(pod["metadata"]["name"], name, container.state, runs, options.previous)
        return logs.cut(logs.written(run, self._store.now()), options)

    def _schedule(self, pod: Json, now: float) -> None:
        nodes = list(self._store.list(NODES))
        free = [node for node in nodes if not node["spec"].get("unschedulable")]
        if not free:
            count = len(nodes)
            why = (
                f"0/{count} nodes are available: {count} node(s) were unschedulable. preemption: 0/{count} nodes "
                f"are available: {count} Preemption is not helpful for scheduling."
            )
            if (pod.get("status") or {}).get("conditions"):
                return
            self._store.event(pod, "Warning", "FailedScheduling", why, component="default-scheduler")
            condition = {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": why,
                "lastProbeTime": None,
                "lastTransitionTime": rfc3339(now),
            }
            self._store.set_status(PODS, pod, {**pod["status"], "conditions": [condition]})
            return
        load = {node["metadata"]["name"]: 0 for node in free}
        for other in self._store.list(PODS):
            if other["spec"].get("nodeName") in load:
                load[other["spec"]["nodeName"]] += 1
        node = min(load, key=lambda name: (load[name], name))
        placed = self._store.change(PODS, pod, lambda obj: obj["spec"].update(nodeName=node))
        meta = pod["metadata"]
        self._store.event(
            placed,
            "Normal",
            "Scheduled",
            f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}",
            component="default-scheduler",
        )
        self._run(placed, now)

    def _run(self, pod: Json, now: float) -> None:
        uid = pod["metadata"]["uid"]
        life = self._lives.get(uid)
        if life is None:
            containers = {
                spec["name"]: Container(spec["name"], spec["image"], "pull", now) for spec in pod["spec"]["containers"]
            }
            life = self._lives[uid] = PodLife(containers, now)
        if "deletionTimestamp" in pod["metadata"]:
            self._stop(pod, life, now)
            return
        for spec in pod["spec"]["containers"]:
            container = life.containers[spec["name"]]
            if container.image != spec["image"]:
                self._change_image(pod, container, spec["image"], now)
            for _ in range(_MOST_STEPS):
                if container.due > now:
                    break
                self._step(pod, spec, container, container.due)
        self._store.set_status(PODS, pod, self._status(pod, life, now))

    def _event(self, pod: Json, kind: str, reason: str, message: str, container: Container, at: float) -> None:
        self._store.event(
            pod,
            kind,
            reason,
            message,
            component="kubelet",
            host=pod["spec"]["nodeName"],
            field_path=f"spec.containers{{{container.name}}}",
            at=at,
        )

    def _stop(self, pod: Json, life: PodLife, now: float) -> None:
        if life.stop_at is None:
            grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
            life.stop_at = now + min(_STOPPING, grace)
            for container in life.containers.values():
                if container.current is not None and container.current.ended is None:
                    message = f"Stopping container {container.name}"
                    self._event(pod, "Normal", "Killing", message, container, now)
        if now >= life.stop_at:
            self._store.remove(PODS, pod)

    def _change_image(self, pod: Json, container: Container, image: str, now: float) -> None:
        container.image = image
        if container.current is not None and container.current.ended is None:
            message = f"Container {container.name} definition changed, will be restarted"
            self._event(pod, "Normal", "Killing", message, container, now)
            self._end(container, now, 143, "Error")
            container.restarts += 1
        container.failures = 0
        container.step, container.due = "pull", now

    def _step(self, pod: Json, spec: Json, container: Container, at: float) -> None:
        {
            "pull": self._step_pull,
            "pulled": self._step_pulled,
            "pull_backoff": self._step_pull_backoff,
            "probe": self._step_probe,
            "exit": self._step_exit,
            "crash_backoff": self._step_crash_backoff,
        }[container.step](pod, spec, container, at)

    def _step_pull(self, pod: Json, spec: Json, container: Container, at: float) -> None:
        place = (pod["spec"]["nodeName"], container.image)
        if place in self._cached and spec.get("imagePullPolicy") != "Always":
            message = f'Container image "{container.image}" already present on machine'
            self._event(pod, "Normal", "Pulled", message, container, at)
            self._start(pod, container, at)
            return
        self._event(pod, "Normal", "Pulling", f'Pulling image "{container.image}"', container, at)
        behaviour = self._behaviours.get(container.image, _HEALTHY)
        container.step, container.due = "pulled", at + behaviour.pull_seconds

    def _step_pulled(self, pod: Json, spec: Json, container: Container, at: float) -> None:
        behaviour = self._behaviours.get(container.image, _HEALTHY)
        if behaviour.pull_error is None:
            took = f"{behaviour.pull_seconds * 1000:.0f}ms"
            message = (
                f'Successfully pulled image "{container.image}" in {took} ({took} including waiting). '
                f"Image size: {_size(container.image)} bytes."
            )
            self._event(pod, "Normal", "Pulled", message, container, at)
            self._cached.add((pod["spec"]["nodeName"], container.image))
            container.failures = 0
            self._start(pod, container, at)
            return
        error = behaviour.pull_error
        self._event(pod, "Warning", "Failed", f'Failed to pull image "{container.image}": {error}', container, at)
        self._event(pod, "Warning", "Failed", "Error: ErrImagePull", container, at)
        container.state = {"waiting": {"reason": "ErrImagePull", "message": error}}
        container.retry_at = at + _backoff(container.failures)
        container.failures += 1
        container.step, container.due = "pull_backoff", at + _FAILED_SHOWN

    def _step_pull_backoff(self, pod: Json, spec: Json, container: Container, at: float) -> None:
        if at >= container.retry_at:
            self._step_pull(pod, spec, container, at)
            return
        message = f'Back-off pulling image "{container.image}"'
        self._event(pod, "Normal", "BackOff", message, container, at)
        self._event(pod, "Warning", "Failed", "Error: ImagePullBackOff", container, at)
        error = self._behaviours.get(container.image, _HEALTHY).pull_error
        if error is not None:
            container.state = {
                "waiting": {"reason": "ImagePullBackOff", "message": f"{message}: ErrImagePull: {error}"}
            }
        container.due = min(at + _SYNC, container.retry_at)

    def _start(self, pod: Json, container: Container, at: float) -> None:
        self._event(pod, "Normal", "Created", f"Created container: {container.name}", container, at)
        self._event(pod, "Normal", "Started", f"Started container {container.name}", container, at)
        container.behaviour = self._behaviours.get(container.image, _HEALTHY)
        if "terminated" in container.state:
            container.last_state = container.state
        container.before = container.current
        container.current = Run(container.behaviour, at)
        container.state = {"running": {"startedAt": rfc3339(at)}}
        behaviour = container.behaviour
        container.ready_at = None if behaviour.ready_after is None else at + behaviour.ready_after
        self._wait(container, at)

    def _wait(self, container: Container, at: float) -> None:
        """Set the next thing that happens to a running container: readiness, a failed probe or its exit."""
        behaviour = container.behaviour
        started = container.current.started if container.current is not None else at
        coming: list[tuple[float, str]] = []
        if behaviour.exits_after is not None:
            coming.append((started + behaviour.exits_after, "exit"))
        if behaviour.ready_after is None:
            coming.append((at + _PROBE, "probe"))
        container.due, container.step = min(coming, default=(float("inf"), "idle"))

    def _step_probe(self, pod: Json, spec: Json, container: Container, at: float) -> None:
        message = f"Readiness probe failed: {container.behaviour.readiness_failure}"
        self._event(pod, "Warning", "Unhealthy", message, container, at)
        self._wait(container, at)

    def _step_exit(self, pod: Json, spec: Json, container: Container, at: float) -> None:
        behaviour = container.behaviour
        code = 137 if behaviour.oom_killed else behaviour.exit_code
        reason = "OOMKilled" if behaviour.oom_killed else "Completed" if code == 0 else "Error"
        ran = at - (container.current.started if container.current is not None else at)
        self._end(container, at, code, reason)
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy == "Never" or (policy == "OnFailure" and code == 0):
            container.step, container.due = "idle", float("inf")
            return
        if ran >= BACKOFF_FORGOTTEN:
            container.failures = 0
        # The first end is answered by a restart at once, later ones wait (kuberuntime doBackOff).
        wait = 0.0 if container.failures == 0 else _backoff(container.failures - 1)
        container.failures += 1
        container.retry_at = at + max(wait, _FAILED_SHOWN)
        container.step, container.due = "crash_backoff", at + _FAILED_SHOWN

    def _step_crash_backoff(self, pod: Json, spec: Json, container: Container, at: float) -> None:
        if at >= container.retry_at:
            container.restarts += 1
            self._step_pull(pod, spec, container, at)
            return
        if "terminated" in container.state:
            container.last_state = container.state
        meta = pod["metadata"]
        message = (
            f"Back-off restarting failed container {container.name} in pod "
            f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        )
        self._event(pod, "Warning", "BackOff", message, container, at)
        wait = int(_backoff(container.failures - 2))
        container.state = {
            "waiting": {
                "reason": "CrashLoopBackOff",
                "message": f"back-off {_go_duration(wait)} restarting failed container={container.name} "
                f"pod={meta['name']}_{meta['namespace']}({meta['uid']})",
            }
        }
        container.due = min(at + _SYNC, container.retry_at)

    def _end(self, container: Container, at: float, code: int, reason: str) -> None:
        run = container.current
        if run is None:
            return
        container.current = Run(run.behaviour, run.started, at)
        container.ready_at = None
        container.state = {
            "terminated": {
                "exitCode": code,
                "reason": reason,
                "startedAt": rfc3339(run.started),
                "finishedAt": rfc3339(at),
                "containerID": _container_id(container, run.started),
            }
        }

    def _status(self, pod: Json, life: PodLife, now: float) -> Json:
        containers = list(life.containers.values())
        statuses = [_container_status(container, now) for container in containers]
        ready = all(status["ready"] for status in statuses)
        if all("terminated" in c.state and c.step == "idle" for c in containers):
            failed = any(c.state["terminated"]["exitCode"] for c in containers)
            phase = "Failed" if failed else "Succeeded"
        elif all(c.current is not None for c in containers):
            phase = "Running"
        else:
            phase = "Pending"
        waiting = [c.name for c, status in zip(containers, statuses, strict=True) if not status["ready"]]
        not_ready: Json = {
            "status": "False",
            "reason": "ContainersNotReady",
            "message": f"containers with unready status: [{' '.join(waiting)}]",
        }
        if phase == "Succeeded":
            not_ready = {"status": "False", "reason": "PodCompleted"}
        started = rfc3339(life.started)
        turned_at = max([life.started, *(c.ready_at for c in containers if c.ready_at is not None)])
        conditions = []
        for name, detail in (
            ("PodReadyToStartContainers", {"status": "True"}),
            ("Initialized", {"status": "True"}),
            ("Ready", {"status": "True"} if ready else not_ready),
            ("ContainersReady", {"status": "True"} if ready else not_ready),
            ("PodScheduled", {"status": "True"}),
        ):
            before = life.ready_since.get(name)
            if before is None or before[0] != detail["status"]:
                turned = rfc3339(turned_at if detail["status"] == "True" else now) if before else started
                if before is None and name in ("Ready", "ContainersReady") and ready:
                    turned = rfc3339(turned_at)
                before = life.ready_since[name] = (detail["status"], turned)
            conditions.append({"type": name, **detail, "lastProbeTime": None, "lastTransitionTime": before[1]})
        digest = hashlib.sha256(pod["metadata"]["uid"].encode()).digest()
        address = f"10.244.{digest[0]}.{digest[1] % 254 + 1}"
        status: Json = {
            "phase": phase,
            "conditions": conditions,
            "hostIP": _node_address(pod["spec"]["nodeName"]),
            "startTime": started,
            "qosClass": pod["status"]["qosClass"],
            "containerStatuses": statuses,
        }
        if phase == "Running":
            status |= {"podIP": address, "podIPs": [{"ip": address}]}
        return status


def _container_status(container: Container, now: float) -> Json:
    running = "running" in container.state
    ready = running and container.ready_at is not None and now >= container.ready_at
    status: Json = {
        "name": container.name,
        "image": container.image,
        "imageID": f"{container.image.rpartition(':')[0]}@sha256:{_digest(container.image)}"
        if container.current is not None
        else "",
        "ready": ready,
        "restartCount": container.restarts,
        "started": running,
        "state": container.state,
        "lastState": container.last_state,
    }
    if container.current is not None:
        status["containerID"] = _container_id(container, container.current.started)
    return status


def _container_id(container: Container, started: float) -> str:
    return f"containerd://{_digest(f'{container.name} {container.image} {started}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _size(image: str) -> int:
    return 20_000_000 + int(_digest(image)[:6], 16)


def _node_address(node: str) -> str:
    return f"192.0.2.{int(_digest(node)[:2], 16) % 254 + 1}"


def _backoff(failures: int) -> float:
    return min(BACKOFF_FIRST * 2.0 ** min(max(failures, 0), 10), BACKOFF_MOST)


def _go_duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
