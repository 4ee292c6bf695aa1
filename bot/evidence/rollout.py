"""The rollout: the workload's newest revisions, and what changed from each to the next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from bot.evidence.age import ago, instant, span
from bot.evidence.lines import fit, one_line
from bot.evidence.reading import KINDS, items, selector
from bot.evidence.scene import Draft, Scene
from bot.evidence.subject import controller
from bot.redact import Redactor

KIND = "rollout"
MAX_REVISIONS = 10
MAX_CHANGES = 40
REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"
# How entries of the API's lists are told apart where it is not by name.
_LIST_KEYS = ("name", "mountPath", "containerPort", "key", "topologyKey", "ip")
_DERIVED_LABELS = ("pod-template-hash", "controller-revision-hash")


async def collect(scene: Scene) -> list[Draft]:
    """Describe the revisions of a Deployment, StatefulSet or DaemonSet; nothing else has any."""
    found = scene.found
    if found.kind == "Deployment":
        owned, kind = await scene.replica_sets(), "ReplicaSet"
        about = of_replica_sets(found.workload, owned, scene.redactor)
    elif found.kind in ("StatefulSet", "DaemonSet"):
        kind = "ControllerRevision"
        query = {"labelSelector": selector((found.workload.get("spec") or {}).get("selector") or {})}
        listed = await items(scene.kubernetes, kind, found.namespace, query)
        owned = [one for one in listed if controller(one).get("uid") == found.uid]
        about = of_controller_revisions(found.workload, owned, scene.redactor)
    else:
        return []
    about = await scene.clean(about)
    labels = selector((found.workload.get("spec") or {}).get("selector") or {})
    return [
        Draft(
            kind=KIND,
            title=f"rollout history of {found.kind} {found.namespace}/{found.name}",
            query=f"GET {KINDS[kind].path(found.namespace)}?labelSelector={labels}",
            text=render(about, scene.now, alert_started_at=scene.alert_started_at),
            facts=about,
        )
    ]


def of_replica_sets(
    deployment: Mapping[str, Any], replica_sets: Sequence[Mapping[str, Any]], redactor: Redactor
) -> dict[str, Any]:
    """Take a Deployment's revisions from its ReplicaSets; ``changes`` is against the one before. Microseconds."""
    revisions = [
        {
            "revision": _number(_annotations(one).get(REVISION)),
            "replicaset": one["metadata"].get("name"),
            "created_at": instant(one["metadata"].get("creationTimestamp")),
            "replicas": (one.get("status") or {}).get("replicas", 0),
            "ready": (one.get("status") or {}).get("readyReplicas", 0),
            "change_cause": _annotations(one).get(CAUSE, ""),
            "template": (one.get("spec") or {}).get("template") or {},
        }
        for one in replica_sets
    ]
    current = _number(_annotations(deployment).get(REVISION)) or max((one["revision"] for one in revisions), default=0)
    return {"current": current, "revisions": _compared(revisions, redactor)}


def of_controller_revisions(
    workload: Mapping[str, Any], controller_revisions: Sequence[Mapping[str, Any]], redactor: Redactor
) -> dict[str, Any]:
    """Take a StatefulSet's or DaemonSet's revisions from its ControllerRevisions."""
    newest = str((workload.get("status") or {}).get("updateRevision") or "")
    revisions = [
        {
            "revision": _number(one.get("revision")),
            "name": one["metadata"].get("name"),
            "created_at": instant(one["metadata"].get("creationTimestamp")),
            "change_cause": _annotations(one).get(CAUSE, ""),
            "template": ((one.get("data") or {}).get("spec") or {}).get("template") or {},
        }
        for one in controller_revisions
    ]
    current = next(
        (one["revision"] for one in revisions if one["name"] == newest),
        max((one["revision"] for one in revisions), default=0),
    )
    return {"current": current, "revisions": _compared(revisions, redactor)}


def _annotations(one: Mapping[str, Any]) -> Mapping[str, str]:
    return (one.get("metadata") or {}).get("annotations") or {}


