"""The audit: append-only, numbered, hash-chained, signed rows, written in the transaction of what they record.

The chain shows every change, removal and insertion; the signatures show what somebody without our key wrote; the
counter of rows and, since that can be changed as well, the anchors outside show what was cut off at the end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from bot.domain import chain
from bot.domain.audit import GENESIS, PURPOSE, AuditEvent, row_hash
from bot.domain.canonical import canonical
from bot.domain.chain import Row, Verdict
from bot.domain.keys import Keys
from bot.store.clock import next_number, number
from bot.store.signed import keys_of
from bot.store.tables import audit

SERIES = "audit"
AT_ONCE = 100
"""Rows of a SQLite file that are read at a time: more of them are slower, since they leave the processor's cache."""
_LEAST, _MOST = -(2**63), 2**63 - 1
_COLUMNS = tuple(audit.c[name] for name in Row._fields)
_EXACTLY = partial(str, encoding="utf-8", errors="surrogateescape")


def append(
    connection: Connection, *, at: int, kind: str, actor: str, subject: str, data: Mapping[str, Any]
) -> AuditEvent:
    """Add one event to the chain. It is durable when, and only when, the surrounding transaction is.

    ``data`` must be plain JSON and already redacted. ``actor`` is a person's ids, ``signoff`` or a source.
    """
    # Taking the number holds the counter's row until this transaction ends, so appends queue up behind one another.
    seq = next_number(connection, SERIES)
    last = connection.execute(select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).scalar_one_or_none()
    previous = last or GENESIS
    stored = canonical(data).decode()
    value = row_hash(seq, at, kind, actor, subject, stored, previous)
    keys = keys_of(connection)
    signature = keys.sign(PURPOSE, value.encode()) if keys else ""
    row = Row(seq, at, kind, actor, subject, stored, previous, value, signature)
    connection.execute(audit.insert().values(**row._asdict()))
    return event(row)


def verify(
    connection: Connection,
    *,
    keys: Keys | None = None,
    anchors: Mapping[int, str] | None = None,
    strict: bool = False,
) -> Verdict:
    """Check the whole chain in order (see ``chain.check``). Constant memory. Rows that are added meanwhile by a live
    ``serve`` do no harm."""
    # Read before the rows: the newest row it counts must be among them.
    counted = _counted(connection)

    def where(wanted: str) -> int | None:
        found = connection.execute(select(audit.c.seq).where(audit.c.hash == wanted).limit(1)).scalar_one_or_none()
        return None if found is None else int(found)

    return chain.check(_stored(connection), keys=keys, anchors=anchors, counted=counted, strict=strict, where=where)


def head(connection: Connection) -> Row | None:
    """Return the newest row, or None if there is none."""
    row = connection.execute(select(*_COLUMNS).order_by(audit.c.seq.desc()).limit(1)).first()
    return None if row is None else Row(*row)


def at(connection: Connection, seq: int) -> Row | None:
    """Return one row by its number."""
    row = connection.execute(select(*_COLUMNS).where(audit.c.seq == seq)).first()
    return None if row is None else Row(*row)


def export(connection: Connection) -> Iterator[Row]:
    """Yield every row in order, in constant memory."""
    for row in _stored(connection):
        yield Row(*row)


def rows_of(connection: Connection, subjects: Sequence[str]) -> list[Row]:
    """Return the rows about each of these, in order, as they are stored."""
    query = select(*_COLUMNS).where(audit.c.subject.in_(subjects)).order_by(audit.c.seq)
    return [Row(*row) for row in connection.execute(query)]


def alone(row: Row, *, keys: Keys | None) -> Verdict:
    """Check one row by itself: its content and its signature, not its place."""
    return chain.check([row], keys=keys, first=row.seq, before=row.previous)


def of_subjects(connection: Connection, subjects: Sequence[str]) -> list[AuditEvent]:
    """Return what the audit says of each of these, in order. A row that is not as we wrote it has no say."""
    keys = keys_of(connection)
    return [event(row) for row in rows_of(connection, subjects) if not alone(row, keys=keys).fault]


def judged(connection: Connection, subjects: Sequence[str]) -> dict[str, str]:
    """Return the last word on each vote that the audit has under these subjects: its state by its id."""
    found = dict[str, str]()
    for said in of_subjects(connection, subjects):
        found |= said.data.get("judged", {})
    return found


