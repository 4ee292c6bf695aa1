"""Incidents as rows: what a group's alerts made of them, their evidence, triage and notes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, func, or_, select, update

from bot.domain.alert import Alert
from bot.domain.evidence import Evidence
from bot.domain.incident import Incident, IncidentStatus, Subject
from bot.domain.joining import Joined
from bot.domain.triage import Triage
from bot.store.alerts import readable
from bot.store.clock import next_number
from bot.store.tables import alerts, evidence, groups, incidents
from bot.store.unreadable import UnreadableRow, parse, parse_part, report

_SEVERITY, _TITLE, _SUMMARY = 20, 500, 2000
NOBODYS = ""
"""Stands where an alert's incident does, if it was over when it was first heard of: it makes no card."""

_INCIDENT = TypeAdapter(Incident)
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


def group(connection: Connection, group_id: str, *, now: int) -> Group:
    """Read a group for joining, and hold it until the transaction ends: two jobs must not both open its incident.

    An incident or an alert that cannot be read is set aside and counts as not there: what fires needs an answer.
    """
    row = connection.execute(select(groups).where(groups.c.id == group_id).with_for_update()).one()
    aside = partial(report, connection, now=now)
    current = None
    try:
        current = find(connection, row.incident_id) if row.incident_id else None
    except UnreadableRow as problem:
        aside(problem)
    query = select(alerts).order_by(alerts.c.starts_at, alerts.c.fingerprint)
    mine = connection.execute(query.where(alerts.c.incident_id == current.id)) if current else ()
    free = connection.execute(query.where(alerts.c.group_id == group_id, alerts.c.incident_id.is_(None)))
    return Group(
        id=group_id,
        source=row.source,
        truncated=row.truncated,
        last_seen_at=row.last_seen_at,
        current=current,
        assigned=readable(mine, aside),
        unassigned=readable(free, aside),
    )


def apply(connection: Connection, of: Group, joined: Joined, *, subject: Subject, now: int) -> Incident:
    """Write what ``joined`` decided and give the group's unassigned alerts to the incident. Texts are cut to what a
    headline needs: they must be redacted before."""
    face = joined.face
    values: dict[str, Any] = {
        "status": joined.status,
        "severity": face.severity[:_SEVERITY],
        "title": face.title[:_TITLE],
        "summary": face.summary[:_SUMMARY],
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
        if joined.change == "reopened":
            values["reopened"], values["reopened_at"] = of.current.reopened + 1, now
        connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**values))
    if of.unassigned:
        connection.execute(
            update(alerts)
            .where(alerts.c.group_id == of.id, alerts.c.incident_id.is_(None))
            .values(incident_id=incident_id)
        )
    return get(connection, incident_id)


def pass_over(connection: Connection, of: Group) -> None:
    """Give the group's unassigned alerts to no incident: they were over when they were first heard of."""
    mine = update(alerts).where(alerts.c.group_id == of.id, alerts.c.incident_id.is_(None))
    connection.execute(mine.values(incident_id=NOBODYS))


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
    return _readable(connection, query.where(incidents.c.status == status) if status else query)


def recent(connection: Connection, *, since: int, limit: int) -> list[Incident]:
    """Return the open incidents, newest first, then those that were last heard of after ``since`` (microseconds),
    skipping rows that cannot be read."""
    over = incidents.c.status != "open"
    query = select(incidents).where(or_(~over, incidents.c.last_seen_at > since))
    return _readable(connection, query.order_by(over, incidents.c.number.desc()).limit(limit))


def _readable(connection: Connection, query: Select[Any]) -> list[Incident]:
    found = []
    for row in connection.execute(query):
        try:
            found.append(_incident(row))
        except UnreadableRow:
            continue
    return found


def unseen(connection: Connection, *, before: int, limit: int = 100) -> list[str]:
    """Return the ids of open incidents whose group was last delivered before ``before`` (microseconds)."""
    rows = connection.execute(
        select(incidents.c.id)
        .join(groups, groups.c.id == incidents.c.group_id)
        .where(incidents.c.status == "open", groups.c.last_seen_at < before)
        .limit(limit)
    )
    return list(rows.scalars())


def turn_stale(connection: Connection, incident_id: str) -> bool:
    """Call an open incident stale, by compare-and-set, noting when it was last seen. Returns whether this call did."""
    seen = select(groups.c.last_seen_at).where(groups.c.id == incidents.c.group_id).scalar_subquery()
    statement = update(incidents).where(incidents.c.id == incident_id, incidents.c.status == "open")
    return connection.execute(statement.values(status="stale", last_seen_at=seen)).rowcount == 1


def add_evidence(connection: Connection, incident_id: str, items: Sequence[Evidence], *, generation: int) -> None:
    """Store one generation's evidence. Ids (E1, E2 …) are the caller's and go on where the incident's end. Raises
    ``ValueError`` if somebody else gave them out meanwhile: an id is never reused."""
    if not items:
        return
    first = int(items[0].id.removeprefix("E"))
    counted = update(incidents).where(incidents.c.id == incident_id, incidents.c.evidence_count == first - 1)
    if connection.execute(counted.values(evidence_count=first - 1 + len(items))).rowcount != 1:
        raise ValueError("other evidence was stored meanwhile: it has to be collected again")
    rows = [
        {
            "incident_id": incident_id,
            "ordinal": ordinal,
            "generation": generation,
            "record": _EVIDENCE.dump_python(item, mode="json"),
        }
        for ordinal, item in enumerate(items, start=first)
    ]
    connection.execute(evidence.insert(), rows)


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
    return tuple(parse_part(_EVIDENCE, row.record, "evidence", f"{incident_id}/{row.ordinal}") for row in rows)


def investigating(connection: Connection, incident_id: str) -> int | None:
    """Return the generation of the investigation that is still to end, or None if there is none."""
    row = connection.execute(select(incidents.c.wanted, incidents.c.done).where(incidents.c.id == incident_id)).one()
    return int(row.wanted) if row.done < row.wanted else None


def set_triage(connection: Connection, incident_id: str, triage: Triage | None) -> None:
    """Store the incident's newest triage, or clear it when the incident starts anew."""
    data = None if triage is None else _TRIAGE.dump_python(triage, mode="json")
    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(triage=data))


def triage_of(connection: Connection, incident_id: str) -> Triage | None:
    """Return the incident's newest triage."""
    data = connection.execute(select(incidents.c.triage).where(incidents.c.id == incident_id)).scalar_one()
    return None if data is None else parse_part(_TRIAGE, data, "incidents", incident_id)


def set_note(connection: Connection, incident_id: str, note: str) -> None:
    """Store the sentence the card shows about what Signoff cannot do here. Plain, redacted text."""
    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(note=note[:1000]))


def note_of(connection: Connection, incident_id: str) -> str:
    """Return the incident's note."""
    return str(connection.execute(select(incidents.c.note).where(incidents.c.id == incident_id)).scalar_one())


def _incident(row: Row[Any]) -> Incident:
    return parse(_INCIDENT, row, "incidents")
