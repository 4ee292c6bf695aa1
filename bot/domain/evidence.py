"""A piece of evidence: what was read, from where, by which query, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """One item a triage may cite by ``id`` (``E1``). ``text`` is what is shown, redacted and bounded; ``facts`` is
    the same as plain JSON for code. A collector that failed says so in ``error`` and has no text."""

    id: str
    kind: str
    title: str
    source: str
    query: str
    collected_at: int
    text: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
