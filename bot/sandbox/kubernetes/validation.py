"""What the API server refuses with 422, field by field, with its own sentences.

Sources: pkg/apis/apps/validation/validation.go, pkg/apis/core/validation/validation.go,
apimachinery/pkg/api/validation/objectmeta.go, apimachinery/pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from bot.sandbox.kubernetes import selectors
from bot.sandbox.kubernetes.status import Cause

Json = dict[str, Any]

_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_QUALIFIED: Final = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_NOT_NEGATIVE: Final = "must be greater than or equal to 0"
_SUBDOMAIN_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LONGEST_GRACE: Final = 10 * 365 * 86_400  # seconds, ours: later dates do not fit everywhere
_MAX_ANNOTATIONS: Final = 256 * 1024  # TotalAnnotationSizeLimitB
MOST_REPLICAS: Final = 500  # ours, not the server's: a slip of the finger shall not eat the machine
_WORKLOADS: Final = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"})


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def invalid_value(field: str, value: Any, why: str) -> Cause:
    """`Invalid value: …`."""
    return Cause(field, "FieldValueInvalid", f"Invalid value: {_shown(value)}: {why}")


def required(field: str, why: str = "") -> Cause:
    """`Required value`."""
    return Cause(field, "FieldValueRequired", "Required value" + (f": {why}" if why else ""))


def forbidden_change(field: str, why: str) -> Cause:
    """`Forbidden: …`."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {why}")


def immutable(field: str, value: Any) -> Cause:
    """A field that cannot change after creation."""
    return invalid_value(field, value, "field is immutable")


