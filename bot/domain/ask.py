"""An ask: a runbook that somebody wants run, or a request for sign-off that is to be made anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.approval import Person


@dataclass(frozen=True, slots=True)
class Ask:
    """One ask, as stored before it was acknowledged. ``person`` is None where Signoff asks by itself.

    ``on_behalf_of`` is whom that person acts for, if they say so.
    ``replaces`` is the id of the request whose place it takes, ``outcome`` is empty until it is dealt with.
    ``proposed_by`` says which analysis wants it, on what ``evidence``, if one does.
    """

    id: str
    matter_id: str
    runbook: str
    parameters: Mapping[str, Any]
    person: Person | None
    person_name: str
    replaces: str | None
    received_at: int
    on_behalf_of: Person | None = None
    approval_id: str | None = None
    outcome: str = ""
    proposed_by: str = ""
    evidence: tuple[str, ...] = ()
