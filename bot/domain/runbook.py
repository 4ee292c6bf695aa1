"""A runbook: one YAML file of the catalogue, checked against the schema and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Risk = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True)
class Step:
    """One typed action with its arguments; ``${parameters.x}`` in them is replaced by data, never evaluated."""

    id: str
    action: str
    arguments: Mapping[str, Any]
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class Check:
    """A named, closed-vocabulary check with arguments: a precondition or the verification."""

    check: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """How Signoff tells whether a run helped: the check must hold for ``stable_seconds`` within the deadline."""

    check: Check
    deadline_seconds: int
    stable_seconds: int


@dataclass(frozen=True, slots=True)
class ApprovalNeeds:
    """How many eligible people must approve, how many of which group, and for how long the request stands.

    The policy of the configuration may ask for more. ``requester_may_approve`` is for low risk only.
    """

    quorum: int
    ttl_seconds: int
    groups: Mapping[str, int] = field(default_factory=dict)
    requester_may_approve: bool = False


@dataclass(frozen=True, slots=True)
class Runbook:
    """One runbook. ``digest`` is the SHA-256 of the canonical JSON of its file."""

    id: str
    version: int
    title: str
    description: str
    risk: Risk
    parameters: Mapping[str, Any]
    target: Mapping[str, Any]
    preconditions: tuple[Check, ...]
    steps: tuple[Step, ...]
    verification: Verification
    rollback: str
    approval: ApprovalNeeds
    digest: str
    path: str
