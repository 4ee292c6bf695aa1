"""An alert as Alertmanager sends it, and the delivery that brought it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

AlertStatus = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a group. ``(source, group_key, fingerprint, starts_at)`` names it for ever. ``fired`` says of a
    stored one whether it was ever heard of firing: it is False if it was over when it was first heard of."""

    fingerprint: str
    starts_at: int
    status: AlertStatus
    ends_at: int | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    generator_url: str = ""
    fired: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook body, bounded and parsed. ``source`` is configured per receiver, so HA peers coincide."""

    source: str
    receiver: str
    group_key: str
    group_labels: Mapping[str, str]
    common_labels: Mapping[str, str]
    common_annotations: Mapping[str, str]
    external_url: str
    truncated_alerts: int
    alerts: tuple[Alert, ...]

    @property
    def group_id(self) -> str:
        """The opaque id of the alert group: the same for every delivery of one source and groupKey."""
        return group_id(self.source, self.group_key)


def group_id(source: str, group_key: str) -> str:
    """Hash (source, groupKey) to a short id, since a groupKey may be longer than a database index allows."""
    joined = f"{len(source)}:{source}{group_key}".encode()
    return "g" + hashlib.sha256(joined).hexdigest()[:24]
