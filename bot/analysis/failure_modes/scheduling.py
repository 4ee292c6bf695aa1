"""A pod finds no node: too little of some resource, or nodes that its selector, affinity or tolerations rule out."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.facts import Facts, Pod
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_INSUFFICIENT = re2.compile(r"Insufficient ([\w/-]{1,100}(?:\.[\w/-]{1,100})*)")
_TAINT = re2.compile(r"taint(?:\(s\))?,? (?:\{([^}]{1,120})\}|that the pod didn't tolerate)")
_RULES: tuple[tuple[str, str], ...] = (
    (r"didn't match (?:Pod's )?node (?:affinity|selector)", "no node matches its node selector or node affinity"),
    (
        r"didn't (?:match|satisfy)(?: existing)? pods? anti-affinity",
        "its pod anti-affinity keeps it off the nodes that run its like",
    ),
    (r"didn't (?:match|satisfy)(?: existing)? pods? affinity", "no node runs the pods that its pod affinity asks for"),
    (r"topology spread", "its topology spread constraints leave no node"),
    (r"were unschedulable", "nodes are cordoned (unschedulable)"),
    (r"Too many pods", "nodes already run as many pods as they may"),
    (r"free ports", "the host port it asks for is taken on every node"),
)
_PATTERNS = tuple((re2.compile(f"(?i){pattern}"), reason) for pattern, reason in _RULES)


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each distinct reason that the scheduler gives for leaving pods pending."""
    found: dict[tuple[str, ...], list[tuple[str, str, Pod | None]]] = {}
    for message, evidence, pod in _complaints(facts):
        reasons = _reasons(message)
        if reasons:
            found.setdefault(reasons, []).append((message, evidence, pod))
    for reasons, complaints in found.items():
        message = plain.line(complaints[0][0].split(" preemption:")[0], 260)
        pods = list({pod.name: pod for _, _, pod in complaints if pod}.values())
        blame = newest_revision(facts, pods)
        why = "; ".join(reasons)
        who = f"Pod {pods[0].name}" if pods else f"A pod of {facts.label}"
        parts = [f"{who} is Pending, because no node can take it: {why}.", f"The scheduler says {quote(message)}."]
        asked = _requests(facts) if any("too little" in reason for reason in reasons) else ""
        if asked:
            parts.append(f"It asks for {asked}.")
        if blame:
            parts.append(blame.sentence)
        yield Suspicion(
            category="scheduling",
            headline=f"pods cannot be scheduled: {why}",
            statement=" ".join(parts),
            confidence="high",
            depth=Depth.STATED,
            evidence=cite(
                *(evidence for _, evidence, _ in complaints),
                facts.workload.evidence if facts.workload and asked else "",
                blame.revision.evidence if blame else "",
            ),
            remedies=blame.remedies if blame else (),
        )


def _complaints(facts: Facts) -> Iterator[tuple[str, str, Pod | None]]:
    for event in facts.troubling_events():
        if event.reason == "FailedScheduling":
            yield event.message, event.evidence, facts.pod(event.name)
    for pod in facts.pods:
        for condition in pod.conditions:
            if condition.type == "PodScheduled" and condition.status == "False":
                yield condition.message, pod.evidence, pod


def _reasons(message: str) -> tuple[str, ...]:
    lacking = dict.fromkeys(_INSUFFICIENT.findall(message))
    reasons = [f"too little {_resource(name)} is free" for name in lacking]
    reasons += [reason for pattern, reason in _PATTERNS if pattern.search(message)]
    taint = _TAINT.search(message)
    if taint:
        reasons.append(
            "nodes have a taint that it does not tolerate" + (f" ({taint.group(1)})" if taint.group(1) else "")
        )
    return tuple(reasons)


def _resource(name: str) -> str:
    return f"GPU ({name})" if "gpu" in name.lower() else name


def _requests(facts: Facts) -> str:
    containers = facts.workload.containers if facts.workload else ()
    return "; ".join(
        f"{plain.line(spec.name, 60)}: " + ", ".join(f"{key} {value}" for key, value in spec.requests.items())
        for spec in containers[:3]
        if spec.requests
    )