def check(kind: str, obj: Json) -> list[Cause]:
    """What is wrong with an object of `kind` in itself."""
    causes = _metadata(obj["metadata"])
    spec = obj.get("spec") or {}
    if kind in _WORKLOADS or kind == "Job":
        causes += _workload(kind, spec)
    elif kind == "Pod":
        causes += _pod_spec(spec, "spec")
        causes += _supported("spec.restartPolicy", spec.get("restartPolicy"), "Always", "OnFailure", "Never")
    elif kind == "CronJob":
        if not spec.get("schedule"):
            causes.append(required("spec.schedule"))
        template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
        causes += _pod_spec(template.get("spec") or {}, "spec.jobTemplate.spec.template.spec")
    elif kind == "PodDisruptionBudget":
        if "minAvailable" in spec and "maxUnavailable" in spec:
            causes.append(invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
        for field in ("minAvailable", "maxUnavailable"):
            causes += _share(spec.get(field, 0), f"spec.{field}")
        causes += _selector(spec.get("selector") or {}, "spec.selector")
    return causes


def check_update(kind: str, new: Json, old: Json) -> list[Cause]:
    """What is wrong with `new` as a successor of `old`, besides what `check` says."""
    causes: list[Cause] = []
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if kind in ("Deployment", "ReplicaSet", "DaemonSet", "Job") and spec.get("selector") != before.get("selector"):
        causes.append(immutable("spec.selector", spec.get("selector")))
    if kind == "Job" and spec.get("template") != before.get("template"):
        causes.append(immutable("spec.template", spec.get("template")))
    if kind == "StatefulSet":
        free = (
            "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
        )  # fmt: skip
        if {k: v for k, v in spec.items() if k not in free} != {k: v for k, v in before.items() if k not in free}:
            causes.append(
                forbidden_change(
                    "spec",
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                    "'minReadySeconds' are forbidden",
                )
            )
    if kind == "Pod" and _frozen_pod(spec) != _frozen_pod(before):
        causes.append(
            forbidden_change(
                "spec",
                "pod updates may not change fields other than `spec.containers[*].image`,"
                "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
                "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
                "(allow it to be set to 1 if it was previously negative)",
            )
        )
    if kind == "ConfigMap" and old.get("immutable") and new.get("data") != old.get("data"):
        causes.append(forbidden_change("data", "field is immutable when `immutable` is set"))
    return causes


def check_scale(replicas: Any) -> list[Cause]:
    """What is wrong with a Scale."""
    return [invalid_value("spec.replicas", replicas, _NOT_NEGATIVE)] if replicas < 0 else []


def _metadata(meta: Json) -> list[Cause]:
    causes: list[Cause] = []
    name = meta.get("name")
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    elif len(name) > 253 or not _DNS_SUBDOMAIN.fullmatch(name):
        causes.append(invalid_value("metadata.name", name, _SUBDOMAIN_RULE))
    causes += _labels(meta.get("labels"), "metadata.labels")
    for i, owner in enumerate(meta.get("ownerReferences") or []):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                causes.append(required(f"metadata.ownerReferences[{i}].{field}"))
    annotations = meta.get("annotations") or {}
    for key in annotations:
        if not _QUALIFIED.fullmatch(key.lower()):
            causes.append(invalid_value("metadata.annotations", key, "name part must be a qualified name"))
    if sum(len(k) + len(v.encode()) for k, v in annotations.items()) > _MAX_ANNOTATIONS:
        causes.append(
            Cause(
                "metadata.annotations", "FieldValueTooLong", f"Too long: may not be more than {_MAX_ANNOTATIONS} bytes"
            )
        )
    return causes


def _labels(labels: Json | None, field: str) -> list[Cause]:
    causes = []
    for key, value in (labels or {}).items():
        if not _QUALIFIED.fullmatch(key):
            causes.append(invalid_value(field, key, "name part must be a qualified name"))
        if not _LABEL_VALUE.fullmatch(value):
            causes.append(
                invalid_value(
                    field,
                    value,
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
                    "'.', and must start and end with an alphanumeric character",
                )
            )
    return causes


def _workload(kind: str, spec: Json) -> list[Cause]:
    causes: list[Cause] = []
    for field in ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds", "parallelism"):
        causes += _share(spec.get(field, 0), f"spec.{field}")
    for field in ("replicas", "parallelism", "completions"):
        if spec.get(field, 0) > MOST_REPLICAS:
            causes.append(invalid_value(f"spec.{field}", spec[field], f"this stand-in runs at most {MOST_REPLICAS}"))
    template = spec.get("template") or {}
    if kind != "Job":
        selector = spec.get("selector")
        labels = (template.get("metadata") or {}).get("labels") or {}
        if not selector:
            causes.append(required("spec.selector"))
        elif wrong := _selector(selector, "spec.selector"):
            causes += wrong
        elif not selectors.matches(selector, labels):
            causes.append(
                invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
            )
    causes += _labels((template.get("metadata") or {}).get("labels"), "spec.template.metadata.labels")
    pod = template.get("spec") or {}
    causes += _pod_spec(pod, "spec.template.spec")
    allowed = ("OnFailure", "Never") if kind == "Job" else ("Always",)
    causes += _supported("spec.template.spec.restartPolicy", pod.get("restartPolicy"), *allowed)
    if kind in ("StatefulSet", "DaemonSet"):
        update = spec.get("updateStrategy") or {}
        causes += _supported("spec.updateStrategy.type", update.get("type"), "RollingUpdate", "OnDelete")
        causes += _rolling_update(kind, update)
    if kind == "Deployment":
        causes += _strategy(spec)
    return causes


def _rolling_update(kind: str, update: Json) -> list[Cause]:
    """ValidateStatefulSetSpec and ValidateRollingUpdateDaemonSet (pkg/apis/apps/validation)."""
    field, rolling = "spec.updateStrategy.rollingUpdate", update.get("rollingUpdate") or {}
    causes = _share(rolling.get("maxUnavailable", 1), f"{field}.maxUnavailable")
    if kind == "StatefulSet":
        if update.get("type") == "OnDelete" and "rollingUpdate" in update:
            causes.append(invalid_value(field, rolling, "only allowed for updateStrategy 'RollingUpdate'"))
        return causes + _share(rolling.get("partition", 0), f"{field}.partition")
    surge = rolling.get("maxSurge", 0)
    causes += _share(surge, f"{field}.maxSurge")
    if update.get("type") != "RollingUpdate" or causes:
        return causes
    has_surge, has_unavailable = (str(each).rstrip("%") != "0" for each in (surge, rolling.get("maxUnavailable", 1)))
    if has_surge and has_unavailable:
        causes.append(invalid_value(f"{field}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    elif has_surge:
        causes.append(invalid_value(f"{field}.maxSurge", surge, "this stand-in replaces pods without surge"))
    elif not has_unavailable:
        causes.append(required(f"{field}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return causes


def _share(value: int | str, field: str) -> list[Cause]:
    """An int-or-percentage that is not negative."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,9}%", value):
        return [invalid_value(field, value, "must be an integer or percentage (e.g '5%')")]
    if isinstance(value, int) and value < 0:
        return [invalid_value(field, value, _NOT_NEGATIVE)]
    return []


def _selector(selector: Json, field: str) -> list[Cause]:
    causes: list[Cause] = []
    for i, rule in enumerate(selector.get("matchExpressions") or []):
        at = f"{field}.matchExpressions[{i}]"
        if not rule.get("key"):
            causes.append(required(f"{at}.key"))
        if rule.get("operator") not in ("In", "NotIn", "Exists", "DoesNotExist"):
            causes.append(invalid_value(f"{at}.operator", rule.get("operator"), "not a valid selector operator"))
        elif ("In" in rule["operator"]) is not bool(rule.get("values")):
            why = "must be specified when `operator` is 'In' or 'NotIn', and only then"
            causes.append(required(f"{at}.values", why))
    return causes


def _supported(field: str, value: Any, *values: str) -> list[Cause]:
    if value in values:
        return []
    listed = ", ".join(f'"{known}"' for known in values)
    message = f"Unsupported value: {_shown(value)}: supported values: {listed}"
    return [Cause(field, "FieldValueNotSupported", message)]


def _strategy(spec: Json) -> list[Cause]:
    causes: list[Cause] = []
    strategy = spec.get("strategy") or {}
    causes += _supported("spec.strategy.type", strategy.get("type"), "Recreate", "RollingUpdate")
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate"):
        causes.append(
            forbidden_change("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
        )
    rolling = strategy.get("rollingUpdate") or {}
    for field in ("maxSurge", "maxUnavailable"):
        causes += _share(rolling.get(field, 0), f"spec.strategy.rollingUpdate.{field}")
    if strategy.get("type") == "RollingUpdate" and all(
        rolling.get(field) in (0, "0%") for field in ("maxSurge", "maxUnavailable")
    ):
        causes.append(
            invalid_value(
                "spec.strategy.rollingUpdate.maxUnavailable",
                rolling["maxUnavailable"],
                "may not be 0 when `maxSurge` is 0",
            )
        )
    deadline = spec.get("progressDeadlineSeconds")
    if isinstance(deadline, int) and deadline <= spec.get("minReadySeconds", 0):
        causes.append(invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes


def _pod_spec(spec: Json, field: str) -> list[Cause]:
    causes: list[Cause] = []
    containers = spec.get("containers") or []
    grace = spec.get("terminationGracePeriodSeconds", 0)
    if not 0 <= grace <= LONGEST_GRACE:
        causes.append(invalid_value(f"{field}.terminationGracePeriodSeconds", grace, _NOT_NEGATIVE))
    if not containers:
        causes.append(required(f"{field}.containers"))
    seen: set[str] = set()
    for i, container in enumerate(containers):
        at = f"{field}.containers[{i}]"
        name = container.get("name")
        if not name:
            causes.append(required(f"{at}.name"))
        elif not _DNS_LABEL.fullmatch(name):
            causes.append(invalid_value(f"{at}.name", name, _SUBDOMAIN_RULE.replace("subdomain", "label", 1)))
        elif name in seen:
            causes.append(Cause(f"{at}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"'))
        seen.add(str(name))
        if not container.get("image"):
            causes.append(required(f"{at}.image"))
        elif container["image"] != container["image"].strip():
            causes.append(
                invalid_value(f"{at}.image", container["image"], "must not have leading or trailing whitespace")
            )
        for j, env in enumerate(container.get("env") or []):
            if not env.get("name"):
                causes.append(required(f"{at}.env[{j}].name"))
            elif "value" in env and env.get("value") and env.get("valueFrom"):
                causes.append(
                    invalid_value(f"{at}.env[{j}].valueFrom", "", "may not be specified when `value` is not empty")
                )
        for j, port in enumerate(container.get("ports") or []):
            number = port.get("containerPort", 0)
            if not 1 <= number <= 65535:
                causes.append(
                    invalid_value(f"{at}.ports[{j}].containerPort", number, "must be between 1 and 65535, inclusive")
                )
    return causes


def _frozen_pod(spec: Json) -> Json:
    free = ("containers", "initContainers", "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
    frozen = {key: value for key, value in spec.items() if key not in free}
    for field in ("containers", "initContainers"):
        frozen[field] = [
            {key: value for key, value in container.items() if key != "image"} for container in spec.get(field) or []
        ]
    return frozen
