"""A probe fails: a container that runs is taken out of service, or killed again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import re2

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.facts import Event, Facts, Pod
from bot.analysis.suspicion import Depth, Remedy, Suspicion, cite, quote

_PROBE = re2.compile(
    r"(?i)\b(readiness|liveness|startup) probe (?:failed|errored)|failed (readiness|liveness|startup) probe"
)


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each kind of probe that events say fails, where the pod is not ready still."""
    found: dict[str, list[Event]] = {}
    for event in facts.troubling_events():
        match = _PROBE.search(event.message)
        if match:
            found.setdefault((match.group(1) or match.group(2)).lower(), []).append(event)
    for kind, events in found.items():
        yield _suspicion(facts, kind, events)


def _suspicion(facts: Facts, kind: str, events: Sequence[Event]) -> Suspicion:
    told = max(events, key=lambda event: ("probe failed:" in event.message, event.count))
    pods = [pod for pod in facts.pods if pod.name in {event.name for event in events}]
    crashing = any(c.ended and c.ended.exit_code not in (None, 0, 137, 143) for pod in pods for c in pod.containers)
    blame = newest_revision(facts, pods)
    times = sum(event.count for event in events)
    spec = next((s for s in (facts.workload.containers if facts.workload else ()) if _set_up(s, kind)), None)
    effect = {
        "readiness": "so it gets no traffic",
        "liveness": "so the kubelet kills and restarts the container",
        "startup": "so the kubelet kills the container before it has started",
    }[kind]
    parts = [
        f"The {kind} probe of pod {plain.line(told.name, 120)} fails ({times} times), {effect}: "
        f"{quote(plain.line(told.message, 240))}."
    ]
    if spec:
        parts.append(f"The probe is {quote(plain.line(_set_up(spec, kind), 160))}.")
    if blame:
        parts.append(blame.sentence)
    return Suspicion(
        category="probe",
        headline=f"the {kind} probe fails: {plain.line(told.message, 140)}",
        statement=" ".join(parts),
        confidence="medium" if crashing else "high",
        depth=Depth.SYMPTOM if crashing else Depth.CIRCUMSTANCE,
        evidence=cite(
            *(event.evidence for event in events),
            *(pod.evidence for pod in pods),
            facts.workload.evidence if facts.workload and spec else "",
            blame.revision.evidence if blame else "",
        ),
        remedies=blame.remedies if blame else _remedies(facts, kind, pods),
        unknowns=("Whether the process is stuck, slow or never got up: look at its log at the time of the failures.",),
    )


def _remedies(facts: Facts, kind: str, pods: Sequence[Pod]) -> tuple[Remedy, ...]:
    """Start afresh what runs but does not serve: the one wedged pod of several, or else the whole deployment."""
    workload = facts.workload
    running = [
        pod for pod in pods if pod.containers and all(c.state.kind == "running" for c in pod.containers if not c.init)
    ]
    if kind != "readiness" or workload is None or not running:
        return ()
    if len(running) == 1 and any(pod.ready for pod in facts.pods):
        return (Remedy("delete-pod", {"namespace": workload.namespace, "pod": running[0].name}),)
    if workload.kind == "Deployment":
        return (Remedy("restart-deployment", {"namespace": workload.namespace, "deployment": workload.name}),)
    return ()


def _set_up(spec: object, kind: str) -> str:
    return str(getattr(spec, kind, ""))
