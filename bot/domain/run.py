"""A run: the one execution of one approved plan, step by step, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RunState = Literal[
    "starting",
    "running",
    "verifying",
    "rolling_back",
    "succeeded",
    "unhelpful",
    "inconclusive",
    "failed",
    "rolled_back",
    "void",
    "unknown",
]
StepState = Literal["started", "done", "failed", "unknown"]

FINAL: frozenset[RunState] = frozenset({"succeeded", "unhelpful", "inconclusive", "failed", "rolled_back", "void"})
UNBEGUN: frozenset[RunState] = frozenset({"starting", "running"})
"""What a run without a row in its ledger may be in: it can still be stopped."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``succeeded`` means the verification saw it help; ``unhelpful`` that it did not (worse is a reason);
    ``inconclusive`` that nobody can tell; ``rolled_back`` that what it did was taken back, as was approved with it;
    ``unknown`` that we cannot know whether a step took effect, and ask."""

    id: str
    approval_id: str
    matter_id: str
    state: RunState
    started_at: int
    ended_at: int | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A row of the action ledger: written before the call, completed after it, never written twice. ``tried_at`` is
    when its last attempt began; one in doubt may still take effect before ``open_until``."""

    run_id: str
    ordinal: int
    state: StepState
    started_at: int
    tried_at: int
    ended_at: int | None = None
    detail: str = ""
    open_until: int | None = None
