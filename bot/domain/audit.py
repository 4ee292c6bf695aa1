"""An audit event: one decision or effect, numbered and chained by hash to the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.canonical import canonical, digest

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One row of the audit. ``hash`` covers every other field and the hash of the row before."""

    seq: int
    at: int
    kind: str
    actor: str
    subject: str
    data: Mapping[str, Any]
    previous: str
    hash: str


def chain_hash(
    *, seq: int, at: int, kind: str, actor: str, subject: str, data: Mapping[str, Any], previous: str
) -> str:
    """Return the hash that binds an event to its place in the chain."""
    return digest(
        canonical(
            {
                "seq": seq,
                "at": at,
                "kind": kind,
                "actor": actor,
                "subject": subject,
                "data": data,
                "previous": previous,
            }
        )
    )
