"""Label and field selectors: which objects a list, a workload or a budget means.

Sources: apimachinery/pkg/labels/selector.go, apimachinery/pkg/fields/selector.go, meta/v1 LabelSelector,
and for the fields of each type the `…ToSelectableFields` functions in pkg/registry and pkg/apis/core/v1/conversion.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.sandbox.kubernetes.status import bad_request

Json = dict[str, Any]
LabelTest = Callable[[Mapping[str, str]], bool]
ObjectTest = Callable[[Json], bool]

_KEY: Final = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE: Final = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_SET: Final = re.compile(rf"\s*(?P<key>{_KEY})\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)\s*")
_EQUAL: Final = re.compile(rf"\s*(?P<key>{_KEY})\s*(?P<op>==|=|!=)\s*(?P<value>{_VALUE})\s*")
_EXISTS: Final = re.compile(rf"\s*(?P<not>!?)\s*(?P<key>{_KEY})\s*")
_VALUE_RE: Final = re.compile(_VALUE)


def label_selector(text: str) -> LabelTest:
    """Compile `a=b,c!=d,e in (f,g),h notin (i),j,!k`. An empty text matches everything.

    Raises ApiError 400 on a text that is no selector.
    """
    tests: list[LabelTest] = []
    at = 0
    while at < len(text):
        for pattern in (_SET, _EQUAL, _EXISTS):
            match = pattern.match(text, at)
            if match and (match.end() == len(text) or text[match.end()] == ","):
                break
        else:
            raise bad_request(f"unable to parse requirement: found {text[at:][:80]!r}, expected a requirement")
        tests.append(_label_test(match))
        at = match.end() + 1
        if match.end() == len(text) - 1:
            raise bad_request("unable to parse requirement: found '', expected: identifier after ','")
    return lambda labels: all(test(labels) for test in tests)


def _label_test(match: re.Match[str]) -> LabelTest:
    key = match["key"]
    groups = match.groupdict()
    if "values" in groups:
        values = {value.strip() for value in match["values"].split(",")}
        if any(not _VALUE_RE.fullmatch(value) for value in values):
            raise bad_request(f"unable to parse requirement: values of {key!r} are not label values")
        if match["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if "value" in groups:
        value = match["value"] or ""
        if match["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match["not"]:
        return lambda labels: key not in labels
    return lambda labels: key in labels


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a `metav1.LabelSelector` object selects these labels; no selector selects nothing."""
    if selector is None:
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for rule in selector.get("matchExpressions") or []:
        key, operator, values = rule.get("key"), rule.get("operator"), rule.get("values") or []
        held = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }.get(operator, False)
        if not held:
            return False
    return True


def as_text(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector object in the text form, as `scale.status.selector` carries it."""
    parts = [f"{key}={value}" for key, value in sorted(((selector or {}).get("matchLabels") or {}).items())]
    for rule in (selector or {}).get("matchExpressions") or []:
        key, values = rule["key"], ",".join(sorted(rule.get("values") or []))
        parts.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[rule["operator"]]
        )
    return ",".join(parts)


_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Pod": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "Node": ("spec.unschedulable",),
    "Namespace": ("status.phase",),
    "ReplicaSet": ("status.replicas",),
    "Job": ("status.successful",),
}


def field_selector(text: str, kind: str) -> tuple[ObjectTest, str]:
    """Compile `metadata.name=x,status.phase!=Running` for `kind`.

    Returns the test and the name that the selector pins (or ""). Raises ApiError 400 on a field that the
    type does not support or a text that is no selector.
    """
    known = ("metadata.name", "metadata.namespace", *_FIELDS.get(kind, ()))
    tests: list[ObjectTest] = []
    pinned = ""
    for part in text.split(",") if text else []:
        match = re.fullmatch(r"\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*", part)
        if match is None:
            raise bad_request(f"invalid selector: {part[:80]!r}; can't understand {part[:80]!r}")
        field, operator, value = match.groups()
        if field not in known:
            raise bad_request(f"field label not supported: {field}")
        if field == "metadata.name" and operator != "!=":
            pinned = value
        tests.append(_field_test(field, value, operator != "!="))
    return (lambda obj: all(test(obj) for test in tests)), pinned


def _field_test(field: str, value: str, equal: bool) -> ObjectTest:
    return lambda obj: (_field(obj, field) == value) is equal


def _field(obj: Json, field: str) -> str:
    if field == "source":
        return str((obj.get("source") or {}).get("component") or "")
    if field == "status.successful":
        return str((obj.get("status") or {}).get("succeeded") or 0)
    found: Any = obj
    for step in field.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    if found is None:
        return {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.replicas": "0"}.get(field, "")
    return str(found).lower() if isinstance(found, bool) else str(found)
