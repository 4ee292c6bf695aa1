"""The alert is about slowness, and the log tells which operations take long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import re2

from bot.analysis import plain
from bot.analysis.error_lines import MAX_LINE_CHARACTERS, MAX_LINES, message
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

SLOW_SECONDS = 1.0
_ABOUT = re2.compile(r"(?i)latenc|slow|duration|response.?time|taking longer|timed? ?out|timeout|p9[059]")
_TOOK = re2.compile(r"(?i)\b(\d{1,7}(?:\.\d{1,6})?) ?(seconds|secs?|s|milliseconds|millis|ms)\b")
_NUMBER = re2.compile(r"\d+(?:\.\d+)?")


@dataclass(slots=True)
class _Operation:
    text: str
    seconds: float
    count: int
    evidence: str


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect the operations whose log lines name the longest times, when an alert speaks of latency."""
    told = (facts.incident.title, facts.incident.summary, *_annotations(facts))
    if not _ABOUT.search(" ".join(told)):
        return
    alert = max(told, key=len)
    slow: dict[str, _Operation] = {}
    for log in facts.logs:
        for raw in log.text.splitlines()[-MAX_LINES:]:
            seconds = _seconds(raw[:MAX_LINE_CHARACTERS])
            if seconds < SLOW_SECONDS:
                continue
            text = message(raw)
            known = slow.setdefault(_NUMBER.sub("#", text), _Operation(text, seconds, 0, log.evidence))
            known.count += 1
            if seconds > known.seconds:
                known.text, known.seconds, known.evidence = text, seconds, log.evidence
    worst = sorted(slow.values(), key=lambda operation: (-operation.seconds, -operation.count))[:3]
    if not worst:
        return
    examples = "; ".join(f"{quote(plain.line(o.text, 120))} ({o.count} times)" for o in worst)
    yield Suspicion(
        category="dependency",
        headline=f"slow operations of up to {worst[0].seconds:g} seconds in the log of {facts.label}",
        statement=f"{facts.label} is slow: “{plain.line(alert, 200)}”. Its log names operations of up to "
        f"{worst[0].seconds:g} seconds: {examples}.",
        confidence="medium",
        depth=Depth.CAUSE,
        evidence=cite(*(operation.evidence for operation in worst)),
        unknowns=("What makes those operations slow: look at the database or service that they call.",),
    )


def _annotations(facts: Facts) -> Iterator[str]:
    for alert in facts.alerts[:3]:
        yield alert.annotations.get("description", "")


def _seconds(text: str) -> float:
    """Return the longest time that a line names."""
    return max(
        (float(number) / (1000 if unit.lower().startswith("m") else 1) for number, unit in _TOOK.findall(text)),
        default=0.0,
    )
