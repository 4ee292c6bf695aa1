"""How alerts become incidents: given a group's alerts and its incident so far, what the incident is now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.domain.alert import Alert
from bot.domain.incident import Incident, IncidentStatus

Change = Literal["opened", "reopened", "resolved", "returned", "joined", "unchanged"]

SEVERITIES = ("critical", "page", "high", "error", "major", "warning", "medium", "minor", "low", "info", "none")
HEADLINE = ("summary", "message", "description")
"""The annotations that a headline may quote, the first that says anything."""
_TITLES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Face:
    """What an incident shows of its alerts: how bad, what, and the labels that all of them share."""

    severity: str
    title: str
    summary: str
    labels: Mapping[str, str]
    firing: int
    total: int


@dataclass(frozen=True, slots=True)
class Joined:
    """The outcome for a group: ``change`` and the incident's next status. ``opened`` means a new incident is needed,
    ``returned`` that one that nothing was heard of still fires."""

    change: Change
    status: IncidentStatus
    face: Face


def join(
    current: Incident | None,
    unassigned: Sequence[Alert],
    assigned: Sequence[Alert],
    *,
    truncated: int,
    now: int,
    reopen_within: int,
) -> Joined | None:
    """Decide what a group's alerts make of its incident. Returns None when there is nothing to say.

    ``assigned`` are the alerts the current incident has, ``unassigned`` those it has not seen. Times are microseconds;
    ``reopen_within`` is how long after an incident ended a refire still belongs to it: later it is a new one. Alerts
    that were never heard of firing, and belong to no incident, are over without a word.
    """
    if current is not None and unassigned and not _belong(current, unassigned, assigned, now - reopen_within):
        current = None
    if current is None:
        if not any(alert.fired for alert in unassigned):
            return None
        face = describe(unassigned)
        return Joined("opened", "open" if face.firing else "resolved", face)
    face = describe([*assigned, *unassigned])
    if not face.firing:
        if current.status != "resolved":
            return Joined("resolved", "resolved", face)
        return Joined("joined" if unassigned or current.truncated != truncated else "unchanged", "resolved", face)
    if current.status == "resolved":
        return Joined("reopened", "open", face)
    if current.status == "stale":
        return Joined("returned", "open", face)
    # A text that changes while the alert repeats is no change of its state; one where there was none tells something.
    same = (
        not unassigned
        and (current.firing, current.total, current.truncated) == (face.firing, face.total, truncated)
        and bool(current.summary) >= bool(face.summary)
    )
    return Joined("unchanged" if same else "joined", "open", face)


def _belong(current: Incident, unassigned: Sequence[Alert], assigned: Sequence[Alert], since: int) -> bool:
    """Say whether new alerts belong to the current incident: it goes on, or it ended at ``since`` or later."""
    if current.status == "resolved":
        return (current.resolved_at or 0) >= since
    if current.status == "stale" and not any(alert.status == "firing" for alert in assigned):
        return current.last_seen_at >= since
    return True


def describe(alerts: Sequence[Alert]) -> Face:
    """Sum up alerts for a headline. Firing ones speak first; resolved ones speak only when nothing fires. An alert
    that started several times counts once, and the order in which they came says nothing."""
    ordered = sorted(alerts, key=lambda alert: (alert.starts_at, alert.fingerprint))
    firing = [alert for alert in ordered if alert.status == "firing"]
    speaking = firing or ordered
    names = Counter(alert.labels.get("alertname", "").strip() or "unnamed alert" for alert in speaking)
    shown = [name for name, _ in names.most_common(_TITLES_SHOWN)]
    title = ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")
    return Face(
        severity=min((alert.labels.get("severity", "").strip().lower() for alert in speaking), key=_rank, default=""),
        title=title,
        summary=next((text for alert in speaking if (text := headline(alert.annotations))), ""),
        labels=_common(speaking),
        firing=len({alert.fingerprint for alert in firing}),
        total=len({alert.fingerprint for alert in alerts}),
    )


def _rank(severity: str) -> tuple[int, str]:
    return (SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES), severity)


def headline(annotations: Mapping[str, str]) -> str:
    """Return what an alert says of itself in a headline, an empty string if its annotations are blank."""
    return next((text for key in HEADLINE if (text := annotations.get(key, "").strip())), "")


def _common(alerts: Sequence[Alert]) -> Mapping[str, str]:
    if not alerts:
        return {}
    first = dict(alerts[0].labels)
    for alert in alerts[1:]:
        first = {key: value for key, value in first.items() if alert.labels.get(key) == value}
    return first
