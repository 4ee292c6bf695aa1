"""Whether actions are off: the audit's last word on them, read in the very transaction that begins a call.

It is kept nowhere else: who writes to the database without a key can turn nothing on.
"""

from __future__ import annotations

from sqlalchemy import Connection

from bot.domain.approval import Person
from bot.domain.audit import AuditEvent
from bot.domain.stop import Asker, Stop
from bot.store import audit
from bot.store.approvals import person

SUBJECT = "actions"
STOP, ASK, LIFT = "actions.stop", "actions.ask", "actions.lift"


def current(connection: Connection) -> Stop | None:
    """Return the stop that holds now, or None if actions may start. A last word that is not ours turns them off."""
    last, fault = audit.last(connection, SUBJECT, (STOP, LIFT))
    if last is None:
        return None
    asked, doubt = audit.last(connection, SUBJECT, (ASK,), after=last.seq)
    lift_asked = _asker(asked) if asked is not None and not doubt else None
    if fault:
        return Stop(last.seq, Asker(Person("", ""), "", last.at), "", lift_asked, doubt=fault)
    if last.kind == LIFT:
        return None
    return Stop(last.seq, _asker(last), str(last.data.get("reason", "")), lift_asked)


def _asker(said: AuditEvent) -> Asker:
    return Asker(person(said.actor), str(said.data.get("name", "")), said.at)
