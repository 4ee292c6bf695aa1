"""A runbook: one YAML file of the catalogue, checked against the schema and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bot.domain.policy import Window

Risk = Literal["low", "medium", "high", "critical"]
Idempotency = Literal["safe", "keyed", "none"]
OnFailure = Literal["stop", "continue", "rollback"]
RollbackApproval = Literal["included", "none"]


@dataclass(frozen=True, slots=True)
class Check:
    """A named, closed-vocabulary check with arguments: a precondition, a condition or the verification."""

    check: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a target may spread once it is resolved: most objects, their share of all of the kind in the namespace,
    how many are changed before their health is looked at, and how many of them may fail."""

    max_targets: int = 1
    max_percent: int = 100
    batch: int = 0
    max_errors: int = 0


@dataclass(frozen=True, slots=True)
class Where:
    """What is changed: objects of a kind by name, by label ``selector``, or the pods ``on_node``.

    ``${parameters.x}`` in it is replaced by data, never evaluated. Without ``namespaces`` any may come of it, else only
    those.
    """

    kind: str
    namespace: str
    name: str
    selector: Mapping[str, str]
    on_node: str
    reach: Reach
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undo:
    """The action that takes a step back where the step's own action has no inverse."""

    action: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One typed action with its arguments; ``${parameters.x}`` in them is replaced by data, never evaluated.

    ``where`` is None for the runbook's own target. The step is done if ``condition`` holds (or, with ``negated``,
    does not) when the plan is made. ``retries`` is how often a call that certainly had no effect is sent again.
    """

    id: str
    action: str
    arguments: Mapping[str, Any]
    timeout_seconds: int
    where: Where | None = None
    preconditions: tuple[Check, ...] = ()
    condition: Check | None = None
    negated: bool = False
    idempotency: Idempotency = "none"
    retries: int = 0
    on_failure: OnFailure = "stop"
    undo: Undo | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """How Signoff tells whether a run helped: the check must hold for ``stable_seconds`` within the deadline.

    ``on_failure`` says what follows when it did not help.
    """

    check: Check
    deadline_seconds: int
    stable_seconds: int
    on_failure: OnFailure = "stop"


@dataclass(frozen=True, slots=True)
class Rollback:
    """How a run is undone: its inverse calls are part of what is approved (``included``), or people undo it, by another
    runbook with its own approval (``none``). ``note`` says it to people."""

    note: str
    approval: RollbackApproval = "none"


@dataclass(frozen=True, slots=True)
class ApprovalNeeds:
    """How many eligible people must approve, of which groups, and for how long the request stands; and whether those
    whom the configuration lists for emergencies may release it without them."""

    quorum: int
    ttl_seconds: int
    groups: Mapping[str, int] = field(default_factory=dict)
    requester_may_approve: bool = False
    break_glass: bool = True


@dataclass(frozen=True, slots=True)
class Runbook:
    """One runbook. ``digest`` is the SHA-256 of the canonical JSON of its file.

    ``owned`` says what to do where something else keeps the target as it is: refuse, or warn. ``windows`` are
    checked beside those of the configuration; ``per_hour`` is how often it may run, 0 for any number; ``run_seconds``
    how long after its first step a run may begin another, 0 for any time.
    """

    id: str
    version: int
    title: str
    description: str
    risk: Risk
    parameters: Mapping[str, Any]
    target: Where
    preconditions: tuple[Check, ...]
    steps: tuple[Step, ...]
    verification: Verification
    rollback: Rollback
    approval: ApprovalNeeds
    digest: str
    path: str
    owner: str = ""
    owned: Literal["refuse", "warn"] = "refuse"
    windows: tuple[Window, ...] = ()
    lock: str = ""
    per_hour: int = 0
    run_seconds: int = 0

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of things that it touches."""
        return frozenset({self.target.kind, *(step.where.kind for step in self.steps if step.where is not None)})
