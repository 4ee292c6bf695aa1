"""The life of an approval: for every state and every event either the next state or a sentence why not.

    pending ──approve──▶ approved ──start──▶ approved, started (the run takes over)
       └──────┬──────────────┘
              └─ deny, cancel, expire, void, supersede ─▶ denied, cancelled, expired, void, superseded (final)

An approval that is taken back (revoke) leaves a pending request pending. An approved one becomes void, to be asked anew
with no votes: nothing ever leads back. Until the run starts everything can still stop it; then nothing here can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bot.domain.approval import ApprovalState

Event = Literal["approve", "revoke", "deny", "cancel", "expire", "void", "supersede", "start"]

STATES: tuple[ApprovalState, ...] = get_args(ApprovalState)
EVENTS: tuple[Event, ...] = get_args(Event)

_ENDS: dict[Event, ApprovalState] = {
    "deny": "denied",
    "cancel": "cancelled",
    "expire": "expired",
    "void": "void",
    "supersede": "superseded",
}
_WHY_OVER: dict[ApprovalState, str] = {
    "denied": "it was denied",
    "cancelled": "whoever asked for it took it back",
    "expired": "it has expired",
    "void": "what it was for has changed",
    "superseded": "a newer request took its place",
}
_ATTEMPT: dict[Event, str] = {
    "approve": "be approved",
    "revoke": "lose an approval",
    "deny": "be denied",
    "cancel": "be cancelled",
    "expire": "expire",
    "void": "become void",
    "supersede": "be replaced by a newer request",
    "start": "start a run",
}


@dataclass(frozen=True, slots=True)
class Moved:
    """The state an event leads to, and whether the run has started."""

    state: ApprovalState
    started: bool


@dataclass(frozen=True, slots=True)
class Illegal:
    """Why the event changes nothing, as a sentence about the request."""

    sentence: str


def step(state: ApprovalState, event: Event, *, started: bool = False) -> Moved | Illegal:
    """Return where ``event`` leads. Total: every state and event has an answer, and nothing is raised."""
    attempt = _ATTEMPT.get(event, "do this")
    if state in _WHY_OVER:
        return Illegal(f"The request cannot {attempt}: {_WHY_OVER[state]}.")
    if started:
        return Illegal(f"The request cannot {attempt}: its run has started.")
    match state, event:
        case "pending", "approve":
            return Moved("approved", False)
        case "approved", "start":
            return Moved("approved", True)
        case "pending", "revoke":
            return Moved("pending", False)
        case "approved", "revoke":
            return Moved("void", False)
        case "pending" | "approved", "deny" | "cancel" | "expire" | "void" | "supersede":
            return Moved(_ENDS[event], False)
        case "pending", "start":
            return Illegal("The request cannot start a run: it is not approved yet.")
        case "approved", "approve":
            return Illegal("The request is approved already.")
        case _:
            return Illegal(f"The request cannot {attempt}: its record cannot be read.")
