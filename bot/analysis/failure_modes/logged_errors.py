"""The program runs and complains: the kinds of errors in its logs, amid whatever else is there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.analysis import plain
from bot.analysis.error_lines import CRASH, MARKED, ErrorLine, error_lines
from bot.analysis.facts import Facts
from bot.analysis.suspicion import Depth, Suspicion, cite, quote

KINDS = 4


def suspect(facts: Facts) -> Iterator[Suspicion]:
    """Suspect each kind of error that the logs repeat, gravest and most frequent first.

    Lines that only sound like trouble ("permission denied") are guesses, and named where no line is marked as an error.
    """
    found: dict[str, tuple[ErrorLine, list[str]]] = {}
    for log in facts.logs:
        for line in error_lines(log.text, limit=KINDS):
            found.setdefault(line.text, (line, []))[1].append(log.evidence)
    ranked = sorted(found.values(), key=lambda entry: (-entry[0].gravity, -entry[0].count))
    marked = [entry for entry in ranked if entry[0].gravity >= MARKED]
    for line, evidence in (marked or ranked)[:KINDS]:
        yield _suspicion(facts, line, evidence)


def _suspicion(facts: Facts, line: ErrorLine, evidence: list[str]) -> Suspicion:
    text = plain.line(line.text, 300)
    times = f"{line.count} times" if line.count > 1 else "once"
    repeated = line.gravity >= MARKED and line.count > 1
    return Suspicion(
        category="crash" if line.gravity == CRASH else "unknown",
        headline=f"errors in the log of {facts.label}: {plain.line(text, 140)}",
        statement=f"The log of {facts.label} reports {times}: {quote(text)}.",
        confidence="medium" if line.gravity == CRASH or repeated else "low",
        depth=Depth.CIRCUMSTANCE if line.gravity == CRASH or repeated else Depth.SYMPTOM,
        evidence=cite(*evidence),
        echo=plain.line(line.text, 100).rstrip("…"),
    )
