"""An incident: the alerts of one group while they belong together, and what may become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

IncidentStatus = Literal["open", "resolved", "stale"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an incident is about, as far as its labels say. ``cluster`` is None when no such cluster is configured."""

    cluster: str | None
    cluster_label: str
    namespace: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, as stored. ``number`` is what people read; ``previous`` links a refire to the incident before."""

    id: str
    number: int
    group_id: str
    source: str
    status: IncidentStatus
    severity: str
    title: str
    summary: str
    subject: Subject
    labels: Mapping[str, str]
    firing: int
    total: int
    truncated: int
    opened_at: int
    last_seen_at: int
    resolved_at: int | None
    reopened: int
    previous: int | None
    reopened_at: int | None = None

    @property
    def since(self) -> int:
        """When it began, this time: a refire begins anew."""
        return self.opened_at if self.reopened_at is None else self.reopened_at

    @property
    def name(self) -> str:
        """The name people use, ``INC-142``."""
        return f"INC-{self.number}"
