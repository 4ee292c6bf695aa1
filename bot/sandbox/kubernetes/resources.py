"""The table of resource types that the stand-in serves, and how a request path names them.

Source: the API reference (https://kubernetes.io/docs/reference/kubernetes-api/) for names and scopes,
apiserver/pkg/endpoints/request/requestinfo.go for verbs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Resource:
    """One type: where it lives in the API and which model of the official client describes it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    model: str = ""
    counts_generations: bool = True

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`deployments.apps`, as the server's sentences name the type."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def client_model(self) -> str:
        """The class in `kubernetes.client` with the fields of this type."""
        return self.model or f"{self.version.capitalize()}{self.kind}"


NAMESPACES: Final = Resource("", "v1", "Namespace", "namespaces", False, short_names=("ns",), counts_generations=False)
NODES: Final = Resource("", "v1", "Node", "nodes", False, short_names=("no",), counts_generations=False)
PODS: Final = Resource("", "v1", "Pod", "pods", True, ("eviction", "log"), ("po",))
SERVICES: Final = Resource("", "v1", "Service", "services", short_names=("svc",), counts_generations=False)
CONFIG_MAPS: Final = Resource("", "v1", "ConfigMap", "configmaps", short_names=("cm",), counts_generations=False)
EVENTS: Final = Resource(
    "", "v1", "Event", "events", short_names=("ev",), model="CoreV1Event", counts_generations=False
)
DEPLOYMENTS: Final = Resource("apps", "v1", "Deployment", "deployments", True, ("scale",), ("deploy",))
REPLICA_SETS: Final = Resource("apps", "v1", "ReplicaSet", "replicasets", True, ("scale",), ("rs",))
STATEFUL_SETS: Final = Resource("apps", "v1", "StatefulSet", "statefulsets", True, ("scale",), ("sts",))
DAEMON_SETS: Final = Resource("apps", "v1", "DaemonSet", "daemonsets", short_names=("ds",))
CONTROLLER_REVISIONS: Final = Resource(
    "apps", "v1", "ControllerRevision", "controllerrevisions", counts_generations=False
)
JOBS: Final = Resource("batch", "v1", "Job", "jobs")
CRON_JOBS: Final = Resource("batch", "v1", "CronJob", "cronjobs", short_names=("cj",))
DISRUPTION_BUDGETS: Final = Resource(
    "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short_names=("pdb",)
)
AUTOSCALERS: Final = Resource(
    "autoscaling",
    "v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    short_names=("hpa",),
    counts_generations=False,
)

SERVED: Final = (
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    CONFIG_MAPS,
    EVENTS,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    DAEMON_SETS,
    CONTROLLER_REVISIONS,
    JOBS,
    CRON_JOBS,
    DISRUPTION_BUDGETS,
    AUTOSCALERS,
)

ACCESS_REVIEWS: Final = Resource(
    "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False
)
RULES_REVIEWS: Final = Resource(
    "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", False
)
REVIEWS: Final = (ACCESS_REVIEWS, RULES_REVIEWS)

_BY_PATH: Final = {(r.group, r.version, r.plural): r for r in (*SERVED, *REVIEWS)}
_BY_KIND: Final = {(r.api_version, r.kind): r for r in SERVED}


def find(group: str, version: str, plural: str) -> Resource | None:
    """The served type at this place of the API, if any."""
    return _BY_PATH.get((group, version, plural))


def of_object(api_version: object, kind: object) -> Resource | None:
    """The served type of an object, by its `apiVersion` and `kind`."""
    return _BY_KIND.get((str(api_version), str(kind)))


@dataclass(frozen=True)
class RequestInfo:
    """What a request is about, in the words that authorisation uses.

    `verb` is get, list, watch, create, update, patch, delete or deletecollection; for a path outside of
    the resource API it is the lower-case method, and `resource` is empty.
    """

    verb: str
    path: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def is_resource(self) -> bool:
        """Whether the path is one of the resource API."""
        return bool(self.resource)

    @property
    def resource_path(self) -> str:
        """`deployments/scale`: the way RBAC writes resource and subresource."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


_NAMED_VERBS: Final = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
_COLLECTION_VERBS: Final = {
    "GET": "list",
    "POST": "create",
    "DELETE": "deletecollection",
    "PUT": "update",
    "PATCH": "patch",
}


def request_info(method: str, path: str, *, watch: bool = False, selected_name: str = "") -> RequestInfo:
    """Read what `method path` asks for. `selected_name` is the name in a `metadata.name=` field selector,
    which the server takes as the request's name (requestinfo.go does so for list and watch)."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(method.lower(), path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2:
            rest = rest[2:]
    resource = rest[0]
    name = rest[1] if len(rest) > 1 else ""
    subresource = "/".join(rest[2:])
    verb = (_NAMED_VERBS if name else _COLLECTION_VERBS).get(method, method.lower())
    if method == "GET" and watch:
        verb = "watch"
    if verb in ("list", "watch", "deletecollection") and selected_name:
        name = selected_name
    return RequestInfo(verb, path, group, version, resource, subresource, namespace, name)