def _number(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _compared(revisions: list[dict[str, Any]], redactor: Redactor) -> list[dict[str, Any]]:
    revisions = sorted(revisions, key=lambda one: int(one["revision"]), reverse=True)[: MAX_REVISIONS + 1]
    compared = []
    for newer, older in zip_longest(revisions, revisions[1:]):
        template = newer["template"]
        one = {key: value for key, value in newer.items() if key != "template" and value is not None}
        one["images"] = [container.get("image") for container in ((template.get("spec") or {}).get("containers") or [])]
        one["changes"] = changes(older["template"], template, redactor) if older else []
        compared.append(one)
    return compared[:MAX_REVISIONS]


def changes(before: Mapping[str, Any], after: Mapping[str, Any], redactor: Redactor) -> list[dict[str, Any]]:
    """List what differs between two pod templates by path; a side that lacks a path has None. At most 40.

    A value beside a name that stands for a secret is redacted here, while the name is still known to be its key.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    differing = [path for path in dict.fromkeys([*old, *new]) if old.get(path) != new.get(path)]
    differing.sort(key=_importance)

    def shown(side: Mapping[str, Any], path: str) -> Any:
        if path not in side:
            return None
        name = path.rsplit("[", 1)[-1].rstrip("]") if path.endswith("]") else path.rsplit(".", 1)[-1]
        return redactor.data({name: side[path]})[name]

    return [{"path": path, "before": shown(old, path), "after": shown(new, path)} for path in differing[:MAX_CHANGES]]


def _importance(path: str) -> int:
    """Put images first, then how the process is run and configured, then the rest."""
    for rank, part in enumerate((".image", ".command", ".args", ".env[", ".resources", "Probe", "volumes[")):
        if part in path:
            return rank
    return 9


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf of a pod template with its path: ``containers[checkout].env[LOG_LEVEL]``."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            if key == "$patch" or key in _DERIVED_LABELS or (path.endswith("metadata") and inner is None):
                continue
            # A path says more without the two levels that every pod template has.
            step = "" if not path and key == "spec" else (f"{path}.{key}" if path else str(key))
            yield from _flat(inner, step)
    elif isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
        for position, entry in enumerate(value):
            key = next((key for key in _LIST_KEYS if key in entry), None)
            step = f"{path}[{entry[key] if key else position}]"
            rest = {inner: content for inner, content in entry.items() if inner != key}
            if set(rest) <= {"value"}:
                yield step, rest.get("value", "")
            else:
                yield from _flat(rest, step)
    else:
        yield path, value


def render(about: Mapping[str, Any], now: int, *, alert_started_at: int | None = None) -> str:
    """Write the revisions' facts, newest first, each with what it changed."""
    if not about["revisions"]:
        return "there is no revision to be seen"
    lines = []
    for one in about["revisions"]:
        current = " (current)" if one["revision"] == about["current"] else ""
        created = f", created {ago(one['created_at'], now)}" if one.get("created_at") else ""
        if created and alert_started_at and 0 <= alert_started_at - one["created_at"] < 86_400_000_000:
            created += f" ({span(alert_started_at - one['created_at'])} before the alert)"
        counts = f", {one['ready']} of {one['replicas']} pods ready" if one.get("replicas") else ""
        images = one_line(", ".join(str(image) for image in one["images"]), 400)
        lines.append(f"revision {one['revision']}{current}{created}{counts}: {images}")
        if one.get("change_cause"):
            lines.append(f"  change cause: {one_line(one['change_cause'], 300)}")
        lines += [f"  {_change(change)}" for change in one["changes"]]
    return fit(lines)


def _change(change: Mapping[str, Any]) -> str:
    before, after = (_value(change[side]) for side in ("before", "after"))
    if change["before"] is None:
        return f"added {change['path']} = {after}"
    if change["after"] is None:
        return f"removed {change['path']} (was {before})"
    return f"{change['path']}: {before} -> {after}"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return one_line(text, 200)
