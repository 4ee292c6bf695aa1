"""A suspicion: what one failure mode makes of the facts, before suspicions are ranked against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from bot.domain.triage import Confidence, Severity


class Depth(IntEnum):
    """How near a suspicion comes to the root: among equally sure ones, the deeper explains the others."""

    SYMPTOM = 0
    CIRCUMSTANCE = 1
    CAUSE = 2
    STATED = 3


@dataclass(frozen=True, slots=True)
class Remedy:
    """A runbook that would help if the suspicion is right, named as the shipped catalogue names it."""

    runbook: str
    parameters: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One likely cause. ``headline`` is its short form for the summary; with no ``evidence`` it only colours that.

    ``lasting`` remedies are proposed beside those that help at once: they keep it from coming back.
    ``echo`` are words that make it redundant where a likelier cause quotes them already.
    """

    category: str
    headline: str
    statement: str
    confidence: Confidence
    depth: Depth
    evidence: tuple[str, ...]
    remedies: tuple[Remedy, ...] = ()
    unknowns: tuple[str, ...] = ()
    severity: Severity | None = None
    echo: str = ""
    lasting: bool = False


def quote(text: str) -> str:
    """Put a decisive string between quotation marks, as it stands."""
    return f"“{text}”"


def cite(*ids: str) -> tuple[str, ...]:
    """Return the ids that are there, each once, in order."""
    return tuple(dict.fromkeys(filter(None, ids)))
