"""Stored rows that no longer parse: told apart from every other failure, set aside and reported."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import quarantine

T = TypeVar("T")


class UnreadableRow(Exception):
    """A stored row no longer parses. It is set aside and reported; everything else goes on."""

    def __init__(self, table: str, row_id: str, reason: str) -> None:
        super().__init__(f"{table} row {row_id} cannot be read: {reason}")
        self.table, self.row_id, self.reason = table, row_id, reason


def parse(adapter: TypeAdapter[T], row: Row[Any], table: str, *, named: str = "id") -> T:
    """Read a row as the type of ``adapter``. Raises ``UnreadableRow``, which names columns and never quotes values."""
    return parse_part(adapter, dict(row._mapping), table, str(getattr(row, named)))


def parse_part(adapter: TypeAdapter[T], data: Any, table: str, row_id: str) -> T:
    """Read a part of a row, or what was made of it. Raises ``UnreadableRow``, which never quotes values."""
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        reasons = (f"{'.'.join(str(part) for part in item['loc']) or 'the row'}: {item['msg']}" for item in found[:3])
        raise UnreadableRow(table, row_id, "; ".join(reasons)[:300]) from None


def report(connection: Connection, problem: UnreadableRow, *, now: int) -> None:
    """Note a row that cannot be read, once, for people to look at."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(
        insert(quarantine)
        .values(table_name=problem.table, row_id=problem.row_id[:80], reason=problem.reason[:500], at=now)
        .on_conflict_do_nothing()
    )


def reported(connection: Connection, limit: int = 20) -> list[str]:
    """Return a sentence for each row that was set aside."""
    rows = connection.execute(select(quarantine).order_by(quarantine.c.at).limit(limit))
    return [f"{row.table_name} row {row.row_id}: {row.reason}" for row in rows]
