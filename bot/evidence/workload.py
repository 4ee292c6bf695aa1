"""The workload: what is wanted, what is there, its conditions, and how its containers are set up."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from bot.evidence.age import ago, instant
from bot.evidence.lines import fit, one_line
from bot.evidence.reading import KINDS
from bot.evidence.scene import Draft, Scene
from bot.evidence.subject import claims

KIND = "workload"
_MAX_CONTAINERS = 12
_GOOD_CONDITIONS = {
    ("Available", "True"),
    ("Progressing", "True"),
    ("Complete", "True"),
    ("SuccessCriteriaMet", "True"),
}


async def collect(scene: Scene) -> list[Draft]:
    """Describe the subject itself; it was read when it was found."""
    found = scene.found
    about = await scene.clean(facts(found.kind, found.workload, jobs=found.jobs, note=found.note))
    return [
        Draft(
            kind=KIND,
            title=f"{found.kind} {found.namespace}/{found.name}",
            query=f"GET {KINDS[found.kind].path(found.namespace, found.name)}",
            text=render(about, scene.now),
            facts=about,
        )
    ]


def facts(
    kind: str, workload: Mapping[str, Any], *, jobs: Sequence[Mapping[str, Any]] = (), note: str = ""
) -> dict[str, Any]:
    """Take what matters from a workload object. Times are microseconds; what is not known is absent."""
    metadata, spec, status = (workload.get(part) or {} for part in ("metadata", "spec", "status"))
    about: dict[str, Any] = {
        "kind": kind,
        "namespace": metadata.get("namespace"),
        "name": metadata.get("name"),
        "uid": metadata.get("uid"),
        "created_at": instant(metadata.get("creationTimestamp")),
        "deleted_at": instant(metadata.get("deletionTimestamp")),
        "generation": metadata.get("generation"),
        "observed_generation": status.get("observedGeneration"),
        "paused": spec.get("paused"),
        "owners": [
            {"kind": owner.get("kind"), "name": owner.get("name")} for owner in metadata.get("ownerReferences") or []
        ],
        "note": note or None,
        **_counts(kind, spec, status),
    }
    pod_spec = _pod_spec(kind, spec)
    about["containers"] = [
        *(container(one, init=True) for one in (pod_spec.get("initContainers") or [])[:_MAX_CONTAINERS]),
        *(container(one) for one in (pod_spec.get("containers") or [])[:_MAX_CONTAINERS]),
    ]
    about["node_selector"] = pod_spec.get("nodeSelector")
    about["claims"] = claims(pod_spec) or None
    conditions = status.get("conditions") or []
    if kind == "CronJob":
        about["jobs"] = [_job(job) for job in jobs]
        conditions = [one for job in jobs for one in (job.get("status") or {}).get("conditions") or []]
    about["conditions"] = [] if kind == "Pod" else [condition(one) for one in conditions]
    return {key: value for key, value in about.items() if value is not None}


def _counts(kind: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    match kind:
        case "DaemonSet":
            return {
                "desired": status.get("desiredNumberScheduled"),
                "updated": status.get("updatedNumberScheduled", 0),
                "ready": status.get("numberReady", 0),
                "available": status.get("numberAvailable", 0),
                "unavailable": status.get("numberUnavailable", 0),
                "misscheduled": status.get("numberMisscheduled") or None,
            }
        case "Job":
            return {
                "desired": spec.get("completions"),
                "active": status.get("active", 0),
                "succeeded": status.get("succeeded", 0),
                "failed": status.get("failed", 0),
                "backoff_limit": spec.get("backoffLimit"),
                "deadline_seconds": spec.get("activeDeadlineSeconds"),
                "suspended": spec.get("suspend") or None,
            }
        case "CronJob":
            return {
                "schedule": spec.get("schedule"),
                "suspended": spec.get("suspend"),
                "active": len(status.get("active") or []),
                "last_scheduled_at": instant(status.get("lastScheduleTime")),
                "last_succeeded_at": instant(status.get("lastSuccessfulTime")),
            }
        case "Pod":
            return {"phase": status.get("phase")}
        case _:
            desired = spec.get("replicas", 1)
            available = status.get("availableReplicas", 0)
            return {
                "desired": desired,
                "updated": status.get("updatedReplicas", 0),
                "ready": status.get("readyReplicas", 0),
                "available": available,
                "unavailable": status.get("unavailableReplicas", max(0, desired - available)),
            }


def _pod_spec(kind: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    if kind == "Pod":
        return spec
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    pod_spec: Mapping[str, Any] = (spec.get("template") or {}).get("spec") or {}
    return pod_spec


def _job(job: Mapping[str, Any]) -> dict[str, Any]:
    metadata, status = job.get("metadata") or {}, job.get("status") or {}
    return {
        "name": metadata.get("name"),
        "created_at": instant(metadata.get("creationTimestamp")),
        "active": status.get("active", 0),
        "succeeded": status.get("succeeded", 0),
        "failed": status.get("failed", 0),
    }


def condition(one: Mapping[str, Any]) -> dict[str, Any]:
    """Take what matters from a condition of any object."""
    return {
        "type": one.get("type"),
        "status": one.get("status"),
        "reason": one.get("reason") or "",
        "message": one.get("message") or "",
        "since": instant(one.get("lastTransitionTime")),
    }


def container(one: Mapping[str, Any], *, init: bool = False) -> dict[str, Any]:
    """Take what matters from a container of a pod's spec: environment values stay out, they may be secrets."""
    resources = one.get("resources") or {}
    about: dict[str, Any] = {
        "name": one.get("name"),
        "image": one.get("image"),
        "requests": resources.get("requests") or {},
        "limits": resources.get("limits") or {},
        "command": shlex.join(str(part) for part in [*(one.get("command") or []), *(one.get("args") or [])]) or None,
        "liveness": probe(one.get("livenessProbe")),
        "readiness": probe(one.get("readinessProbe")),
        "startup": probe(one.get("startupProbe")),
        "init": init or None,
    }
    return {key: value for key, value in about.items() if value is not None}


