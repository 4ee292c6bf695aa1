"""A node is the trouble: not ready, short of memory, disk or process ids, or it threw the pod out."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import plain
from bot.analysis.facts import Condition, Facts, Node
from bot.analysis.suspicion import Depth, Remedy, Suspicion, cite, quote

_PRESSURE = {"MemoryPressure": "memory", "DiskPressure": "disk space", "PIDPressure": "process ids"}
_GONE = frozenset(
    {"Evicted", "NodeLost", "NodeShutdown", "Terminated", "Shutdown", "NodeAffinity", "UnexpectedAdmissionError"}
)
_EVENTS = frozenset(
    {"NodeNotReady", "TaintManagerEviction", "Evicted", "EvictionThresholdMet", "SystemOOM", "Preempted"}
)


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect nodes that are not ready or under pressure, and pods that were evicted."""
    for node in facts.nodes:
        for condition in _bad(node):
            yield _of_node(facts, node, condition)
    evicted = [pod for pod in facts.pods if pod.reason in _GONE]
    events = [event for event in facts.troubling_events() if event.reason in _EVENTS]
    if evicted or events:
        message = plain.line(evicted[0].message if evicted else events[0].message, 240)
        who = evicted[0].name if evicted else events[0].name
        reason = evicted[0].reason if evicted else events[0].reason
        count = len(evicted) or len(events)
        more = f" and {count - 1} more" if count > 1 else ""
        said = f": {quote(message)}." if message else "."
        yield Suspicion(
            category="node",
            headline=f"{reason}: {plain.line(message, 140) or plain.line(who, 120)}",
            statement=f"The node gave up {plain.line(who, 120)}{more} ({reason}){said}",
            confidence="high" if evicted else "medium",
            depth=Depth.CAUSE,
            evidence=cite(*(pod.evidence for pod in evicted), *(event.evidence for event in events)),
        )


def _of_node(facts: Facts, node: Node, condition: Condition) -> Suspicion:
    here = [pod for pod in facts.pods if pod.node == node.name and pod.failing]
    short = _PRESSURE.get(condition.type)
    what = f"is short of {short} ({condition.type})" if short else "is not ready"
    message = plain.line(condition.message, 200)
    remedies: tuple[Remedy, ...] = ()
    if not short and len(here) == 1 and facts.workload:
        remedies = (Remedy("delete-pod", {"namespace": facts.workload.namespace, "pod": here[0].name}),)
    return Suspicion(
        category="node",
        headline=f"node {node.name} {what}",
        statement=f"Node {node.name} {what}"
        + (f": {quote(message)}." if message else ".")
        + (f" {len(here)} pods of {facts.label} that are not ready run there." if here else ""),
        confidence="high" if here else "medium",
        depth=Depth.CAUSE if here else Depth.CIRCUMSTANCE,
        evidence=cite(node.evidence, *(pod.evidence for pod in here)),
        remedies=remedies,
    )


def _bad(node: Node) -> Iterator[Condition]:
    bad = [c for c in node.conditions if c.type in _PRESSURE and c.status == "True"]
    ready = next((c for c in node.conditions if c.type == "Ready"), None)
    if not node.ready:
        bad.append(ready or Condition("Ready", "False", "", "", None))
    yield from bad
