"""A matter: what a request for sign-off is about, an incident or a CI run that failed."""

from __future__ import annotations

from bot.domain.ci import CiRun
from bot.domain.incident import Incident

Matter = Incident | CiRun


def cluster_of(matter: Matter) -> str:
    """Return the cluster that it is in; an empty string where it is in none, or in one that nobody knows."""
    return (matter.subject.cluster or "") if isinstance(matter, Incident) else ""
