"""What a write means: create, update, patch, scale, delete and evict, really or as a dry run.

Sources: apiserver/pkg/registry/rest/{create,update,delete,meta}.go and generic/registry/{store,dryrun}.go
(metadata, preconditions, dry run), pkg/registry/apps/deployment/strategy.go (generation),
pkg/registry/core/pod/storage/eviction.go (disruption budgets),
https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.sandbox.kubernetes import disruption, jobs, patches, schema, selectors, validation
from bot.sandbox.kubernetes.clock import rfc3339
from bot.sandbox.kubernetes.defaults import apply_defaults, qos_class
from bot.sandbox.kubernetes.fields import owned_fields
from bot.sandbox.kubernetes.resources import (
    CONTROLLER_REVISIONS,
    DISRUPTION_BUDGETS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    Resource,
)
from bot.sandbox.kubernetes.status import (
    ApiError,
    Cause,
    already_exists,
    bad_request,
    conflict,
    invalid,
    not_found,
    success,
    too_many_requests,
    unsupported_media_type,
)
from bot.sandbox.kubernetes.store import Store

Json = dict[str, Any]

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
PATCH_TYPES: Final = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH)

_MAX_OPERATIONS: Final = 10_000  # maxJSONPatchOperations in handlers/patch.go
_HAVE_STATUS: Final = frozenset(
    {"Pod", "Node", "Namespace", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob",
     "PodDisruptionBudget", "HorizontalPodAutoscaler", "Service"}
)  # fmt: skip
# Status fields without `omitempty` in k8s.io/api: they are there from the first moment on.
_COUNTED_AT_FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    "ReplicaSet": ("replicas",),
    "StatefulSet": ("replicas", "availableReplicas"),
    "DaemonSet": ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"),
    "PodDisruptionBudget": ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"),
    "HorizontalPodAutoscaler": ("desiredReplicas",),
}


@dataclass(frozen=True)
class Options:
    """How a write is to be made. `manager` is the field manager's name; `trusted` writes (a scenario's) may
    set a status."""

    manager: str = "unknown"
    dry_run: bool = False
    field_validation: str = "Warn"
    trusted: bool = False


@dataclass
class Answer:
    """The object or Status to send, and warnings for its headers."""

    body: Json
    code: int = 200
    warnings: list[str] = field(default_factory=list)


class Registry:
    """The writes of one cluster. Every method either raises ApiError and changes nothing, or is done."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, resource: Resource, namespace: str, name: str) -> Json:
        """The stored object. Raises ApiError 404."""
        found = self._store.get(resource, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found

    def create(self, resource: Resource, namespace: str, body: Json, options: Options) -> Answer:
        """POST to a collection."""
        _check_type(resource, body)
        obj, warnings = _shaped(resource, body, options, patch=None)
        meta: Json = obj.setdefault("metadata", {})
        _check_namespace(resource, meta, namespace)
        if resource.namespaced:
            if self._store.get(NAMESPACES, "", namespace) is None:
                raise not_found(NAMESPACES, namespace)
            meta["namespace"] = namespace
        if meta.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + self._store.suffix()
        if not options.trusted:
            obj.pop("status", None)
        apply_defaults(resource.kind, obj)
        _refuse(resource, meta.get("name", ""), validation.check(resource.kind, obj))
        if self._store.get(resource, namespace if resource.namespaced else "", meta["name"]) is not None:
            raise already_exists(resource, meta["name"])
        meta["uid"] = self._store.new_uid()
        meta["creationTimestamp"] = rfc3339(self._store.now())
        for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation", "managedFields"):
            meta.pop(key, None)
        if resource.counts_generations:
            meta["generation"] = 1
        _first_status(resource, obj)
        meta["managedFields"] = owned_fields([], {}, obj, options.manager, rfc3339(self._store.now()))
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        if not options.dry_run:
            obj = self._store.put(resource, obj)
        return Answer(obj, 201, warnings)

    def replace(self, resource: Resource, namespace: str, name: str, body: Json, options: Options) -> Answer:
        """PUT."""
        _check_type(resource, body)
        old = self.read(resource, namespace, name)
        obj, warnings = _shaped(resource, body, options, patch=None)
        meta: Json = obj.setdefault("metadata", {})
        if meta.get("uid") and meta["uid"] != old["metadata"]["uid"]:
            raise conflict(
                resource,
                name,
                f"Precondition failed: UID in precondition: {meta['uid']}, "
                f"UID in object meta: {old['metadata']['uid']}",
            )
        return Answer(self._update(resource, namespace, name, obj, old, options), 200, warnings)

    def patch(
        self, resource: Resource, namespace: str, name: str, content_type: str, patch: Any, options: Options
    ) -> Answer:
        """PATCH with one of PATCH_TYPES."""
        old = self.read(resource, namespace, name)
        changed = _patched(copy.deepcopy(old), content_type, patch)
        _check_type(resource, changed)
        obj, warnings = _shaped(resource, changed, options, patch=patch)
        return Answer(self._update(resource, namespace, name, obj, old, options), 200, warnings)

    def _update(self, resource: Resource, namespace: str, name: str, obj: Json, old: Json, options: Options) -> Json:
        meta, before = obj.setdefault("metadata", {}), old["metadata"]
        if meta.get("name", "") != name:
            raise bad_request(
                f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({name})"
            )
        _check_namespace(resource, meta, namespace)
        if resource.namespaced:
            meta["namespace"] = namespace
        version = meta.get("resourceVersion")
        if version and not version.isdigit():
            raise _refusal(
                resource,
                name,
                [validation.invalid_value("metadata.resourceVersion", version, "must be an unsigned integer")],
            )
        if version and version != before["resourceVersion"]:
            raise conflict(resource, name)
        if meta.get("uid", before["uid"]) != before["uid"]:
            raise _refusal(resource, name, [validation.immutable("metadata.uid", meta["uid"])])
        for key in (
            "uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp",
            "deletionGracePeriodSeconds", "generateName", "selfLink", "managedFields",
        ):  # fmt: skip
            meta.pop(key, None)
            if key in before:
                meta[key] = before[key]
        if resource.kind in _HAVE_STATUS and not options.trusted:
            obj.pop("status", None)
            if "status" in old:
                obj["status"] = old["status"]
        apply_defaults(resource.kind, obj)
        causes = validation.check(resource.kind, obj) + validation.check_update(resource.kind, obj, old)
        _refuse(resource, name, causes)
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        annotated = resource.kind == "Deployment" and meta.get("annotations") != before.get("annotations")
        if resource.counts_generations and (obj.get("spec") != old.get("spec") or annotated):
            meta["generation"] = before.get("generation", 0) + 1
        meta["managedFields"] = owned_fields(
            before.get("managedFields") or [], old, obj, options.manager, rfc3339(self._store.now())
        )
        if options.dry_run:
            return obj
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and resource != PODS:
            self._store.remove(resource, old)
            return obj
        return self._store.put(resource, obj)

    def write_scale(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Any,
        content_type: str | None,
        options: Options,
    ) -> Answer:
        """PUT (`content_type` None) or PATCH of …/scale."""
        old = self.read(resource, namespace, name)
        before = scale_of(old)
        changed = body if content_type is None else _patched(before, content_type, body)
        if not isinstance(changed, dict):
            raise bad_request("the body is no Scale")
        if changed.get("kind") != "Scale" or changed.get("apiVersion") != "autoscaling/v1":
            raise bad_request(
                f"the object provided is unrecognized (must be of type Scale): got "
                f"{str(changed.get('kind'))[:60]} in {str(changed.get('apiVersion'))[:60]}"
            )
        scale, shape = schema.conform("V1Scale", changed)
        if shape.mistakes:
            raise _unreadable("Scale", "autoscaling/v1", shape.mistakes[0], patch=content_type is not None)
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if causes := validation.check_scale(replicas):
            raise invalid("Scale", "autoscaling", name, causes)
        meta = scale.get("metadata") or {}
        if meta.get("name", name) != name:
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
        if meta.get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]:
            raise conflict(
                resource,
                name,
                f"Precondition failed: UID in precondition: {meta['uid']}, "
                f"UID in object meta: {old['metadata']['uid']}",
            )
        obj = copy.deepcopy(old)
        obj["spec"]["replicas"] = replicas
        if meta.get("resourceVersion"):
            obj["metadata"]["resourceVersion"] = meta["resourceVersion"]
        return Answer(scale_of(self._update(resource, namespace, name, obj, old, options)))

    def delete(self, resource: Resource, namespace: str, name: str, body: Json, options: Options) -> Answer:
        """DELETE of one object; `body` is DeleteOptions.

        A pod that runs is only marked, with its grace period, and goes when the kubelet has stopped it;
        an object with finalizers is only marked too.
        """
        old = self.read(resource, namespace, name)
        body = _typed("DeleteOptions", "v1", body)
        meta = old["metadata"]
        wanted = body.get("preconditions") or {}
        for key, word, hint in (
            ("uid", "UID", "deleted and then recreated"),
            ("resourceVersion", "ResourceVersion", "modified"),
        ):
            if wanted.get(key) and wanted[key] != meta[key]:
                raise ApiError(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on {_kind_name(resource)} "{name}": the {word} in the '
                    f"precondition ({wanted[key]}) does not match the {word} in record ({meta[key]}). "
                    f"The object might have been {hint}",
                    {"name": name, "kind": resource.kind, **({"group": resource.group} if resource.group else {})},
                )
        policy = body.get("propagationPolicy")
        if policy not in (None, "Background", "Foreground", "Orphan"):
            raise invalid(
                "DeleteOptions",
                "meta.k8s.io",
                "",
                [
                    Cause(
                        "propagationPolicy",
                        "FieldValueInvalid",
                        f'Invalid value: "{policy}": must be one of "Foreground", "Background", "Orphan" or null',
                    )
                ],
            )
        if resource == PODS:
            return self._delete_pod(old, body.get("gracePeriodSeconds"), options)
        finalizers = list(meta.get("finalizers") or [])
        if policy == "Foreground" and "foregroundDeletion" not in finalizers:
            finalizers.append("foregroundDeletion")
        if finalizers or resource == NAMESPACES:
            marked = {**old, "metadata": {**meta, **({"finalizers": finalizers} if finalizers else {})}}
            marked["metadata"].setdefault("deletionTimestamp", rfc3339(self._store.now()))
            marked["metadata"].setdefault("deletionGracePeriodSeconds", 0)
            if resource == NAMESPACES:
                marked["status"] = {"phase": "Terminating"}
            return Answer(marked if options.dry_run else self._store.put(resource, marked))
        if not options.dry_run:
            if policy == "Orphan":
                self._orphan_dependents(meta["uid"])
            self._store.remove(resource, old)
        return Answer(success(resource, name, meta["uid"]))

    def _delete_pod(self, pod: Json, grace: Any, options: Options) -> Answer:
        if grace is None:
            grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
        if grace < 0:
            grace = 1  # negative means 1 on the delete path (rest/delete.go)
        grace = min(grace, validation.LONGEST_GRACE)
        marked = {**pod, "metadata": dict(pod["metadata"])}
        if "deletionTimestamp" not in marked["metadata"]:
            marked["metadata"]["deletionTimestamp"] = rfc3339(self._store.now() + grace)
            marked["metadata"]["deletionGracePeriodSeconds"] = grace
            marked["metadata"]["generation"] = marked["metadata"].get("generation", 1) + 1
        if options.dry_run:
            return Answer(marked)
        if grace == 0 or not pod["spec"].get("nodeName"):
            self._store.remove(PODS, pod)
            return Answer(marked)
        return Answer(self._store.put(PODS, marked))

    def _orphan_dependents(self, uid: str) -> None:
        for resource in (REPLICA_SETS, CONTROLLER_REVISIONS, PODS):
            for obj in list(self._store.list(resource)):
                owners = obj["metadata"].get("ownerReferences") or []
                if any(owner["uid"] == uid for owner in owners):
                    kept = [owner for owner in owners if owner["uid"] != uid]
                    meta = {**obj["metadata"], "ownerReferences": kept}
                    if not kept:
                        del meta["ownerReferences"]
                    self._store.put(resource, {**obj, "metadata": meta})

    def evict(self, namespace: str, name: str, body: Json, options: Options) -> Answer:
        """POST …/pods/{name}/eviction: 201, or 429 when the pod's disruption budget forbids it."""
        if body.get("kind", "Eviction") != "Eviction" or body.get("apiVersion", "policy/v1") != "policy/v1":
            raise bad_request("the object provided is unrecognized (must be of type Eviction)")
        body = _typed("Eviction", "policy/v1", body)
        if (body.get("metadata") or {}).get("name") != name:
            raise bad_request("name in URL does not match name in Eviction object")
        delete_options = body.get("deleteOptions") or {}
        dry_run = options.dry_run or delete_options.get("dryRun") == ["All"]
        pod = self.read(PODS, namespace, name)
        if not disruption.can_ignore_budget(pod):
            budgets = [
                budget
                for budget in self._store.list(DISRUPTION_BUDGETS, namespace)
                if (budget["spec"].get("selector") or {})
                and selectors.matches(budget["spec"]["selector"], pod["metadata"].get("labels") or {})
            ]
            if len(budgets) > 1:
                raise ApiError(
                    500,
                    "",
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
                )
            if budgets and (why := self._refused_by(budgets[0], pod)) is not None:
                raise too_many_requests(
                    "Cannot evict pod as it would violate the pod's disruption budget.",
                    {"reason": "DisruptionBudget", "message": why},
                )
        self.delete(PODS, namespace, name, delete_options, Options(options.manager, dry_run, options.field_validation))
        status: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return Answer(status, 201)

    def _refused_by(self, budget: Json, pod: Json) -> str | None:
        current = disruption.measure(budget, list(self._store.list(PODS, budget["metadata"]["namespace"])))
        ready = disruption.is_ready(pod)
        if not ready and current.healthy >= current.desired > 0:
            return None
        if current.allowed > 0:
            return None
        return (
            f"The disruption budget {budget['metadata']['name']} needs {current.desired} healthy pods "
            f"and has {current.healthy} currently"
        )


