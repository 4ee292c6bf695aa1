"""Incidents as rows: what a group's alerts made of them, their evidence, triage and notes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from bot.domain.alert import Alert
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident, IncidentStatus, Subject
from bot.domain.joining import Joined
from bot.domain.triage import Triage
from bot.store.alerts import alert_of
from bot.store.clock import next_number
from bot.store.tables import alerts, evidence, groups, incidents
from bot.store.work import UnreadableRow

T = TypeVar("T")

_SUBJECT = TypeAdapter(Subject)
_EVIDENCE = TypeAdapter(Evidence)
_TRIAGE = TypeAdapter(Triage)


@dataclass(frozen=True, slots=True)
class Group:
    """An alert group with its incident so far and its alerts, told apart by whether that incident has them."""

    id: str
    source: str
    truncated: int
    last_seen_at: int
    current: Incident | None
    assigned: tuple[Alert, ...]
    unassigned: tuple[Alert, ...]


def new_id() -> str:
    """Return a fresh opaque row id."""
    return uuid.uuid4().hex


def group(connection: Connection, group_id: str) -> Group:
    """Read a group for joining. Raises ``UnreadableRow`` if a stored row no longer parses."""
    row = connection.execute(select(groups).where(groups.c.id == group_id)).one()
    current = get(connection, row.incident_id) if row.incident_id else None
    mine: ColumnElement[bool] = alerts.c.incident_id.is_(None)
    if current is not None:
        mine = mine | (alerts.c.incident_id == current.id)
    rows = connection.execute(
        select(alerts).where(alerts.c.group_id == group_id, mine).order_by(alerts.c.starts_at, alerts.c.fingerprint)
    ).all()
    return Group(
        id=group_id,
        source=row.source,
        truncated=row.truncated,
        last_seen_at=row.last_seen_at,
        current=current,
        assigned=tuple(alert_of(r) for r in rows if r.incident_id is not None),
        unassigned=tuple(alert_of(r) for r in rows if r.incident_id is None),
    )


def apply(connection: Connection, of: Group, joined: Joined, *, subject: Subject, now: int) -> Incident:
    """Write what ``joined`` decided and give the group's unassigned alerts to the incident."""
    face = joined.face
    values: dict[str, Any] = {
        "status": joined.status,
        "severity": face.severity,
        "title": face.title,
        "summary": face.summary,
        "labels": dict(face.labels),
        "firing": face.firing,
        "total": face.total,
        "truncated": of.truncated,
        "last_seen_at": of.last_seen_at,
        "resolved_at": now if joined.status == "resolved" else None,
    }
    if joined.change == "opened" or of.current is None:
        incident_id = new_id()
        connection.execute(
            incidents.insert().values(
                id=incident_id,
                number=next_number(connection, "incident"),
                group_id=of.id,
                source=of.source,
                subject=_SUBJECT.dump_python(subject),
                opened_at=now,
                reopened=0,
                previous=of.current.number if of.current else None,
                **values,
            )
        )
        connection.execute(update(groups).where(groups.c.id == of.id).values(incident_id=incident_id))
    else:
        incident_id = of.current.id
        if joined.status == "resolved" and of.current.status == "resolved":
            values["resolved_at"] = of.current.resolved_at
        values["reopened"] = of.current.reopened + (1 if joined.change == "reopened" else 0)
        connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**values))
    if of.unassigned:
        connection.execute(
            update(alerts)
            .where(alerts.c.group_id == of.id, alerts.c.incident_id.is_(None))
            .values(incident_id=incident_id)
        )
    return get(connection, incident_id)


def get(connection: Connection, incident_id: str) -> Incident:
    """Read an incident. Raises ``UnreadableRow`` if it no longer parses."""
    return _incident(connection.execute(select(incidents).where(incidents.c.id == incident_id)).one())


def find(connection: Connection, incident_id: str) -> Incident | None:
    """Read an incident, or None if there is no such one."""
    row = connection.execute(select(incidents).where(incidents.c.id == incident_id)).first()
    return _incident(row) if row else None


def count(connection: Connection, *, status: IncidentStatus) -> int:
    """Count the incidents with one status."""
    query = select(func.count()).select_from(incidents).where(incidents.c.status == status)
    return int(connection.execute(query).scalar_one())


def by_number(connection: Connection, number: int) -> Incident | None:
    """Read the incident that people call INC-``number``."""
    row = connection.execute(select(incidents).where(incidents.c.number == number)).first()
    return _incident(row) if row else None


