"""Requests to read logs as rows: who asked for what, what was read for them, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.log_request import LogRequest, State
from bot.domain.log_summary import LogSummary
from bot.store import work
from bot.store.approvals import person
from bot.store.tables import log_requests
from bot.store.unreadable import UnreadableRow, parse_part

_REQUEST = TypeAdapter(LogRequest)
_SUMMARY = TypeAdapter(LogSummary)
_TABLE = "log_requests"


def receive(connection: Connection, request: LogRequest) -> int | None:
    """Store a request and ask for the job that answers it, unless it is refused already. Returns that job's generation;
    None if there is nothing to do, as when Slack delivers a request twice."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {name: getattr(request, name) for name in LogRequest.__dataclass_fields__}
    values |= {"person": str(request.person), "words": list(request.words)}
    stored = connection.execute(insert(log_requests).values(**values).on_conflict_do_nothing())
    if stored.rowcount != 1 or request.state == "refused":
        return None
    return work.want(connection, "logs", request.id)


def get(connection: Connection, request_id: str) -> LogRequest:
    """Read a request. Raises ``UnreadableRow`` if it no longer parses."""
    return _request(connection.execute(select(log_requests).where(log_requests.c.id == request_id)).one())


def find(connection: Connection, request_id: str) -> LogRequest | None:
    """Read a request, or None if there is no such one."""
    row = connection.execute(select(log_requests).where(log_requests.c.id == request_id)).first()
    return _request(row) if row else None


def under_way(connection: Connection, asker: str) -> int:
    """Count the requests of a person (``team:user``) that are not answered yet."""
    query = select(func.count()).select_from(log_requests)
    query = query.where(log_requests.c.person == asker, log_requests.c.done < log_requests.c.wanted)
    return int(connection.execute(query).scalar_one())


def move(connection: Connection, request_id: str, *, before: State, after: State, outcome: str = "") -> bool:
    """Change a request's state by compare-and-set. Returns whether this call did it."""
    statement = update(log_requests).where(log_requests.c.id == request_id, log_requests.c.state == before)
    return connection.execute(statement.values(state=after, outcome=outcome[:1000])).rowcount == 1


def set_reading(connection: Connection, request_id: str, reading: Mapping[str, Any]) -> None:
    """Store what was read: redacted, bounded, plain JSON."""
    connection.execute(update(log_requests).where(log_requests.c.id == request_id).values(reading=dict(reading)))


def reading_of(connection: Connection, request_id: str) -> Mapping[str, Any] | None:
    """Return what was read; None before that, or once it was forgotten."""
    found = connection.execute(select(log_requests.c.reading).where(log_requests.c.id == request_id)).scalar_one()
    if found is not None and not isinstance(found, dict):
        raise UnreadableRow(_TABLE, request_id, "reading: is no object")
    return found


def set_summary(connection: Connection, request_id: str, summary: LogSummary) -> None:
    """Store what the logs say."""
    data = _SUMMARY.dump_python(summary, mode="json")
    connection.execute(update(log_requests).where(log_requests.c.id == request_id).values(summary=data))


def summary_of(connection: Connection, request_id: str) -> LogSummary | None:
    """Return what the logs say, None before that is known."""
    data = connection.execute(select(log_requests.c.summary).where(log_requests.c.id == request_id)).scalar_one()
    return None if data is None else parse_part(_SUMMARY, data, _TABLE, request_id)


def forget(connection: Connection, *, before: int) -> int:
    """Drop what was read for requests from before ``before`` (microseconds), and return for how many; that and how
    much was read stays in the audit."""
    old = (log_requests.c.received_at < before) & log_requests.c.reading.is_not(None)
    return connection.execute(update(log_requests).where(old).values(reading=None, summary=None)).rowcount


def _request(row: Row[Any]) -> LogRequest:
    data = dict(row._mapping) | {"person": person(str(row.person))}
    return parse_part(_REQUEST, {k: data[k] for k in LogRequest.__dataclass_fields__}, _TABLE, row.id)
