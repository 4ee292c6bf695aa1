"""The record of a plan as cards read it: what is missing or of another shape is empty, and nothing is raised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]


def rehearsals(record: Record) -> list[Record]:
    """Return what was foreseen of each call, in order."""
    return many(record, "dry_run")


def call_of(record: Record, entry: Record) -> Record:
    """Return the call that an entry of the rehearsal is of."""
    calls, ordinal = many(record, "calls"), entry.get("call")
    return calls[ordinal] if isinstance(ordinal, int) and 0 <= ordinal < len(calls) else {}


def one(record: Record, key: str) -> Record:
    """Return the mapping that stands there."""
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def many(record: Record, key: str) -> list[Record]:
    """Return the mappings that are listed there."""
    value = record.get(key)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, (list, tuple)) else []
