"""A triage: what is probably wrong, how sure we are, on which evidence, and what might help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "high", "medium", "low"]
Confidence = Literal["high", "medium", "low"]
CATEGORIES = (
    "bad-rollout",
    "crash",
    "out-of-memory",
    "image-pull",
    "scheduling",
    "configuration",
    "dependency",
    "resource-exhaustion",
    "probe",
    "node",
    "network",
    "storage",
    "noise",
    "unknown",
)


@dataclass(frozen=True, slots=True)
class Cause:
    """A likely cause, with the evidence ids it rests on (never empty once verified)."""

    statement: str
    confidence: Confidence
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A runbook of the catalogue that may help, with parameters that passed its schema. Data, never a command."""

    runbook: str
    parameters: Mapping[str, Any]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Triage:
    """What the card says. ``analyst`` is ``rules`` or the model's name; ``note`` says why the rules answered;
    ``dropped`` counts what did not verify, by reason."""

    severity: Severity
    category: str
    summary: str
    causes: tuple[Cause, ...]
    unknowns: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    analyst: str
    note: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)
