"""The kinds of things that runbooks touch: where the Kubernetes API serves them, and the verbs of RBAC on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.clients.kubernetes import is_name


@dataclass(frozen=True, slots=True, order=True)
class Verb:
    """One right as RBAC knows it: within a namespace, or ``cluster_wide``."""

    group: str
    resource: str
    verb: str
    cluster_wide: bool = False

    @property
    def qualified(self) -> str:
        """The resource as kubectl and error messages write it, such as ``deployments.apps``."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind and where the API serves it. What is not Kubernetes' own has no path and takes no verb of RBAC."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def in_kubernetes(self) -> bool:
        """Whether the Kubernetes API serves it."""
        return self.api_version not in _ELSEWHERE

    def verb(self, verb: str, subresource: str = "", *, cluster_wide: bool = False) -> Verb:
        """The right to ``verb`` this kind, or a subresource of it."""
        resource = f"{self.plural}/{subresource}" if subresource else self.plural
        return Verb(self.group, resource, verb, cluster_wide or not self.namespaced)

    def path(self, namespace: str = "", name: str | None = None, subresource: str = "") -> str:
        """The path of one object, or of the list; without a namespace, of the list of all namespaces.

        Raises ``ValueError`` on what cannot be a name.
        """
        needed = (namespace,) if namespace or (self.namespaced and name is not None) else ()
        for given in (*needed, *(() if name is None else (name,))):
            if not is_name(given):
                raise ValueError(f"{given[:80]!r} cannot be the name of a Kubernetes object")
        root = f"{'/apis' if self.group else '/api'}/{self.api_version}"
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        parts = [
            f"{root}{scope}",
            self.plural,
            *(() if name is None else (name,)),
            *((subresource,) if subresource else ()),
        ]
        return "/".join(parts)


ALERTMANAGER_API = "alertmanager/v2"
ENDPOINT_API = "signoff/v1"
GITHUB_API = "github/v3"
_ELSEWHERE = frozenset({ALERTMANAGER_API, ENDPOINT_API, GITHUB_API})

DEPLOYMENT = Resource("apps/v1", "Deployment", "deployments")
REPLICA_SET = Resource("apps/v1", "ReplicaSet", "replicasets")
STATEFUL_SET = Resource("apps/v1", "StatefulSet", "statefulsets")
DAEMON_SET = Resource("apps/v1", "DaemonSet", "daemonsets")
CONTROLLER_REVISION = Resource("apps/v1", "ControllerRevision", "controllerrevisions")
POD = Resource("v1", "Pod", "pods")
CONFIG_MAP = Resource("v1", "ConfigMap", "configmaps")
NODE = Resource("v1", "Node", "nodes", namespaced=False)
JOB = Resource("batch/v1", "Job", "jobs")
CRON_JOB = Resource("batch/v1", "CronJob", "cronjobs")
AUTOSCALER = Resource("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
SILENCE = Resource(ALERTMANAGER_API, "Silence", "silences", namespaced=False)
"""A silence of the Alertmanager that is configured for the cluster."""
ENDPOINT = Resource(ENDPOINT_API, "Endpoint", "endpoints", namespaced=False)
"""An HTTP address that the configuration lists by name."""
PULL_REQUEST = Resource(GITHUB_API, "PullRequest", "pullrequests")
ISSUE = Resource(GITHUB_API, "Issue", "issues")
WORKFLOW = Resource(GITHUB_API, "Workflow", "workflows")
WORKFLOW_RUN = Resource(GITHUB_API, "WorkflowRun", "workflowruns")
"""What is on GitHub: its namespace is the repository, OWNER/NAME, and its name a number or a workflow's file."""

KINDS: Mapping[str, Resource] = {
    resource.kind: resource
    for resource in (
        DEPLOYMENT,
        REPLICA_SET,
        STATEFUL_SET,
        DAEMON_SET,
        POD,
        CONFIG_MAP,
        NODE,
        JOB,
        CRON_JOB,
        SILENCE,
        ENDPOINT,
        PULL_REQUEST,
        ISSUE,
        WORKFLOW,
        WORKFLOW_RUN,
    )
}


def in_kubernetes(kinds: Iterable[str]) -> bool:
    """Say whether any of these kinds is Kubernetes' own, or unknown here: then a cluster's runner is needed."""
    return any(kind not in KINDS or KINDS[kind].in_kubernetes for kind in kinds)
