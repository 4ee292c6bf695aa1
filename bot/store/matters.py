"""What requests for sign-off are about, by the id of its row: an incident or a CI run, whose ids are never alike."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.domain.incident import Incident
from bot.domain.matter import Matter
from bot.store import ci, incidents


def get(connection: Connection, matter_id: str) -> Matter:
    """Read a matter. Raises ``UnreadableRow`` if it no longer parses, ``LookupError`` if there is none."""
    found = find(connection, matter_id)
    if found is None:
        raise LookupError(f"there is no incident and no CI run {matter_id}")
    return found


def find(connection: Connection, matter_id: str) -> Matter | None:
    """Read a matter, or None if there is no such one."""
    return incidents.find(connection, matter_id) or ci.find(connection, matter_id)


def is_open(connection: Connection, matter: Matter) -> bool:
    """Say whether anything still has to be done about it: the incident is open, or the failed run is the newest of its
    workflow. Reads anew."""
    if isinstance(matter, Incident):
        return incidents.get(connection, matter.id).status == "open"
    return matter.conclusion in ci.FAILED and ci.is_newest(connection, matter)


def may_be_asked_about(connection: Connection, matter: Matter) -> bool:
    """Say whether a person may ask for an action for it. After an incident is over, too: what was done for it may have
    to be taken back (a cordon, a pause, a silence)."""
    return isinstance(matter, Incident) or is_open(connection, matter)
