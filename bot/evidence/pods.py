"""The pods: what state each is in and why, the worst first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bot.evidence.age import ago, instant, span
from bot.evidence.exit_codes import meaning
from bot.evidence.lines import counted, fit, one_line, without_pod_uid
from bot.evidence.reading import KINDS, MAX_ITEMS, selector
from bot.evidence.scene import Draft, Scene
from bot.evidence.subject import controller
from bot.evidence.workload import condition, render_condition

KIND = "pods"
MAX_FACTS = 50
MAX_DESCRIBED = 6
_MAX_ALIKE = 6
_MAX_STATUSES = 12
# The rank of a pod that fares well, in the order of `badness`.
WELL = 3


async def collect(scene: Scene) -> list[Draft]:
    """Describe the subject's pods."""
    found = scene.found
    about = await scene.clean(await seen(scene))
    path = KINDS["Pod"].path(found.namespace, found.name if found.kind == "Pod" else "")
    labels = selector((found.workload.get("spec") or {}).get("selector") or {}) if found.kind != "Pod" else ""
    return [
        Draft(
            kind=KIND,
            title=f"pods of {found.kind} {found.namespace}/{found.name}"
            if found.kind != "Pod"
            else f"pod {found.name}",
            query=f"GET {path}" + (f"?labelSelector={labels}" if labels else ""),
            text=render(about, scene.now),
            facts=about,
        )
    ]


async def seen(scene: Scene) -> dict[str, Any]:
    """The facts of the subject's pods as they are in the cluster, worked out once for all collectors."""

    async def read() -> dict[str, Any]:
        named = scene.found.pod or {"metadata": {}}
        return await asyncio.to_thread(
            facts, await scene.pods(), scene.now, named=str(named["metadata"].get("name") or "")
        )

    return await scene.once("seen pods", read)


def facts(pods: Sequence[Mapping[str, Any]], now: int, *, named: str = "") -> dict[str, Any]:
    """Take what matters from Pod objects: counts of all, the 50 worst in detail, worst first.

    The pod that the alert named comes before all, marked ``named``. ``status`` is the word that ``kubectl get pods``
    shows. Times are microseconds.
    """
    described = [_pod(pod, now) for pod in pods]
    for pod in described:
        if named and pod["name"] == named:
            pod["named"] = True
    described.sort(key=lambda pod: (not pod.get("named"), badness(pod)))
    return {
        "total": len(pods),
        "ready": sum(pod["ready"] for pod in described),
        "statuses": dict(Counter(pod["status"] for pod in described).most_common(_MAX_STATUSES)),
        "pods": described[:MAX_FACTS],
    }


def _pod(pod: Mapping[str, Any], now: int) -> dict[str, Any]:
    metadata, spec, status = (pod.get(part) or {} for part in ("metadata", "spec", "status"))
    created = instant(metadata.get("creationTimestamp"))
    conditions = [condition(one) for one in status.get("conditions") or []]
    images = {one.get("name"): one.get("image") for one in [*_list(spec, "initContainers"), *_list(spec, "containers")]}
    containers = [
        *(_container(one, images, init=True) for one in _list(status, "initContainerStatuses")),
        *(_container(one, images, init=False) for one in _list(status, "containerStatuses")),
    ]
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    if not conditions:
        main = [one for one in containers if not one["init"]]
        ready = bool(main) and all(one["ready"] for one in main)
    about = {
        "name": metadata.get("name"),
        "phase": status.get("phase") or "",
        "status": _status(metadata, status, containers, ready=ready),
        "node": spec.get("nodeName") or "",
        "ready": ready,
        "restarts": sum(one["restarts"] for one in containers),
        "age_seconds": (now - created) // 1_000_000 if created else None,
        "reason": status.get("reason") or "",
        "message": status.get("message") or "",
        "template_hash": _template_hash(metadata),
        "deleted_at": instant(metadata.get("deletionTimestamp")),
        "owner": controller(pod).get("name"),
        "conditions": conditions,
        "containers": containers,
    }
    return {key: value for key, value in about.items() if value is not None}


