"""An audit event: one decision or effect, numbered and chained by hash to the one before, signed with a key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from typing import Any

from bot.domain.canonical import canonical

GENESIS = "0" * 64
PURPOSE = "audit"
"""What a signature of an audit event says it is for."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One row of the audit. ``hash`` covers every other field and the row before, ``signature`` covers ``hash``."""

    seq: int
    at: int
    kind: str
    actor: str
    subject: str
    data: Mapping[str, Any]
    previous: str
    hash: str
    signature: str = ""


def row_hash(seq: int, at: int, kind: str, actor: str, subject: str, data: str, previous: str) -> str:
    """Return the hash that binds an event to its place in the chain: SHA-256 of its canonical JSON (RFC 8785).

    ``data`` is canonical JSON already, so nothing is serialised anew: a string's one canonical form is what ``quoted``
    makes of it, and the names stand in their order.
    """
    text = (
        f'{{"actor":{quoted(actor)},"at":{at},"data":{data},"kind":{quoted(kind)},'
        f'"previous":"{previous}","seq":{seq},"subject":{quoted(subject)}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


def chain_hash(
    *, seq: int, at: int, kind: str, actor: str, subject: str, data: Mapping[str, Any], previous: str
) -> str:
    """Return the hash of an event whose data is not serialised yet."""
    return row_hash(seq, at, kind, actor, subject, canonical(data).decode(), previous)