def scale_of(obj: Json) -> Json:
    """The Scale that shows a workload (pkg/registry/apps/deployment/storage, scaleFromDeployment)."""
    meta, spec = obj["metadata"], obj["spec"]
    replicas = spec.get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            key: meta[key]
            for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
            if key in meta
        },
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": (obj.get("status") or {}).get("replicas", 0),
            "selector": selectors.as_text(spec.get("selector")),
        },
    }


def _kind_name(resource: Resource) -> str:
    # rest/delete.go names the kind here where everything else names the resource
    return f"{resource.kind}.{resource.group}" if resource.group else resource.kind


def _check_type(resource: Resource, body: Json) -> None:
    version, kind = body.get("apiVersion"), body.get("kind")
    if kind and kind != resource.kind:
        raise bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): "
            f"{str(kind)[:80]} in version {str(version)[:80]!r} was sent"
        )
    if version and version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({str(version)[:80]}) does not match the expected API version "
            f"({resource.api_version})"
        )


def _check_namespace(resource: Resource, meta: Mapping[str, Any], namespace: str) -> None:
    if resource.namespaced and meta.get("namespace", namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def _unreadable(kind: str, version: str, mistake: str, *, patch: bool) -> ApiError:
    if patch:
        return invalid("", "", "", [Cause("patch", "FieldValueInvalid", f"Invalid value: {mistake}")])
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {mistake}')


def _typed(kind: str, version: str, body: Json) -> Json:
    """An options object of `kind` with the fields that it has. Raises ApiError 400 on a wrong type."""
    shaped, shape = schema.conform(f"V1{kind}", body)
    if shape.mistakes:
        raise _unreadable(kind, version, shape.mistakes[0], patch=False)
    return dict(shaped)


def _shaped(resource: Resource, body: Json, options: Options, *, patch: Any) -> tuple[Json, list[str]]:
    """The body without fields that its type does not have. What happens with those is the caller's choice."""
    shaped, shape = schema.conform(resource.client_model, body)
    if shape.mistakes:
        raise _unreadable(resource.kind, resource.api_version, shape.mistakes[0], patch=patch is not None)
    unknown = [f'unknown field "{path}"' for path in shape.unknown]
    if unknown and options.field_validation == "Strict":
        problem = "strict decoding error: " + ", ".join(unknown)
        raise _unreadable(resource.kind, resource.api_version, problem, patch=patch is not None)
    for key in ("apiVersion", "kind"):
        shaped.pop(key, None)
    return shaped, unknown if options.field_validation == "Warn" else []


def _patched(current: Json, content_type: str, patch: Any) -> Json:
    try:
        if content_type == STRATEGIC_PATCH:
            changed: Any = patches.strategic_merge(current, patch)
        elif content_type == MERGE_PATCH:
            if not isinstance(patch, dict):
                raise bad_request("Invalid JSON Patch")
            changed = patches.merge_patch(current, patch)
        elif content_type == JSON_PATCH:
            if not isinstance(patch, list):
                raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type "
                                  "[]handlers.jsonPatchOp")  # fmt: skip
            if len(patch) > _MAX_OPERATIONS:
                raise ApiError(
                    413,
                    "RequestEntityTooLarge",
                    f"Request entity too large: The allowed maximum operations in a JSON patch is "
                    f"{_MAX_OPERATIONS}, got {len(patch)}",
                )
            changed = patches.json_patch(current, patch)
        else:
            raise unsupported_media_type(PATCH_TYPES)
    except patches.PatchError as error:
        if content_type == JSON_PATCH:
            raise ApiError(
                422,
                "Invalid",
                "the server rejected our request due to an error in our request",
                {"causes": [{"reason": "UnexpectedServerResponse", "message": str(error)}]},
            ) from error
        raise bad_request(str(error)) from error
    if not isinstance(changed, dict):
        raise bad_request("the patch leaves no object")
    return changed


def _refusal(resource: Resource, name: str, causes: list[Cause]) -> ApiError:
    return invalid(resource.kind, resource.group, name, causes)


def _refuse(resource: Resource, name: str, causes: list[Cause]) -> None:
    if causes:
        raise _refusal(resource, name, causes)


def _first_status(resource: Resource, obj: Json) -> None:
    if resource.kind == "Pod":
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
    elif resource.kind == "Namespace":
        obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
        obj["status"] = {"phase": "Active"}
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
    elif resource.kind == "Job":
        obj["status"] = {}
        meta: Json = obj["spec"]["template"].setdefault("metadata", {})
        meta["labels"] = {**(meta.get("labels") or {}), **jobs.labels(obj)}
        uid_label = "batch.kubernetes.io/controller-uid"
        obj["spec"].setdefault("selector", {"matchLabels": {uid_label: obj["metadata"]["uid"]}})
    elif resource.kind in _HAVE_STATUS:
        obj.setdefault("status", dict.fromkeys(_COUNTED_AT_FIRST.get(resource.kind, ()), 0))
