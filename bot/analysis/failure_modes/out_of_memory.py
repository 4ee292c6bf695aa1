"""A container needs more memory than it may have: the kernel kills it, or its runtime gives up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import re2

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.error_lines import message
from bot.analysis.facts import Container, Facts, Pod
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_KILLED = frozenset({"OOMKilled", "OOMKilling", "SystemOOM", "ContainerOOMKilled"})
_RUNTIME = re2.compile(
    r"OutOfMemoryError|heap out of memory|(?:^|\W)MemoryError(?:\W|$)|runtime: out of memory|std::bad_alloc"
    r"|Cannot allocate memory|Out of memory: Kill|memory allocation of \d+ bytes failed"
)
_LEAK = "Whether the limit is too small or the program leaks: look at its memory over time."


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect containers that were OOMKilled; without any, a log or an event that says that memory ran out."""
    killed = facts.by_container(lambda container: container.ended is not None and container.ended.reason in _KILLED)
    if killed:
        for name, pods in killed:
            yield _of_container(facts, name, pods)
        return
    hint = next(_hints(facts), None)
    if hint:
        yield hint


def _of_container(facts: Facts, name: str, pods: Sequence[tuple[Pod, Container]]) -> Suspicion:
    pod, container = pods[0]
    code = container.ended.exit_code if container.ended else None
    killed = "OOMKilled" if code is None else f"OOMKilled, exit code {code}"
    spec = facts.spec(name)
    limit = spec.limits.get("memory", "") if spec else ""
    allowed = f" at its memory limit of {limit}" if limit else ""
    blame = newest_revision(facts, [pod for pod, _ in pods])
    parts = [
        f"Container {name} of pod {pod.name} ran out of memory{allowed}: the kernel killed it ({killed}; "
        f"{container.restarts} restarts)."
    ]
    if len(pods) > 1:
        parts.append(f"{len(pods)} pods are affected.")
    if blame:
        parts.append(blame.sentence)
    return Suspicion(
        category="out-of-memory",
        headline=f"container {name} runs out of memory ({killed})",
        statement=" ".join(parts),
        confidence="high",
        depth=Depth.STATED,
        evidence=cite(
            *(pod.evidence for pod, _ in pods),
            facts.workload.evidence if facts.workload and limit else "",
            blame.revision.evidence if blame else "",
        ),
        remedies=blame.remedies if blame else (),
        unknowns=(_LEAK,),
    )


def _hints(facts: Facts) -> Iterator[Suspicion]:
    for log in facts.logs:
        line = next((line for line in reversed(log.text.splitlines()) if _RUNTIME.search(line)), None)
        if line is not None:
            yield _hint(log.pod or facts.label, "its log says", message(line), log.evidence)
    for event in facts.troubling_events():
        if event.reason in _KILLED:
            yield _hint(f"{event.kind} {event.name}", "an event says", event.message, event.evidence)


def _hint(who: str, source: str, told: str, evidence: str) -> Suspicion:
    who, told = plain.line(who, 120), plain.line(told, 240)
    return Suspicion(
        category="out-of-memory",
        headline=f"{who} ran out of memory: {plain.line(told, 120)}",
        statement=f"{who} ran out of memory: {source} {quote(told)}.",
        confidence="medium",
        depth=Depth.STATED,
        evidence=cite(evidence),
        unknowns=(_LEAK,),
    )
