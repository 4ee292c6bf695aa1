"""Alerts as rows: one webhook body becomes one transaction, and only a change asks for work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.alert import Alert, Delivery
from bot.domain.episodes import Episode, settle
from bot.store import work
from bot.store.tables import alerts, groups, incidents
from bot.store.unreadable import UnreadableRow, parse

_ALERT = TypeAdapter(Alert)
_CHUNK = 500  # rows a statement: under SQLite's bound of 32,766 variables


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a delivery came to: ``generation`` is None when it changed nothing."""

    group_id: str
    generation: int | None
    new: int
    changed: int


def accept(connection: Connection, delivery: Delivery, *, now: int) -> Accepted:
    """Store a delivery. Alerts upsert by (source, groupKey, fingerprint, startsAt), by the rules of ``episodes``, so a
    late or repeated delivery never undoes a newer one. Unchanged state raises no work."""
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
    came: dict[str, list[Alert]] = {}
    for alert in incoming:
        came.setdefault(alert.fingerprint, []).append(alert)
    known = _known(connection, group_id, came)
    fresh: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    for fingerprint, mine in came.items():
        before = known.get(fingerprint, {})
        after = settle(before, (Episode(alert.starts_at, alert.status, alert.ends_at) for alert in mine))
        first = {alert.starts_at: alert for alert in reversed(mine)}
        for start, episode in after.items():
            if start not in before:
                fresh.append(_row(group_id, first[start], episode, now))
            elif episode != before[start]:
                ended.append({"of": fingerprint, "start": start, "ends_at": episode.ends_at})
    if fresh:
        connection.execute(alerts.insert(), fresh)
    if ended:
        one = (alerts.c.fingerprint == bindparam("of")) & (alerts.c.starts_at == bindparam("start"))
        connection.execute(
            update(alerts).where(alerts.c.group_id == group_id, one).values(status="resolved", changed_at=now), ended
        )
    return len(fresh), len(ended)


def _known(connection: Connection, group_id: str, came: Mapping[str, Sequence[Alert]]) -> dict[str, dict[int, Episode]]:
    """Read the stored episodes that matter for what came: not the long past of an alert that flaps."""
    known: dict[str, dict[int, Episode]] = {}
    earliest = min((alert.starts_at for alerts_of in came.values() for alert in alerts_of), default=0)
    for chunk in _chunks(sorted(came)):
        rows = connection.execute(
            select(alerts.c.fingerprint, alerts.c.starts_at, alerts.c.status, alerts.c.ends_at).where(
                alerts.c.group_id == group_id,
                alerts.c.fingerprint.in_(chunk),
                (alerts.c.status == "firing") | (alerts.c.starts_at >= earliest),
            )
        )
        for row in rows:
            known.setdefault(row.fingerprint, {})[row.starts_at] = Episode(row.starts_at, row.status, row.ends_at)
    return known


def _row(group_id: str, alert: Alert, episode: Episode, now: int) -> dict[str, Any]:
    return {
        "group_id": group_id,
        "fingerprint": alert.fingerprint,
        "starts_at": alert.starts_at,
        "status": episode.status,
        "ends_at": episode.ends_at,
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
    """Return an incident's alerts, firing first, then by start: at most ``limit``, and none that cannot be read."""
    rows = connection.execute(
        select(alerts)
        .where(alerts.c.incident_id == incident_id)
        .order_by(alerts.c.status, alerts.c.starts_at, alerts.c.fingerprint)
        .limit(limit)
    )
    return readable(rows)


def readable(rows: Iterable[Row[Any]], aside: Callable[[UnreadableRow], None] | None = None) -> tuple[Alert, ...]:
    """Read alerts from their rows, leaving out those that no longer parse, which ``aside`` is told of."""
    found = []
    for row in rows:
        try:
            found.append(parse(_ALERT, row, "alerts", named="fingerprint"))
        except UnreadableRow as problem:
            if aside is not None:
                aside(problem)
    return tuple(found)