def newest(connection: Connection, *, status: IncidentStatus | None = None, limit: int = 20) -> list[Incident]:
    """Return the newest incidents, skipping rows that cannot be read."""
    query = select(incidents).order_by(incidents.c.number.desc()).limit(limit)
    found = []
    for row in connection.execute(query.where(incidents.c.status == status) if status else query):
        try:
            found.append(_incident(row))
        except UnreadableRow:
            continue
    return found


def unseen(connection: Connection, *, before: int, limit: int = 100) -> list[Incident]:
    """Return open incidents whose group was last delivered before ``before`` (microseconds)."""
    rows = connection.execute(
        select(incidents)
        .join(groups, groups.c.id == incidents.c.group_id)
        .where(incidents.c.status == "open", groups.c.last_seen_at < before)
        .limit(limit)
    )
    return [_incident(row) for row in rows]


def move(connection: Connection, incident_id: str, *, before: IncidentStatus, after: IncidentStatus) -> bool:
    """Change an incident's status by compare-and-set. Returns whether this call did it."""
    statement = update(incidents).where(incidents.c.id == incident_id, incidents.c.status == before)
    return connection.execute(statement.values(status=after)).rowcount == 1


def add_evidence(connection: Connection, incident_id: str, items: Sequence[Evidence], *, generation: int) -> None:
    """Store one generation's evidence. Ids (E1, E2 …) are the caller's and must be new for the incident."""
    if not items:
        return
    count = evidence_count(connection, incident_id)
    rows = [
        {
            "incident_id": incident_id,
            "ordinal": count + offset,
            "generation": generation,
            "record": _EVIDENCE.dump_python(item, mode="json"),
        }
        for offset, item in enumerate(items, start=1)
    ]
    connection.execute(evidence.insert(), rows)
    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(evidence_count=count + len(items)))


def evidence_count(connection: Connection, incident_id: str) -> int:
    """Return how many evidence ids the incident has given out: the next is one higher."""
    return int(connection.execute(select(incidents.c.evidence_count).where(incidents.c.id == incident_id)).scalar_one())


def evidence_of(connection: Connection, incident_id: str, *, generation: int | None = None) -> tuple[Evidence, ...]:
    """Return an incident's evidence, of its newest collection unless ``generation`` names another."""
    mine = evidence.c.incident_id == incident_id
    if generation is None:
        newest_one = select(evidence.c.generation).where(mine).order_by(evidence.c.ordinal.desc()).limit(1)
        generation = connection.execute(newest_one).scalar_one_or_none()
    rows = connection.execute(
        select(evidence).where(mine, evidence.c.generation == generation).order_by(evidence.c.ordinal)
    )
    return tuple(_parse(_EVIDENCE, row.record, "evidence", f"{incident_id}/{row.ordinal}") for row in rows)


def investigating(connection: Connection, incident_id: str) -> bool:
    """Return whether evidence or a triage is still to come."""
    row = connection.execute(select(incidents.c.wanted, incidents.c.done).where(incidents.c.id == incident_id)).one()
    return bool(row.done < row.wanted)


def set_triage(connection: Connection, incident_id: str, triage: Triage | None) -> None:
    """Store the incident's newest triage, or clear it when the incident starts anew."""
    data = None if triage is None else _TRIAGE.dump_python(triage, mode="json")
    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(triage=data))


def triage_of(connection: Connection, incident_id: str) -> Triage | None:
    """Return the incident's newest triage."""
    data = connection.execute(select(incidents.c.triage).where(incidents.c.id == incident_id)).scalar_one()
    return None if data is None else _parse(_TRIAGE, data, "incidents", incident_id)


def set_note(connection: Connection, incident_id: str, note: str) -> None:
    """Store the sentence the card shows about what Signoff cannot do here. Plain, redacted text."""
    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(note=note[:1000]))


def note_of(connection: Connection, incident_id: str) -> str:
    """Return the incident's note."""
    return str(connection.execute(select(incidents.c.note).where(incidents.c.id == incident_id)).scalar_one())


def _incident(row: Row[Any]) -> Incident:
    subject = _parse(_SUBJECT, row.subject, "incidents", row.id)
    labels: Mapping[str, str] = row.labels
    return Incident(
        id=row.id,
        number=row.number,
        group_id=row.group_id,
        source=row.source,
        status=row.status,
        severity=row.severity,
        title=row.title,
        summary=row.summary,
        subject=subject,
        labels=labels,
        firing=row.firing,
        total=row.total,
        truncated=row.truncated,
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        resolved_at=row.resolved_at,
        reopened=row.reopened,
        previous=row.previous,
    )


def _parse(adapter: TypeAdapter[T], data: Any, table: str, row_id: str) -> T:
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        raise UnreadableRow(table, row_id, str(error.errors(include_url=False, include_input=False))[:300]) from error
