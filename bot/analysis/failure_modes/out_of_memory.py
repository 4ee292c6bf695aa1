"""A container needs more memory than it may have: the kernel kills it, or its runtime gives up."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from bot.analysis import plain
from bot.analysis.blame import newest_revision
from bot.analysis.error_lines import message
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

_KILLED = frozenset({"OOMKilled", "OOMKilling", "SystemOOM", "ContainerOOMKilled"})
_RUNTIME = re2.compile(
    r"OutOfMemoryError|heap out of memory|(?:^|\W)MemoryError(?:\W|$)|runtime: out of memory|std::bad_alloc"
    r"|Cannot allocate memory|Out of memory: Kill|memory allocation of \d+ bytes failed"
)
_LEAK = "Whether the limit is too small or the program leaks: look at its memory over time."


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect containers that were OOMKilled, and logs in which a runtime says that it has no memory left."""
    killed = False
    for name, pods in facts.by_container(lambda c: c.ended is not None and c.ended.reason in _KILLED):
        killed = True
        pod, container = pods[0]
        ended = container.ended
        code = ended.exit_code if ended and ended.exit_code is not None else 137
        spec = facts.spec(name)
        limit = spec.limits.get("memory", "") if spec else ""
        blame = newest_revision(facts, [p for p, _ in pods])
        headline = f"container {name} runs out of memory (OOMKilled, exit code {code})"
        allowed = f" at its memory limit of {limit}" if limit else ""
        parts = [
            f"Container {name} of pod {pod.name} ran out of memory{allowed}: the kernel killed it "
            f"(OOMKilled, exit code {code}), {container.restarts} restarts."
        ]
        if len(pods) > 1:
            parts.append(f"{len(pods)} pods are affected.")
        if blame:
            parts.append(blame.sentence)
        yield Suspicion(
            category="out-of-memory",
            headline=headline,
            statement=" ".join(parts),
            confidence="high",
            depth=Depth.STATED,
            evidence=cite(
                *(p.evidence for p, _ in pods),
                facts.workload.evidence if facts.workload and limit else "",
                blame.revision.evidence if blame else "",
            ),
            remedies=blame.remedies if blame else (),
            unknowns=(_LEAK,),
        )
    for log in facts.logs:
        line = next((line for line in reversed(log.text.splitlines()) if _RUNTIME.search(line)), None)
        if line is not None and not killed:
            told = plain.line(message(line), 240)
            yield Suspicion(
                category="out-of-memory",
                headline=f"{log.container or log.pod} runs out of memory: {plain.line(told, 120)}",
                statement=f"The process in {log.pod} has no memory left: its log says {quote(told)}.",
                confidence="medium",
                depth=Depth.STATED,
                evidence=cite(log.evidence),
                unknowns=(_LEAK,),
            )
            break
    for event in facts.troubling_events():
        if event.reason in _KILLED and not killed:
            yield Suspicion(
                category="out-of-memory",
                headline=f"{event.kind} {event.name} ran out of memory",
                statement=f"{event.kind} {event.name} ran out of memory: {quote(plain.line(event.message, 240))}.",
                confidence="medium",
                depth=Depth.CAUSE,
                evidence=cite(event.evidence),
                unknowns=(_LEAK,),
            )
            break
