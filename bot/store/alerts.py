"""Alerts as rows: one webhook body becomes one transaction, and only a change asks for work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.alert import Alert, Delivery
from bot.store import work
from bot.store.tables import alerts, groups, incidents

_CHUNK = 500  # rows a statement: under SQLite's bound of 32,766 variables


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a delivery came to: ``generation`` is None when it changed nothing."""

    group_id: str
    generation: int | None
    new: int
    changed: int


def accept(connection: Connection, delivery: Delivery, *, now: int) -> Accepted:
    """Store a delivery. Alerts upsert by (source, groupKey, fingerprint, startsAt); resolved beats firing for one
    startsAt, so a late or repeated delivery never undoes a newer one. Unchanged state raises no work."""
    group_id = delivery.group_id
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    shared = {
        "receiver": delivery.receiver,
        "group_labels": dict(delivery.group_labels),
        "common_labels": dict(delivery.common_labels),
        "common_annotations": dict(delivery.common_annotations),
        "external_url": delivery.external_url,
        "truncated": delivery.truncated_alerts,
        "last_seen_at": now,
    }
    connection.execute(
        insert(groups)
        .values(id=group_id, source=delivery.source, group_key=delivery.group_key, **(shared | {"truncated": 0}))
        .on_conflict_do_nothing()
    )
    group = connection.execute(
        select(groups.c.truncated, groups.c.incident_id).where(groups.c.id == group_id).with_for_update()
    ).one()
    connection.execute(update(groups).where(groups.c.id == group_id).values(**shared))
    new, changed = _store(connection, group_id, delivery.alerts, now=now)
    moved = bool(new or changed) or group.truncated != delivery.truncated_alerts
    generation = work.want(connection, "group", group_id) if moved or _is_stale(connection, group.incident_id) else None
    return Accepted(group_id, generation, new, changed)


def _store(connection: Connection, group_id: str, incoming: Sequence[Alert], *, now: int) -> tuple[int, int]:
    known = {
        (row.fingerprint, row.starts_at): row.status
        for chunk in _chunks(sorted({alert.fingerprint for alert in incoming}))
        for row in connection.execute(
            select(alerts.c.fingerprint, alerts.c.starts_at, alerts.c.status).where(
                alerts.c.group_id == group_id, alerts.c.fingerprint.in_(chunk)
            )
        )
    }
    fresh: dict[tuple[str, int], dict[str, Any]] = {}
    resolved: dict[tuple[str, int], Alert] = {}
    for alert in incoming:
        key = (alert.fingerprint, alert.starts_at)
        if key not in known:
            earlier = fresh.get(key)
            if earlier is None or earlier["status"] == "firing":
                fresh[key] = _row(group_id, alert, now)
        elif known[key] == "firing" and alert.status == "resolved":
            resolved[key] = alert
    if fresh:
        connection.execute(alerts.insert(), list(fresh.values()))
    for (fingerprint, starts_at), alert in resolved.items():
        connection.execute(
            update(alerts)
            .where(alerts.c.group_id == group_id, alerts.c.fingerprint == fingerprint, alerts.c.starts_at == starts_at)
            .values(status="resolved", ends_at=alert.ends_at, changed_at=now)
        )
    return len(fresh), len(resolved)


def _row(group_id: str, alert: Alert, now: int) -> dict[str, Any]:
    return {
        "group_id": group_id,
        "fingerprint": alert.fingerprint,
        "starts_at": alert.starts_at,
        "status": alert.status,
        "ends_at": alert.ends_at,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "generator_url": alert.generator_url,
        "incident_id": None,
        "first_seen_at": now,
        "changed_at": now,
    }


def _is_stale(connection: Connection, incident_id: str | None) -> bool:
    if incident_id is None:
        return False
    status = connection.execute(select(incidents.c.status).where(incidents.c.id == incident_id)).scalar_one_or_none()
    return status == "stale"


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def of_incident(connection: Connection, incident_id: str, *, limit: int = 50) -> tuple[Alert, ...]:
    """Return an incident's alerts, firing first, then by start: at most ``limit``."""
    rows = connection.execute(
        select(alerts)
        .where(alerts.c.incident_id == incident_id)
        .order_by(alerts.c.status, alerts.c.starts_at, alerts.c.fingerprint)
        .limit(limit)
    )
    return tuple(alert_of(row) for row in rows)


def alert_of(row: Row[Any]) -> Alert:
    """Read an alert from its row."""
    return Alert(
        fingerprint=row.fingerprint,
        starts_at=row.starts_at,
        status=row.status,
        ends_at=row.ends_at,
        labels=row.labels,
        annotations=row.annotations,
        generator_url=row.generator_url,
    )
