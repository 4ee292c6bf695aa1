"""The subject: which workload an incident is about, first as its labels say, then as the cluster knows it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from bot.clients.kubernetes import Kubernetes, is_name
from bot.domain.incident import Subject
from bot.evidence.reading import Unreadable, get, get_or_none, items, selector

# Labels that name a kind of object. Those of a controller come before the pod's: kube-state-metrics' series about a
# Deployment carry its own pod's label beside.
_NAMED = (
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("cronjob", "CronJob"),
    ("job_name", "Job"),
    ("replicaset", "ReplicaSet"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("pod", "Pod"),
    ("pod_name", "Pod"),
    ("kubernetes_pod_name", "Pod"),
)
_NODES = ("node", "nodename")
# Pairs of labels that name an owner: the kubernetes-mixin's and kube-state-metrics'.
_OWNERS = (("workload_type", "workload"), ("owner_kind", "owner_name"), ("created_by_kind", "created_by_name"))
_NAMESPACES = ("namespace", "kubernetes_namespace")
# Labels that often carry the name of a workload, or of a Service before it.
_GUESSES = ("app_kubernetes_io_name", "app", "k8s_app", "service", "service_name", "container", "job")
# Whoever measured, rather than who was measured.
_EXPORTERS = ("kube-state-metrics", "node-exporter", "cadvisor", "kubelet")

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet")
_GUESSED_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Service", "Pod")
_OWNING_KINDS = {kind.lower(): kind for kind in (*WORKLOADS, "Pod")}
# A pod's name is its controller's and a suffix: five characters, or a StatefulSet's ordinal.
_SUFFIX = re.compile(r"-([a-z0-9]{5}|[0-9]{1,4})\Z")


def of_alerts(alerts: Sequence[Mapping[str, str]], *, cluster: str | None, cluster_label: str) -> Subject:
    """Say what a group's alerts (their label sets) are about. Pure; labels are hostile, so only proper names count.

    What all have in common comes first, then what the first alert that names an object says. ``kind`` is empty for a
    name that is only a guess, and ``name`` too when no label tells.
    """
    common = dict(set.intersection(*(set(labels.items()) for labels in alerts))) if alerts else {}
    kind, name, labels = _chosen([common, *alerts])
    namespace = "" if kind == "Node" else _namespace(labels) or _namespace(common)
    return Subject(cluster=cluster, cluster_label=cluster_label, namespace=namespace, kind=kind, name=name)


def _chosen(label_sets: Sequence[Mapping[str, str]]) -> tuple[str, str, Mapping[str, str]]:
    """Return the first sure candidate, else the first guess, with the labels it is from. Looks no further than it must:
    a storm has thousands of alerts."""
    guess = None
    for labels in label_sets:
        for kind, name in _candidates(labels):
            if kind:
                return kind, name, labels
            guess = guess or (kind, name, labels)
    return guess or ("", "", label_sets[0])


def _namespace(labels: Mapping[str, str]) -> str:
    names = ["exported_namespace", *_NAMESPACES]
    return next((labels[name] for name in names if is_name(labels.get(name, ""))), "")


def _candidates(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (kind, name), the surest first; an empty kind is a guess."""
    measured = {key: value for key, value in labels.items() if not any(name in value for name in _EXPORTERS)}
    if any(key.startswith("exported_") for key in labels):
        # Prometheus renamed what the exporter said: the plain labels are the exporter's own.
        own = {"namespace", "pod", "container", "service", "job", "node", "instance"}
        measured = {key: value for key, value in measured.items() if key not in own}
        measured |= {
            key.removeprefix("exported_"): value for key, value in labels.items() if key.startswith("exported_")
        }
    for label, kind in _NAMED:
        if label == "pod":
            yield from _owner(measured)
            if "job" in measured.get("alertname", "").lower() and is_name(measured.get("job", "")):
                yield "Job", measured["job"]
        if is_name(measured.get(label, "")):
            yield kind, measured[label]
    for label in _NODES:
        if is_name(measured.get(label, "")):
            yield "Node", measured[label]
    if "node-exporter" in labels.get("job", ""):
        host = labels.get("instance", "").rsplit(":", 1)[0]
        if is_name(host):
            yield "Node", host
    for guess in (measured, labels):
        for label in _GUESSES:
            name = guess.get(label, "").rsplit("/", 1)[-1]
            if is_name(name):
                yield "", name


