"""Reading from a cluster: where each kind lives in the API, and in a sentence why a reading failed and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.clients.kubernetes import Kubernetes, KubernetesError, KubernetesUnreachable
from bot.evidence.lines import one_line

MAX_ITEMS = 500


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object, and the words RBAC has for it."""

    kind: str
    group: str
    version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """The path of the list, of one object, or of its subresource."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/" + "/".join(parts)


KINDS: Mapping[str, Resource] = {
    resource.kind: resource
    for resource in (
        Resource("Pod", "", "v1", "pods"),
        Resource("Service", "", "v1", "services"),
        Resource("Event", "", "v1", "events"),
        Resource("Deployment", "apps", "v1", "deployments"),
        Resource("ReplicaSet", "apps", "v1", "replicasets"),
        Resource("StatefulSet", "apps", "v1", "statefulsets"),
        Resource("DaemonSet", "apps", "v1", "daemonsets"),
        Resource("ControllerRevision", "apps", "v1", "controllerrevisions"),
        Resource("Job", "batch", "v1", "jobs"),
        Resource("CronJob", "batch", "v1", "cronjobs"),
        Resource("HorizontalPodAutoscaler", "autoscaling", "v2", "horizontalpodautoscalers"),
        Resource("Node", "", "v1", "nodes", namespaced=False),
        Resource("Namespace", "", "v1", "namespaces", namespaced=False),
    )
}


class Unreadable(Exception):
    """A reading failed. The message is a sentence for a person; ``status`` is the server's answer, if there was one."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


async def get(kubernetes: Kubernetes, kind: str, namespace: str, name: str) -> dict[str, Any]:
    """Read one object. Raises ``Unreadable``."""
    resource = KINDS[kind]
    try:
        return await kubernetes.get(resource.path(namespace, name))
    except (KubernetesError, KubernetesUnreachable) as error:
        raise unreadable(error, kubernetes, "get", resource, namespace, name) from None


async def get_or_none(kubernetes: Kubernetes, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    """Read one object; None if there is no such object. Raises ``Unreadable`` for every other failure."""
    try:
        return await get(kubernetes, kind, namespace, name)
    except Unreadable as error:
        if error.status == 404:
            return None
        raise


async def items(
    kubernetes: Kubernetes, kind: str, namespace: str, query: Mapping[str, str] | None = None, *, limit: int = MAX_ITEMS
) -> list[dict[str, Any]]:
    """Read a list, at most ``limit`` objects. Raises ``Unreadable``."""
    resource = KINDS[kind]
    try:
        return await kubernetes.items(resource.path(namespace), query, limit=limit)
    except (KubernetesError, KubernetesUnreachable) as error:
        raise unreadable(error, kubernetes, "list", resource, namespace) from None


def unreadable(
    error: KubernetesError | KubernetesUnreachable,
    kubernetes: Kubernetes,
    verb: str,
    resource: Resource,
    namespace: str,
    name: str = "",
    subresource: str = "",
) -> Unreadable:
    """Say what was tried, why it failed and what to do about it."""
    plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
    where = f"in namespace {namespace} of cluster {kubernetes.cluster}"
    scope = "Role"
    if not resource.namespaced:
        where, scope = f"in cluster {kubernetes.cluster}", "ClusterRole"
    if isinstance(error, KubernetesUnreachable):
        return Unreadable(f"could not {verb} {plural} {where}: {error}")
    match error.status:
        case 401:
            sentence = (
                f"cluster {kubernetes.cluster} does not accept the credentials of identity {kubernetes.identity}: "
                "renew its token or certificate"
            )
        case 403:
            group = f' (apiGroup "{resource.group}")' if resource.group else ""
            sentence = (
                f"identity {kubernetes.identity} may not {verb} {plural} {where}: "
                f"grant it the verb {verb} on {plural}{group} with a {scope}"
            )
        case 404:
            sentence = f"{resource.kind} {name} was not found {where}" if name else f"there are no {plural} {where}"
        case _:
            said = f"{error.status} {one_line(error.message, 300)}" if error.status else one_line(error.message, 300)
            sentence = f"could not {verb} {plural} {where}: {said}"
    return Unreadable(sentence, error.status)


def selector(spec: Mapping[str, Any]) -> str:
    """Write a label selector object (``matchLabels``, ``matchExpressions``) as the API's query string has it."""
    parts = [f"{key}={value}" for key, value in (spec.get("matchLabels") or {}).items()]
    for rule in spec.get("matchExpressions") or []:
        key, values = rule.get("key"), ",".join(rule.get("values") or [])
        match rule.get("operator"):
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(f"{key}")
            case "DoesNotExist":
                parts.append(f"!{key}")
    return ",".join(parts)
