"""The workload is at its limit: throttled, or scaled out as far as it may be."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from bot.analysis import plain
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_THROTTLED = re2.compile(r"(?i)throttl")
_AT_MAXIMUM = re2.compile(r"(?i)hpa.{0,20}max|autoscaler.{0,40}max")
_HPA_REASONS = {
    "FailedGetResourceMetric": "the autoscaler gets no metrics",
    "FailedComputeMetricsReplicas": "the autoscaler cannot compute its metrics",
    "FailedGetScale": "the autoscaler cannot read the scale of its target",
}


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect CPU limits or the maximum of replicas when the alert speaks of those, and autoscalers that are blind."""
    workload = facts.workload
    alert = f"{facts.incident.labels.get('alertname', '')} {facts.incident.summary}"
    limits = [
        f"{plain.line(spec.name, 60)} {plain.line(spec.limits['cpu'], 20)}"
        for spec in (workload.containers if workload else ())
        if spec.limits.get("cpu")
    ]
    if workload and _THROTTLED.search(alert):
        stated = f"CPU limits: {', '.join(limits)}" if limits else "no CPU limit is set in its template"
        yield Suspicion(
            category="resource-exhaustion",
            headline=f"{workload.name} is throttled: it wants more CPU than its limit",
            statement=f"{workload.kind} {workload.name} is throttled: it wants more CPU than it may have ({stated}).",
            confidence="medium" if limits else "low",
            depth=Depth.CAUSE,
            evidence=cite(workload.evidence),
            unknowns=("Whether load grew or the work per request did: look at CPU use and requests over time.",),
        )
    if workload and _AT_MAXIMUM.search(alert):
        yield Suspicion(
            category="resource-exhaustion",
            headline=f"{workload.name} is scaled out to its maximum",
            statement=f"The autoscaler of {workload.name} is at its maximum"
            + (f" ({workload.desired} replicas)." if workload.desired is not None else "."),
            confidence="medium",
            depth=Depth.CAUSE,
            evidence=cite(workload.evidence),
            unknowns=("Whether load grew or each replica does less: look at requests and CPU use per pod.",),
        )
    for event in facts.events:
        if event.kind == "HorizontalPodAutoscaler" and event.reason in _HPA_REASONS:
            yield Suspicion(
                category="resource-exhaustion",
                headline=_HPA_REASONS[event.reason],
                statement=f"{_HPA_REASONS[event.reason].capitalize()}: {quote(plain.line(event.message, 240))}.",
                confidence="high",
                depth=Depth.CAUSE,
                evidence=cite(event.evidence),
            )
            return
