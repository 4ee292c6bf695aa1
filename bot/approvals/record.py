"""What the audit must say of a request before each call: asked, approved, not ended since, and this call not begun.

An older state of a row is as well signed as its newest one, and a run's ledger is not signed at all. The audit only
grows, so it tells what is the newest and what was begun.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.audit import AuditEvent

# The last part of an event's kind, where the event says how a request stands: vote.approved, break_glass.approved,
# approval.expired.
_APPROVED, _REVOKED = "approved", "revoked"
_ENDED = frozenset({"denied", "cancelled", "expired", "void", "superseded"})


def contradiction(events: Sequence[AuditEvent], digest: str, ordinal: int = 0) -> str:
    """Say why a plan's call may not be made, going by its audit events in order; "" if they agree that it may. The
    first call, number 0, must be the first of all; each other one must follow it."""
    if not events or events[0].kind != "approval.requested" or events[0].data.get("digest") != digest:
        return "The audit does not know this request."
    begun = {event.data.get("ordinal") for event in events if event.kind.startswith("step.")}
    if ordinal in begun or (begun and not ordinal):
        return "The audit says that it was begun before."
    if ordinal and 0 not in begun:
        return "The audit does not say that the calls before were begun."
    words = [(event, event.kind.rpartition(".")[2]) for event in events]
    ended = next((event for event, word in words if word in _ENDED), None)
    if ended is not None:
        return f"The audit says that it ended: {ended.kind}."
    told = [(event, word) for event, word in words if word in (_APPROVED, _REVOKED)]
    if not told or told[-1][1] != _APPROVED or told[-1][0].data.get("digest") != digest:
        last = told[-1][0].kind if told else events[0].kind
        return f"The audit does not say that it is approved: its last word is {last}."
    return ""