def probe(one: Mapping[str, Any] | None) -> str | None:
    """Write a probe in one line, with the API's defaults where it is silent."""
    if not one:
        return None
    if "httpGet" in one:
        http = one["httpGet"]
        what = f"{str(http.get('scheme', 'HTTP')).lower()} GET :{http.get('port')}{http.get('path', '/')}"
    elif "tcpSocket" in one:
        what = f"tcp :{one['tcpSocket'].get('port')}"
    elif "grpc" in one:
        what = f"grpc :{one['grpc'].get('port')}"
    else:
        what = "exec " + shlex.join(str(part) for part in (one.get("exec") or {}).get("command") or [])
    return (
        f"{what}, delay {one.get('initialDelaySeconds', 0)}s, timeout {one.get('timeoutSeconds', 1)}s, "
        f"every {one.get('periodSeconds', 10)}s, fails after {one.get('failureThreshold', 3)}"
    )


def render(about: Mapping[str, Any], now: int) -> str:
    """Write a workload's facts for a person and a model."""
    lines = [f"{about['kind']} {about.get('namespace')}/{about.get('name')}{_created(about, now)}"]
    if about.get("note"):
        lines.append(f"note: {about['note']}")
    if about.get("deleted_at"):
        lines.append("it is being deleted")
    lines += _state(about, now)
    if about.get("paused"):
        lines.append("paused: changes to it are not rolled out until it is resumed")
    if about.get("observed_generation") is not None and about["observed_generation"] != about.get("generation"):
        lines.append(
            f"its controller has not acted on the newest spec yet "
            f"(generation {about.get('generation')}, observed {about['observed_generation']})"
        )
    lines += [render_condition(one, now) for one in sorted(about.get("conditions", []), key=_is_good)]
    owners = ", ".join(f"{owner['kind']} {owner['name']}" for owner in about.get("owners", []))
    if owners:
        lines.append(f"controlled by {owners}")
    for one in about.get("containers", []):
        lines += _container_lines(one)
    if about.get("node_selector"):
        chosen = ", ".join(f"{key}={value}" for key, value in about["node_selector"].items())
        lines.append(f"runs only on nodes with labels {one_line(chosen)}")
    if about.get("claims"):
        lines.append(f"mounts PersistentVolumeClaims {one_line(', '.join(about['claims']))}")
    return fit(lines)


def _created(about: Mapping[str, Any], now: int) -> str:
    return f", created {ago(about['created_at'], now)}" if about.get("created_at") else ""


def _state(about: Mapping[str, Any], now: int) -> list[str]:
    match about["kind"]:
        case "Pod":
            return ["a bare pod: nothing replaces it when it is gone"] if not about.get("owners") else []
        case "Job":
            lines = [
                f"{about['succeeded']} of {about.get('desired', 1)} completions; "
                f"{about['active']} active, {about['failed']} failed; retries at most {about.get('backoff_limit', 6)}"
            ]
            return lines + (["suspended"] if about.get("suspended") else [])
        case "CronJob":
            lines = [f"schedule {about.get('schedule')}{', suspended' if about.get('suspended') else ''}"]
            lines += [
                f"last {what} {ago(about[key], now)}"
                for what, key in (("scheduled", "last_scheduled_at"), ("succeeded", "last_succeeded_at"))
                if about.get(key)
            ]
            return lines + [
                f"Job {job['name']}, created {ago(job['created_at'], now)}: "
                f"{job['active']} active, {job['succeeded']} succeeded, {job['failed']} failed"
                for job in about.get("jobs", [])
            ]
        case _:
            counts = ", ".join(
                f"{about[key]} {key}"
                for key in ("desired", "updated", "ready", "available", "unavailable")
                if key in about
            )
            return [f"replicas: {counts}"]


def render_condition(one: Mapping[str, Any], now: int) -> str:
    """Write a condition in one line."""
    since = f" since {ago(one['since'], now)}".replace(" ago", "") if one.get("since") else ""
    said = ": ".join(part for part in (one.get("reason", ""), one_line(one.get("message", ""))) if part)
    return f"condition {one['type']}={one['status']}{since}{f' ({said})' if said else ''}"


def _is_good(one: Mapping[str, Any]) -> bool:
    return (one["type"], one["status"]) in _GOOD_CONDITIONS


def _container_lines(one: Mapping[str, Any]) -> list[str]:
    kind = "init container" if one.get("init") else "container"
    lines = [f"{kind} {one['name']}: image {one.get('image')}"]
    resources = [
        f"{what} " + ", ".join(f"{key}={value}" for key, value in one[what].items())
        for what in ("requests", "limits")
        if one.get(what)
    ]
    if resources:
        lines.append("  " + "; ".join(resources))
    if one.get("command"):
        lines.append(f"  command {one_line(one['command'], 300)}")
    lines += [f"  {kind} {one[kind]}" for kind in ("startup", "liveness", "readiness") if one.get(kind)]
    return lines