def _list(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return parent.get(key) or []


def _template_hash(metadata: Mapping[str, Any]) -> str | None:
    labels = metadata.get("labels") or {}
    return labels.get("pod-template-hash") or labels.get("controller-revision-hash")


def _container(one: Mapping[str, Any], images: Mapping[Any, Any], *, init: bool) -> dict[str, Any]:
    return {
        "name": one.get("name"),
        # The spec's image is the name that was asked for; the status may show a digest or another tag of it.
        "image": images.get(one.get("name")) or one.get("image"),
        "ready": one.get("ready") is True,
        "restarts": one.get("restartCount") or 0,
        "init": init,
        "state": _state(one.get("state")),
        "last_state": _state(one.get("lastState")),
    }


def _state(state: Mapping[str, Any] | None) -> dict[str, Any] | None:
    for kind in ("waiting", "running", "terminated"):
        if state and state.get(kind) is not None:
            detail = state[kind]
            about = {
                "kind": kind,
                "reason": detail.get("reason") or "",
                "message": without_pod_uid(detail.get("message") or ""),
                "exit_code": detail.get("exitCode"),
                "signal": detail.get("signal"),
                "started_at": instant(detail.get("startedAt")),
                "finished_at": instant(detail.get("finishedAt")),
            }
            return {key: value for key, value in about.items() if value is not None}
    return None


def _status(
    metadata: Mapping[str, Any], status: Mapping[str, Any], containers: Sequence[Mapping[str, Any]], *, ready: bool
) -> str:
    """The word of ``kubectl get pods``, as its printer finds it (kubernetes/pkg/printers, printPod)."""
    if metadata.get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    for one in containers:
        state = one["state"] or {}
        if one["init"] and state and not one["ready"] and state["kind"] != "running":
            reason = state.get("reason") or "Error"
            if state["kind"] == "terminated" and state.get("exit_code") == 0:
                continue
            if reason != "PodInitializing":
                return f"Init:{reason}"
    for one in containers:
        state = one["state"] or {}
        if not one["init"] and state and state["kind"] != "running" and state.get("reason") not in ("", "Completed"):
            return str(state["reason"])
    if status.get("reason"):
        return str(status["reason"])
    phase = str(status.get("phase") or "Unknown")
    if phase == "Running" and not ready:
        return "Running, not ready"
    return "Completed" if phase == "Succeeded" else phase


def badness(pod: Mapping[str, Any]) -> tuple[int, int, str]:
    """Order pods, the worst first: failing, then not ready, then ready again after restarts, then the rest."""
    if pod["ready"] or pod["phase"] == "Succeeded":
        rank = 2 if pod["restarts"] else WELL
    else:
        rank = 0 if pod["phase"] == "Failed" or any(_fails(one) for one in pod["containers"]) else 1
    return rank, -pod["restarts"], str(pod["name"])


def _fails(one: Mapping[str, Any]) -> bool:
    state = one["state"] or {}
    match state.get("kind"):
        case "terminated":
            return state.get("exit_code") != 0
        case "waiting":
            return state.get("reason") not in (None, "", "PodInitializing", "ContainerCreating")
        case "running":
            return not one["ready"] and one["restarts"] > 0
    return False


def render(about: Mapping[str, Any], now: int) -> str:
    """Write the pods' facts: the worst in full, those that look the same by name, the rest counted."""
    if not about["total"]:
        return "there are no pods"
    more = "at least " if about["total"] >= MAX_ITEMS else ""
    states = ", ".join(f"{count} {status}" for status, count in about["statuses"].items())
    lines = [f"{more}{counted(about['total'], 'pod')}, {about['ready']} ready: {states}"]
    looks: dict[str, list[Mapping[str, Any]]] = {}
    for pod in about["pods"]:
        looks.setdefault(_look(pod), []).append(pod)
    alike = list(looks.values())
    for pods in alike[:MAX_DESCRIBED]:
        lines += _pod_lines(pods[0], now)
        if len(pods) > 1:
            named = [f"{pod['name']}{f' on {node}' if (node := pod['node']) else ''}" for pod in pods[1:_MAX_ALIKE]]
            beyond = f" and {len(pods) - _MAX_ALIKE} more" if len(pods) > _MAX_ALIKE else ""
            lines.append(f"  alike: {', '.join(named)}{beyond}")
    left = sum(map(len, alike[MAX_DESCRIBED:])) + about["total"] - len(about["pods"])
    if left:
        lines.append(f"and {counted(left, 'more pod')}, counted above")
    return fit(lines)


def _look(pod: Mapping[str, Any]) -> str:
    states = [(one["name"], (one["state"] or {}).get("reason"), one["image"]) for one in pod["containers"]]
    return repr((pod["status"], pod.get("template_hash"), states))


def _pod_lines(pod: Mapping[str, Any], now: int) -> list[str]:
    main = [one for one in pod["containers"] if not one["init"]]
    head = [
        f"pod {pod['name']}: {pod['status']}",
        f"{sum(one['ready'] for one in main)}/{len(main)} containers ready" if main else "",
        f"age {span(pod['age_seconds'] * 1_000_000)}" if "age_seconds" in pod else "",
        f"node {pod['node']}" if pod["node"] else "on no node",
        f"template {pod['template_hash']}" if pod.get("template_hash") else "",
    ]
    lines = [", ".join(part for part in head if part)]
    said = ": ".join(part for part in (pod["reason"], one_line(pod["message"])) if part)
    if said:
        lines.append(f"  {said}")
    if overdue(pod, now):
        lines.append(f"  it is being deleted and should have been gone {ago(pod['deleted_at'], now)}")
    lines += [f"  {render_condition(one, now)}" for one in pod["conditions"] if _tells(one, pod)]
    for one in pod["containers"]:
        if one["init"] and one["ready"] and not one["restarts"]:
            continue
        lines += _container_lines(one, now, quiet=pod["ready"] and not one["restarts"])
    return lines


def overdue(pod: Mapping[str, Any], now: int) -> bool:
    """Say whether a pod is still there a minute after its grace period, which its deletion timestamp is the end of."""
    return bool(now - pod.get("deleted_at", now) > 60_000_000)


def _tells(one: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Say whether a condition tells more than the containers' states do."""
    if one["type"] == "DisruptionTarget" and one["status"] == "True":
        return True
    if one["type"] in ("Ready", "ContainersReady", "Initialized"):
        return False
    return one["status"] != "True" and not pod["ready"] and bool(one["reason"] or one["message"])


def _container_lines(one: Mapping[str, Any], now: int, *, quiet: bool) -> list[str]:
    kind = "init container" if one["init"] else "container"
    state = one["state"] or {"kind": "not started"}
    more = []
    if state["kind"] == "running" and not one["ready"] and not one["init"]:
        more.append("not ready")
    if one["restarts"]:
        more.append(counted(one["restarts"], "restart"))
    lines = [f"  {kind} {one['name']} ({one['image']}): {_state_words(state, now, *more)}"]
    if one["last_state"] and not quiet:
        lines.append(f"    before that: {_state_words(one['last_state'], now)}")
    return lines


def _state_words(state: Mapping[str, Any], now: int, *more: str) -> str:
    words = [state["kind"] + (f" {state['reason']}" if state.get("reason") else "")]
    code = state.get("exit_code")
    if code is not None:
        told = meaning(code, state.get("reason", ""))
        words.append(f"exit code {code}{f' ({told})' if told else ''}")
    started, finished = state.get("started_at"), state.get("finished_at")
    # A container that never started has the epoch as its start.
    if started and finished and finished >= started:
        words.append(f"ran {span(finished - started)}, ended {ago(finished, now)}")
    elif state["kind"] == "running" and started:
        words.append(f"since {span(now - started)}")
    said = one_line(state.get("message", ""), 700)
    return ", ".join([*words, *more]) + (f": {said}" if said else "")