def subject_of_run(connection: Connection, run_id: str) -> str | None:
    """Return whose run this is, going by the rows that name it in their data."""
    named = audit.c.data.contains(f'"run":{json.dumps(run_id)}', autoescape=True)
    found = connection.execute(select(audit.c.subject).where(named).order_by(audit.c.seq).limit(1)).scalar_one_or_none()
    return None if found is None else str(found)


def unbroken(
    connection: Connection, subject: str, *, anchors: Mapping[int, str] | None = None
) -> tuple[list[AuditEvent], str]:
    """Return what the audit says of ``subject``, and what is wrong with the chain from its first word to the end.

    ``anchors`` are hashes by number that this process has seen. Reads all rows since then: as many as a request can
    wait for.
    """
    rows = connection.execute(select(*_COLUMNS).where(audit.c.subject == subject).order_by(audit.c.seq)).all()
    if not rows:
        return [], f"the audit does not know {subject}"
    first = Row(*rows[0])
    since = {seq: value for seq, value in (anchors or {}).items() if seq >= first.seq}
    verdict = chain.check(
        _stored(connection, first.seq),
        keys=keys_of(connection),
        anchors=since,
        counted=_counted(connection),
        first=first.seq,
        before=first.previous,
    )
    if verdict.fault:
        return [], verdict.problem
    return [event(Row(*row)) for row in rows], ""


def last(
    connection: Connection, subject: str, kinds: Sequence[str], *, after: int = 0
) -> tuple[AuditEvent | None, str]:
    """Return the newest event of these kinds beyond row ``after`` that the audit has of ``subject``, and what is wrong
    with that row by itself. Of one whose data cannot be read only the rest is returned."""
    query = select(*_COLUMNS).where(audit.c.subject == subject, audit.c.kind.in_(kinds), audit.c.seq > after)
    found = connection.execute(query.order_by(audit.c.seq.desc()).limit(1)).first()
    if found is None:
        return None, ""
    row = Row(*found)
    fault = alone(row, keys=keys_of(connection)).problem
    return event(row._replace(data="{}") if fault else row), fault


def event(row: Row) -> AuditEvent:
    """Read a row's data. Raises ``ValueError`` if it is not a JSON object."""
    data = json.loads(row.data)
    if not isinstance(data, dict):
        raise ValueError(f"row {row.seq}: its data is no object")
    return AuditEvent(**row._asdict() | {"data": data})


def _counted(connection: Connection) -> int:
    """Return how many rows there must be: more than there can be, where somebody made the counter no number."""
    try:
        return number(connection, SERIES)
    except (ValueError, OverflowError):
        return _MOST


def _stored(connection: Connection, first: int | None = None) -> Iterator[Any]:
    """Read rows in constant memory, exactly: one with a byte that is no UTF-8 has what no hash can be made of."""
    if connection.dialect.name == "sqlite":
        yield from _from_sqlite(connection, first)
        return
    statement = select(*_COLUMNS).order_by(audit.c.seq)
    if first is not None:
        statement = statement.where(audit.c.seq >= first)
    # Of the statement: of the connection it would make cursors of the writes that follow in the transaction, too.
    result = connection.execute(statement, execution_options={"stream_results": True, "yield_per": 2000})
    for part in result.partitions():
        yield from part


def _from_sqlite(connection: Connection, first: int | None) -> Iterator[Any]:
    # As the driver gives them: making an object of each row would take as long as checking it.
    driver: Any = connection.connection.driver_connection
    begin = _LEAST if first is None else first
    ordered = select(*_COLUMNS).order_by(audit.c.seq)
    query, following = (str(ordered.where(each).compile(connection)) for each in (audit.c.seq >= 0, audit.c.seq > 0))
    while True:
        try:
            rows = _read(driver, query, begin, str)
        except sqlite3.OperationalError:
            rows = _read(driver, query, begin, _EXACTLY)
        yield from rows
        if len(rows) < AT_ONCE:
            return
        query, begin = following, rows[-1][0]


def _read(driver: Any, query: str, begin: int, decode: Callable[..., str]) -> list[Any]:
    usual, driver.text_factory = driver.text_factory, decode
    try:
        found: list[Any] = driver.execute(query, (begin,)).fetchmany(AT_ONCE)
    finally:
        driver.text_factory = usual
    return found
