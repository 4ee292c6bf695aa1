"""Which other matters want what a request asks for: one request is decided once, and each of them learns the result.

It releases nothing, so it is not signed.
"""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.approval import Approval
from bot.store import approvals
from bot.store.tables import joined


def join(connection: Connection, approval_id: str, matter_id: str) -> bool:
    """Note that a matter wants what a request asks for. Returns whether that was new."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = insert(joined).values(approval_id=approval_id, matter_id=matter_id)
    return connection.execute(row.on_conflict_do_nothing()).rowcount == 1


def matters_of(connection: Connection, approval_id: str) -> list[str]:
    """Return the ids of the matters that joined a request."""
    query = select(joined.c.matter_id).where(joined.c.approval_id == approval_id).order_by(joined.c.matter_id)
    return list(connection.execute(query).scalars())


def of_matter(connection: Connection, matter_id: str) -> list[Approval]:
    """Return the requests of others that a matter joined, oldest first, without those that cannot be read."""
    query = select(joined.c.approval_id).where(joined.c.matter_id == matter_id)
    return approvals.readable(connection, list(connection.execute(query).scalars()))