def _owner(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for kind_label, name_label in _OWNERS:
        kind = _OWNING_KINDS.get(labels.get(kind_label, "").lower())
        if kind and is_name(labels.get(name_label, "")):
            yield kind, labels[name_label]


@dataclass(frozen=True, slots=True)
class Found:
    """The subject as the cluster knows it: the workload at the top of the chain of owners.

    ``jobs`` are a CronJob's runs that matter. ``pod`` is the one the alert named, if it is still there. ``note`` says
    how it was found when that was not straightforward.
    """

    kind: str
    namespace: str
    name: str
    workload: Mapping[str, Any]
    jobs: tuple[Mapping[str, Any], ...] = ()
    pod: Mapping[str, Any] | None = None
    note: str = ""

    @property
    def uid(self) -> str:
        """The uid of the workload."""
        return str((self.workload.get("metadata") or {}).get("uid") or "")


async def find(subject: Subject, kubernetes: Kubernetes) -> Found:
    """Find the subject in its cluster. Raises ``Unreadable`` with the sentence that says why it cannot be found."""
    kind, namespace, name = subject.kind, subject.namespace, subject.name
    if not name:
        raise Unreadable(
            "the alert names no workload: it has no label such as deployment, statefulset, job_name or pod"
        )
    if kind == "Node":
        return await _node(kubernetes, name)
    if not namespace:
        raise Unreadable(f"the alert names {kind or 'a workload'} {name} but no namespace: add a namespace label to it")
    try:
        match kind:
            case "":
                return await _guess(kubernetes, namespace, name)
            case "Pod":
                return await _from_pod_name(kubernetes, namespace, name)
            case "Service":
                return await _from_service(kubernetes, namespace, await get(kubernetes, kind, namespace, name))
            case "HorizontalPodAutoscaler":
                return await _from_autoscaler(kubernetes, namespace, name)
            case "PersistentVolumeClaim":
                return await _from_claim(kubernetes, namespace, name)
            case _ if kind in WORKLOADS:
                return await _climb(kubernetes, kind, namespace, await get(kubernetes, kind, namespace, name))
            case _:
                raise Unreadable(f"{kind} {namespace}/{name} is not a kind of workload that is known here")
    except Unreadable as error:
        if error.status == 404 and await _namespace_missing(kubernetes, namespace):
            sentence = f"namespace {namespace} does not exist in cluster {kubernetes.cluster}"
            raise Unreadable(f"{sentence}, so neither does {kind or 'workload'} {name}", 404) from None
        raise


async def _node(kubernetes: Kubernetes, name: str) -> Found:
    """Find a node by its name, or by the address at which it was measured: some clusters name nodes by theirs."""
    try:
        address = str(ip_address(name))
    except ValueError:
        return Found("Node", "", name, await get(kubernetes, "Node", "", name))
    named = await get_or_none(kubernetes, "Node", "", name)
    if named is not None:
        return Found("Node", "", name, named)
    for node in await items(kubernetes, "Node", ""):
        if address in _internal_addresses(node):
            found = str(node["metadata"]["name"])
            return Found("Node", "", found, node, note=f"it has the address {address} of the alert")
    raise Unreadable(f"no node of cluster {kubernetes.cluster} has the internal address {address}", 404)


def _internal_addresses(node: Mapping[str, Any]) -> list[str]:
    listed = (node.get("status") or {}).get("addresses") or []
    return [str(each.get("address")) for each in listed if each.get("type") == "InternalIP"]


async def _namespace_missing(kubernetes: Kubernetes, namespace: str) -> bool:
    try:
        return await get_or_none(kubernetes, "Namespace", "", namespace) is None
    except Unreadable:
        return False


async def _guess(kubernetes: Kubernetes, namespace: str, name: str) -> Found:
    """Try a bare name as each kind; it must exist as one."""
    answers = await asyncio.gather(
        *(get_or_none(kubernetes, kind, namespace, name) for kind in _GUESSED_KINDS), return_exceptions=True
    )
    for kind, answer in zip(_GUESSED_KINDS, answers, strict=True):
        if isinstance(answer, dict):
            if kind == "Service":
                return await _from_service(kubernetes, namespace, answer)
            return await _climb(kubernetes, kind, namespace, answer)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    if failures:
        raise failures[0]
    raise Unreadable(
        f"nothing in namespace {namespace} of cluster {kubernetes.cluster} has the name {name}: "
        "the alert's labels name a workload only by guess; add a label such as deployment or pod to it",
        404,
    )


async def _from_pod_name(kubernetes: Kubernetes, namespace: str, name: str) -> Found:
    pod = await get_or_none(kubernetes, "Pod", namespace, name)
    if pod is not None:
        return await _climb(kubernetes, "Pod", namespace, pod)
    for kind, owner in _owners_by_name(name):
        found = await get_or_none(kubernetes, kind, namespace, owner)
        if found is not None:
            top = await _climb(kubernetes, kind, namespace, found)
            return replace(top, note=f"pod {name} of the alert is gone; this is the workload it came from, by its name")
    raise Unreadable(
        f"Pod {name} is no longer in namespace {namespace} of cluster {kubernetes.cluster}, "
        "and no workload there has a name it could come from",
        404,
    )


def _owners_by_name(pod: str) -> Iterator[tuple[str, str]]:
    """Yield the controllers that may have made a pod of this name, by how they name their pods."""
    match = _SUFFIX.search(pod)
    if match is None:
        return
    stem = pod[: match.start()]
    if match[1].isdigit():
        yield "StatefulSet", stem
    if len(match[1]) == 5:
        yield "ReplicaSet", stem
        if "-" in stem:
            yield "Deployment", stem.rsplit("-", 1)[0]
        yield "DaemonSet", stem
        yield "Job", stem


async def _from_service(kubernetes: Kubernetes, namespace: str, service: Mapping[str, Any]) -> Found:
    name = str(service["metadata"]["name"])
    labels = (service.get("spec") or {}).get("selector") or {}
    if not labels:
        raise Unreadable(f"Service {namespace}/{name} selects no pods: it has no selector")
    pods = await items(kubernetes, "Pod", namespace, {"labelSelector": selector({"matchLabels": labels})}, limit=20)
    if not pods:
        workload = await get_or_none(kubernetes, "Deployment", namespace, name)
        if workload is not None:
            return await _climb(kubernetes, "Deployment", namespace, workload)
        raise Unreadable(
            f"Service {namespace}/{name} of cluster {kubernetes.cluster} selects no pods: none has the labels "
            f"{selector({'matchLabels': labels})}"
        )
    found = await _climb(kubernetes, "Pod", namespace, pods[0])
    return replace(found, pod=None, note=f"found by the selector of Service {name}")


async def _from_autoscaler(kubernetes: Kubernetes, namespace: str, name: str) -> Found:
    kind, target = "Deployment", name
    try:
        autoscaler = await get(kubernetes, "HorizontalPodAutoscaler", namespace, name)
        reference = (autoscaler.get("spec") or {}).get("scaleTargetRef") or {}
        kind, target = str(reference.get("kind")), str(reference.get("name"))
    except Unreadable as error:
        if error.status not in (403, 404):
            raise
    if kind not in WORKLOADS or not is_name(target):
        raise Unreadable(f"HorizontalPodAutoscaler {namespace}/{name} scales a {kind}, which is not known here")
    found = await _climb(kubernetes, kind, namespace, await get(kubernetes, kind, namespace, target))
    return replace(found, note=f"the target of HorizontalPodAutoscaler {name}")


async def _from_claim(kubernetes: Kubernetes, namespace: str, name: str) -> Found:
    for pod in await items(kubernetes, "Pod", namespace):
        if name in claims(pod.get("spec") or {}):
            found = await _climb(kubernetes, "Pod", namespace, pod)
            return replace(found, note=f"it mounts PersistentVolumeClaim {name} of the alert")
    raise Unreadable(
        f"no pod in namespace {namespace} of cluster {kubernetes.cluster} mounts PersistentVolumeClaim {name}"
    )


def claims(spec: Mapping[str, Any]) -> list[str]:
    """Name the PersistentVolumeClaims that a pod's spec mounts."""
    volumes = [volume.get("persistentVolumeClaim") or {} for volume in spec.get("volumes") or []]
    return [str(claim["claimName"]) for claim in volumes if claim.get("claimName")]


async def _climb(kubernetes: Kubernetes, kind: str, namespace: str, found: Mapping[str, Any]) -> Found:
    """Follow controllers upwards as far as they can be read: pod, ReplicaSet, Deployment; Job, CronJob."""
    pod = found if kind == "Pod" else None
    job: Mapping[str, Any] | None = None
    for _ in range(4):
        if kind == "Job":
            job = found
        owner = controller(found)
        if owner.get("kind") not in WORKLOADS or not is_name(str(owner.get("name"))):
            break
        try:
            above = await get_or_none(kubernetes, str(owner["kind"]), namespace, str(owner["name"]))
        except Unreadable:
            break
        if above is None or above["metadata"].get("uid") != owner.get("uid"):
            break
        kind, found = str(owner["kind"]), above
    jobs: tuple[Mapping[str, Any], ...] = ()
    if kind == "CronJob":
        jobs = (job,) if job is not None else await _newest_jobs(kubernetes, namespace, found)
    return Found(kind, namespace, str(found["metadata"]["name"]), found, jobs=jobs, pod=pod)


async def _newest_jobs(
    kubernetes: Kubernetes, namespace: str, cron_job: Mapping[str, Any]
) -> tuple[Mapping[str, Any], ...]:
    try:
        jobs = await items(kubernetes, "Job", namespace)
    except Unreadable:
        return ()
    uid = cron_job["metadata"].get("uid")
    own = [job for job in jobs if controller(job).get("uid") == uid]
    return tuple(sorted(own, key=lambda job: str(job["metadata"].get("creationTimestamp")), reverse=True)[:3])


def controller(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the owner reference of the object's controller, or an empty mapping."""
    references = (found.get("metadata") or {}).get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), {})
