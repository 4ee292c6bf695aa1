"""The events: what Kubernetes itself reported about the subject, its pods and its volumes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.clients.kubernetes import is_name
from bot.evidence.age import ago, instant, span
from bot.evidence.lines import fit, one_line, without_pod_uid
from bot.evidence.pods import seen
from bot.evidence.reading import KINDS, Unreadable, items
from bot.evidence.scene import Draft, Scene
from bot.evidence.subject import claims

KIND = "events"
MAX_FACTS = 80
_MAX_OBJECTS = 12
_MAX_PODS = 5
_MAX_NORMAL = 12
_PER_OBJECT = 200


async def collect(scene: Scene) -> list[Draft]:
    """Read the events of the workload, what it controls, its worst pods and their volume claims."""
    found = scene.found
    # Events about a node, which has no namespace, are kept in this one.
    namespace = found.namespace or "default"
    names = list(dict.fromkeys([found.name, *await _related(scene)]))[:_MAX_OBJECTS]
    lists = await asyncio.gather(
        *(
            items(
                scene.kubernetes,
                "Event",
                namespace,
                {"fieldSelector": f"involvedObject.name={name}"},
                limit=_PER_OBJECT,
            )
            for name in names
        )
    )
    about = await scene.clean(facts(event for events in lists for event in events))
    path = KINDS["Event"].path(namespace)
    others = f" (and of {len(names) - 1} objects that belong to it)" if len(names) > 1 else ""
    return [
        Draft(
            kind=KIND,
            title=f"events of {found.kind} {found.namespace}/{found.name}",
            query=f"GET {path}?fieldSelector=involvedObject.name={found.name}{others}",
            text=render(about, scene.now, alert_started_at=scene.alert_started_at),
            facts=about,
        )
    ]


async def _related(scene: Scene) -> list[str]:
    """Name the objects that events about the subject may hang on; what cannot be read is left out."""
    found = scene.found
    names = [str(job["metadata"]["name"]) for job in found.jobs]
    if found.kind == "Deployment":
        try:
            owned = sorted(
                await scene.replica_sets(), key=lambda one: str(one["metadata"].get("creationTimestamp")), reverse=True
            )
            names += [str(one["metadata"]["name"]) for one in owned[:2]]
        except Unreadable:
            pass
    try:
        pods = await scene.pods()
    except Unreadable:
        return names
    by_name = {str(pod["metadata"]["name"]): pod for pod in pods}
    worst = (await seen(scene))["pods"][:_MAX_PODS]
    names += [pod["name"] for pod in worst]
    names += [claim for pod in worst for claim in claims(by_name[pod["name"]].get("spec") or {})]
    return [name for name in names if is_name(name)]


def facts(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Take what matters from Event objects (v1 or events.k8s.io/v1), equal ones of one object added up.

    Warnings come first, then the newest; at most 80. Times are microseconds.
    """
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in events:
        one = _event(event)
        key = (one["type"], one["reason"], one["object"]["kind"], one["object"]["name"], one["message"])
        if key in merged:
            known = merged[key]
            known["count"] += one["count"]
            known["first_at"] = min(filter(None, (known["first_at"], one["first_at"])), default=None)
            known["last_at"] = max(filter(None, (known["last_at"], one["last_at"])), default=None)
        else:
            merged[key] = one
    ordered = sorted(merged.values(), key=lambda one: (one["type"] != "Warning", -(one["last_at"] or 0)))
    return {"events": ordered[:MAX_FACTS], "total": len(ordered)}


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    series = event.get("series") or {}
    about = event.get("involvedObject") or event.get("regarding") or {}
    metadata = event.get("metadata") or {}
    first = instant(event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp") or event.get("eventTime"))
    last = instant(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("deprecatedLastTimestamp"))
    created = instant(metadata.get("creationTimestamp"))
    return {
        "type": event.get("type") or "Normal",
        "reason": event.get("reason") or "",
        "message": without_pod_uid(event.get("message") or event.get("note") or ""),
        "count": series.get("count") or event.get("count") or event.get("deprecatedCount") or 1,
        "object": {"kind": about.get("kind") or "", "name": about.get("name") or ""},
        "first_at": first or created,
        "last_at": last or first or created,
    }


def render(about: Mapping[str, Any], now: int, *, alert_started_at: int | None = None) -> str:
    """Write the events' facts: warnings in full, the newest of the rest, equal ones of several objects in one line."""
    if not about["events"]:
        return "there are no events (Kubernetes keeps them for an hour by default)"
    groups = _groups(about["events"])
    warnings = [group for group in groups if group[0]["type"] != "Normal"]
    normal = [group for group in groups if group[0]["type"] == "Normal"]
    lines = [_line(group, now, alert_started_at) for group in warnings + normal[:_MAX_NORMAL]]
    if len(normal) > _MAX_NORMAL:
        lines.append(f"({len(normal) - _MAX_NORMAL} older kinds of normal events left out)")
    return fit(lines)


def _groups(events: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for event in events:
        # Events of sibling pods differ in the pod's name alone; of those that are no warning the newest says it all.
        said = event["message"].replace(event["object"]["name"] or "\0", "…") if event["type"] != "Normal" else ""
        groups.setdefault((event["type"], event["reason"], event["object"]["kind"], said), []).append(event)
    return list(groups.values())


def _line(group: Sequence[Mapping[str, Any]], now: int, alert_started_at: int | None) -> str:
    count = sum(event["count"] for event in group)
    first = min((event["first_at"] for event in group if event["first_at"]), default=None)
    last = max((event["last_at"] for event in group if event["last_at"]), default=None)
    when = ago(last, now)
    if count > 1:
        over = f" over {span(last - first)}" if first and last and last - first >= 1_000_000 else ""
        when = f"×{count}{over}{f', last {when}' if when else ''}"
    if alert_started_at and first and last and first < alert_started_at <= last:
        when += f", since {span(alert_started_at - first)} before the alert"
    newest = group[0]
    objects = {event["object"]["name"] for event in group}
    others = f" and {len(objects) - 1} more" if len(objects) > 1 else ""
    what = f"{newest['object']['kind']} {newest['object']['name']}{others}"
    return f"{newest['type']} {newest['reason']} ({when}) {what}: {one_line(newest['message'], 700)}"
