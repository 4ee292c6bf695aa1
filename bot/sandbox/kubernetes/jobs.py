"""The Job controller: pods until enough have succeeded or too many have failed.

Source: pkg/controller/job/job_controller.go; without indexes, deadlines and suspension's clean-up.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.kubernetes.clock import rfc3339
from bot.sandbox.kubernetes.disruption import is_ready
from bot.sandbox.kubernetes.resources import JOBS, PODS
from bot.sandbox.kubernetes.store import Store
from bot.sandbox.kubernetes.workloads import end_pod, make_pod, owned_by

Json = dict[str, Any]


def sync_jobs(store: Store) -> None:
    """One step of every Job."""
    for job in list(store.list(JOBS)):
        if "deletionTimestamp" not in job["metadata"]:
            _step(store, job)


def labels(job: Json) -> Json:
    """The labels that tie a Job's pods to it."""
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    return {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }


def _step(store: Store, job: Json) -> None:
    spec, before = job["spec"], job.get("status") or {}
    if any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in before.get("conditions") or []):
        return
    now = rfc3339(store.now())
    pods = owned_by(store, PODS, job)
    succeeded = len([pod for pod in pods if pod["status"]["phase"] == "Succeeded"])
    failed = len([pod for pod in pods if pod["status"]["phase"] == "Failed"])
    active = [
        pod
        for pod in pods
        if pod["status"]["phase"] in ("Pending", "Running") and "deletionTimestamp" not in pod["metadata"]
    ]
    restarts = sum(
        status.get("restartCount", 0) for pod in active for status in pod["status"].get("containerStatuses") or []
    )
    conditions: list[Json] = []
    extra: Json = {}
    if failed + restarts > spec["backoffLimit"]:
        conditions = [_condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit", now)]
        for pod in active:
            end_pod(store, pod, now)
        active = []
        _tell(store, job, "Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    elif succeeded >= spec["completions"]:
        conditions = [_condition("Complete", "CompletionsReached", "Reached expected number of succeeded pods", now)]
        extra = {"completionTime": now}
        _tell(store, job, "Normal", "Completed", "Job completed")
    elif not spec["suspend"]:
        for _ in range(min(spec["parallelism"], spec["completions"] - succeeded) - len(active)):
            pod = make_pod(store, JOBS, job, f"{job['metadata']['name']}-{store.suffix()}", labels(job))
            _tell(store, job, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
            active.append(pod)
    counts = {"active": len(active), "succeeded": succeeded, "failed": failed}
    status = {
        **({"conditions": conditions} if conditions else {}),
        "startTime": before.get("startTime", now),
        **extra,
        **{key: value for key, value in counts.items() if value},
        "ready": len([pod for pod in active if is_ready(pod)]),
    }
    store.set_status(JOBS, job, status)


def _condition(kind: str, reason: str, message: str, now: str) -> Json:
    return {
        "type": kind,
        "status": "True",
        "lastProbeTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def _tell(store: Store, job: Json, kind: str, reason: str, message: str) -> None:
    store.event(job, kind, reason, message, component="job-controller")
