"""The program runs and complains: the kinds of errors in its logs, amid whatever else is there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import plain
from bot.analysis.error_lines import ErrorLine, error_lines
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

KINDS = 4


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each kind of error that the logs repeat, gravest and most frequent first."""
    found: dict[str, tuple[ErrorLine, list[str]]] = {}
    for log in facts.logs:
        for line in error_lines(log.text, limit=KINDS):
            found.setdefault(line.text, (line, []))[1].append(log.evidence)
    ranked = sorted(found.values(), key=lambda entry: (-entry[0].gravity, -entry[0].count))
    for line, evidence in ranked[:KINDS]:
        if line.gravity < 2:
            continue
        text = plain.line(line.text, 300)
        times = f"{line.count} times" if line.count > 1 else "once"
        yield Suspicion(
            category="crash" if line.gravity == 3 else "unknown",
            headline=f"errors in the log of {facts.label}: {plain.line(text, 140)}",
            statement=f"The log of {facts.label} reports {times}: {quote(text)}.",
            confidence="medium" if line.gravity == 3 or line.count > 1 else "low",
            depth=Depth.CIRCUMSTANCE if line.count > 1 or line.gravity == 3 else Depth.SYMPTOM,
            evidence=cite(*evidence),
            echo=plain.line(line.text, 100).rstrip("…"),
        )
