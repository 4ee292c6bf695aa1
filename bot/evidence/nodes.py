"""The nodes, where they matter: pods that no node takes, and nodes whose pods fare badly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.kubernetes import is_name
from bot.evidence.lines import counted, fit, one_line
from bot.evidence.pods import overdue, seen
from bot.evidence.reading import KINDS, get, items
from bot.evidence.scene import Draft, Scene
from bot.evidence.workload import condition, render_condition

KIND = "nodes"
MAX_NODES = 100
MAX_DESCRIBED = 10
_MAX_SUSPECTS = 3
# Reasons of a pod's status that come from its node: the kubelet's and the node lifecycle controller's.
_NODE_REASONS = frozenset(
    {
        "Evicted",
        "NodeLost",
        "NodeShutdown",
        "NodeAffinity",
        "Terminated",
        "Preempting",
        "OutOfcpu",
        "OutOfmemory",
        "OutOfpods",
        "UnexpectedAdmissionError",
    }
)
_STUCK_SECONDS = 300


async def collect(scene: Scene) -> list[Draft]:
    """Describe the nodes if they matter; otherwise there is nothing to say."""
    found = scene.found
    if found.kind == "Node":
        return [await _draft(scene, [found.workload], [], KINDS["Node"].path("", found.name), f"node {found.name}")]
    pods, described = await scene.pods(), (await seen(scene))["pods"]
    if any(unscheduled(pod) for pod in described):
        nodes = await items(scene.kubernetes, "Node", "", limit=MAX_NODES)
        return [
            await _draft(scene, nodes, pods, KINDS["Node"].path(""), f"the nodes of cluster {scene.kubernetes.cluster}")
        ]
    names = suspects(described, scene.now)
    if not names:
        return []
    nodes = await asyncio.gather(*(get(scene.kubernetes, "Node", "", name) for name in names))
    return [
        await _draft(scene, nodes, pods, KINDS["Node"].path("", names[0]), f"nodes of failing pods: {', '.join(names)}")
    ]


async def _draft(
    scene: Scene, nodes: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]], path: str, title: str
) -> Draft:
    about = await scene.clean(facts(nodes, pods))
    return Draft(kind=KIND, title=title, query=f"GET {path}", text=render(about, scene.now), facts=about)


def unscheduled(pod: Mapping[str, Any]) -> bool:
    """Say whether a pod's facts show it waiting for a node."""
    return bool(pod["phase"] == "Pending" and not pod["node"])


def suspects(pods: Sequence[Mapping[str, Any]], now: int) -> list[str]:
    """Name the nodes that may be the reason why pods fare badly, at most three.

    These are the nodes of pods that were lost, evicted or are stuck while starting or ending, and those where pods are
    not ready that are ready, of the same template, on other nodes.
    """
    named = [pod["node"] for pod in pods if _blames_node(pod, now)]
    well = {(pod.get("template_hash"), pod["node"]) for pod in pods if pod["ready"]}
    templates = {template for template, _ in well if template}
    named += [
        pod["node"]
        for pod in pods
        if not pod["ready"]
        and pod.get("template_hash") in templates
        and (pod["template_hash"], pod["node"]) not in well
    ]
    return [node for node in dict.fromkeys(named) if is_name(node)][:_MAX_SUSPECTS]


def _blames_node(pod: Mapping[str, Any], now: int) -> bool:
    if not pod["node"]:
        return False
    starting = pod["status"] in ("ContainerCreating", "PodInitializing") and pod.get("age_seconds", 0) > _STUCK_SECONDS
    return bool(pod["reason"] in _NODE_REASONS or starting or overdue(pod, now) or pod["phase"] == "Unknown")


def facts(nodes: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Take what matters from Node objects, and the node labels that the pods ask for (``wanted_labels``)."""
    wanted: dict[str, str] = {}
    for pod in pods:
        wanted |= (pod.get("spec") or {}).get("nodeSelector") or {}
    return {"nodes": [_node(node, wanted) for node in nodes[:MAX_NODES]], "wanted_labels": wanted}


def _node(node: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, Any]:
    metadata, spec, status = (node.get(part) or {} for part in ("metadata", "spec", "status"))
    conditions = [condition(one) for one in status.get("conditions") or []]
    labels = metadata.get("labels") or {}
    return {
        "name": metadata.get("name"),
        "ready": any(one["type"] == "Ready" and one["status"] == "True" for one in conditions),
        "unschedulable": spec.get("unschedulable") is True,
        "taints": [
            {"key": taint.get("key"), "value": taint.get("value") or "", "effect": taint.get("effect")}
            for taint in spec.get("taints") or []
        ],
        # A node's good conditions say nothing: Ready is True, the pressures are False.
        "conditions": [one for one in conditions if (one["type"] == "Ready") != (one["status"] == "True")],
        "allocatable": {
            key: value
            for key, value in (status.get("allocatable") or {}).items()
            if key in ("cpu", "memory", "pods", "ephemeral-storage") or "/" in key
        },
        "labels": {key: labels[key] for key in wanted if key in labels},
    }


def render(about: Mapping[str, Any], now: int) -> str:
    """Write the nodes' facts, those in trouble first."""
    nodes = about["nodes"]
    ready = sum(node["ready"] for node in nodes)
    cordoned = sum(node["unschedulable"] for node in nodes)
    lines = [f"{counted(len(nodes), 'node')}, {ready} ready{f', {cordoned} cordoned' if cordoned else ''}"]
    for key, value in about["wanted_labels"].items():
        having = sum(node["labels"].get(key) == value for node in nodes)
        lines.append(
            f"the pods ask for nodes with label {one_line(f'{key}={value}')}: {having} of {len(nodes)} have it"
        )
    for node in sorted(nodes, key=lambda node: (node["ready"] and not node["conditions"], str(node["name"])))[
        :MAX_DESCRIBED
    ]:
        state = [
            "ready" if node["ready"] else "NOT READY",
            "cordoned" if node["unschedulable"] else "",
            *(f"taint {_taint(taint)}" for taint in node["taints"]),
            "allocatable " + ", ".join(f"{key}={value}" for key, value in node["allocatable"].items()),
        ]
        lines.append(f"node {node['name']}: {one_line('; '.join(part for part in state if part), 600)}")
        lines += [f"  {render_condition(one, now)}" for one in node["conditions"]]
    if len(nodes) > MAX_DESCRIBED:
        lines.append(f"and {len(nodes) - MAX_DESCRIBED} more")
    return fit(lines)


def _taint(taint: Mapping[str, Any]) -> str:
    return f"{taint['key']}{'=' + taint['value'] if taint['value'] else ''}:{taint['effect']}"
