"""The kinds of Kubernetes objects that runbooks touch: their paths, and the verbs a Role grants on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.clients.kubernetes import is_name


@dataclass(frozen=True, slots=True, order=True)
class Verb:
    """One right as RBAC knows it, within a namespace."""

    group: str
    resource: str
    verb: str

    @property
    def qualified(self) -> str:
        """The resource as kubectl and error messages write it, such as ``deployments.apps``."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


@dataclass(frozen=True, slots=True)
class Resource:
    """A namespaced kind and where the API serves it."""

    api_version: str
    kind: str
    plural: str

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def verb(self, verb: str) -> Verb:
        """The right to ``verb`` this kind."""
        return Verb(self.group, self.plural, verb)

    def path(self, namespace: str, name: str | None = None) -> str:
        """The path of one object, or of the list. Raises ``ValueError`` on what cannot be a name."""
        for given in (namespace, *(() if name is None else (name,))):
            if not is_name(given):
                raise ValueError(f"{given[:80]!r} cannot be the name of a Kubernetes object")
        root = "/apis" if self.group else "/api"
        path = f"{root}/{self.api_version}/namespaces/{namespace}/{self.plural}"
        return path if name is None else f"{path}/{name}"


DEPLOYMENT = Resource("apps/v1", "Deployment", "deployments")
REPLICA_SET = Resource("apps/v1", "ReplicaSet", "replicasets")
STATEFUL_SET = Resource("apps/v1", "StatefulSet", "statefulsets")
DAEMON_SET = Resource("apps/v1", "DaemonSet", "daemonsets")
POD = Resource("v1", "Pod", "pods")

KINDS: Mapping[str, Resource] = {
    resource.kind: resource for resource in (DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET, POD)
}
