"""Alerts as rows: one webhook body becomes one transaction, and only a change asks for work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.alert import Alert, Delivery
from bot.domain.episodes import Episode, settle
from bot.domain.joining import HEADLINE, headline
from bot.store import work
from bot.store.tables import alerts, groups, incidents
from bot.store.unreadable import UnreadableRow, parse

_ALERT = TypeAdapter(Alert)
_CHUNK = 500  # rows a statement: under SQLite's bound of 32,766 variables


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a delivery came to: ``generation`` is None when it asks for no work. ``new`` and ``changed`` count rows."""

    group_id: str
    generation: int | None
    new: int
    changed: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A stored episode, and what it says of itself."""

    episode: Episode
    annotations: Mapping[str, str]
    generator_url: str


@dataclass
class _Written:
    """What a delivery made of the rows: episodes that are new, ended or go on, and texts that are other ones now."""

    fresh: list[dict[str, Any]] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    headline: bool = False
    """Whether an alert that said nothing of itself now does."""


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
    written = _store(connection, group_id, delivery.alerts, now=now)
    news = bool(written.fresh or written.moved)
    concluded = _conclude(connection, delivery, now=now) if news else 0
    asks = news or written.headline or group.truncated != delivery.truncated_alerts
    generation = work.want(connection, "group", group_id) if asks or _is_stale(connection, group.incident_id) else None
    changed = {(row["of"], row["start"]) for row in (*written.moved, *written.told)}
    return Accepted(group_id, generation, len(written.fresh), len(changed) + concluded)


def _store(connection: Connection, group_id: str, incoming: Sequence[Alert], *, now: int) -> _Written:
    came: dict[str, list[Alert]] = {}
    for alert in incoming:
        came.setdefault(alert.fingerprint, []).append(alert)
    known = _known(connection, group_id, came)
    written = _Written()
    for fingerprint, mine in came.items():
        before = known.get(fingerprint, {})
        episodes = {start: row.episode for start, row in before.items()}
        after = settle(episodes, (Episode(alert.starts_at, alert.status, alert.ends_at) for alert in mine))
        first = {alert.starts_at: alert for alert in reversed(mine)}
        fired = {alert.starts_at for alert in mine if alert.status == "firing"}
        for start, episode in after.items():
            if start not in before:
                written.fresh.append(_row(group_id, first[start], episode, start in fired, now))
                continue
            if episode != episodes[start]:
                written.moved.append(_moved(fingerprint, episode))
            if episode.status == "firing" and start in first:
                _tell(written, before[start], first[start])
    if written.fresh:
        connection.execute(alerts.insert(), written.fresh)
    mine_is = (alerts.c.fingerprint == bindparam("of")) & (alerts.c.starts_at == bindparam("start"))
    changing = update(alerts).where(alerts.c.group_id == group_id, mine_is)
    if written.moved:
        connection.execute(changing.values(concluded=False, changed_at=now), written.moved)
        # An incident that was over may be long past: joining decides anew where an alert that goes on belongs.
        on = [{"of": row["of"], "start": row["start"]} for row in written.moved if row["status"] == "firing"]
        if on:
            connection.execute(changing.values(incident_id=None), on)
    if written.told:
        connection.execute(changing, written.told)
    return written


def _moved(fingerprint: str, episode: Episode) -> dict[str, Any]:
    return {"of": fingerprint, "start": episode.starts_at, "status": episode.status, "ends_at": episode.ends_at}


def _tell(written: _Written, before: _Known, alert: Alert) -> None:
    """Note what a firing alert says of itself now. A blank never takes the place of a text: HA peers may differ."""
    kept = {
        key: text
        for key in HEADLINE
        if (text := before.annotations.get(key, "")).strip() and not alert.annotations.get(key, "").strip()
    }
    annotations = {**alert.annotations, **kept}
    if (annotations, alert.generator_url) == (before.annotations, before.generator_url):
        return
    told = {"annotations": annotations, "generator_url": alert.generator_url}
    written.told.append({"of": alert.fingerprint, "start": alert.starts_at, **told})
    written.headline |= bool(headline(annotations)) and not headline(before.annotations)


def _conclude(connection: Connection, delivery: Delivery, *, now: int) -> int:
    """End the other alerts of a group that is said to be over: a whole body in which nothing fires any more. Returns
    how many. Their own end was cut from an earlier body. What started after the last end that is told is not meant."""
    ends = [alert.ends_at for alert in delivery.alerts if alert.ends_at is not None]
    if delivery.truncated_alerts or not ends or any(alert.status == "firing" for alert in delivery.alerts):
        return 0
    over = update(alerts).where(
        alerts.c.group_id == delivery.group_id, alerts.c.status == "firing", alerts.c.starts_at <= max(ends)
    )
    ended = over.values(status="resolved", ends_at=max(ends), concluded=True, changed_at=now)
    return connection.execute(ended).rowcount


def _known(connection: Connection, group_id: str, came: Mapping[str, Sequence[Alert]]) -> dict[str, dict[int, _Known]]:
    """Read the stored episodes that matter for what came: not the long past of an alert that flaps."""
    known: dict[str, dict[int, _Known]] = {}
    earliest = min((alert.starts_at for alerts_of in came.values() for alert in alerts_of), default=0)
    for chunk in _chunks(sorted(came)):
        rows = connection.execute(
            select(
                alerts.c.fingerprint,
                alerts.c.starts_at,
                alerts.c.status,
                alerts.c.ends_at,
                alerts.c.concluded,
                alerts.c.annotations,
                alerts.c.generator_url,
            ).where(
                alerts.c.group_id == group_id,
                alerts.c.fingerprint.in_(chunk),
                (alerts.c.status == "firing") | (alerts.c.starts_at >= earliest),
            )
        )
        for row in rows:
            episode = Episode(row.starts_at, row.status, row.ends_at, row.concluded)
            said = row.annotations if isinstance(row.annotations, dict) else {}
            known.setdefault(row.fingerprint, {})[row.starts_at] = _Known(episode, said, row.generator_url)
    return known


def _row(group_id: str, alert: Alert, episode: Episode, fired: bool, now: int) -> dict[str, Any]:
    return {
        "group_id": group_id,
        "fingerprint": alert.fingerprint,
        "starts_at": alert.starts_at,
        "status": episode.status,
        "ends_at": episode.ends_at,
        "concluded": False,
        "fired": fired,
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
