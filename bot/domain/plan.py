"""A plan: the one record that binds what is shown, approved and run.

``canonical`` are the bytes that were digested; execution uses these bytes and never renders anything again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from bot.domain.canonical import canonical, digest

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A stored plan. ``record`` is ``canonical`` parsed; the two are never built separately."""

    canonical: bytes
    digest: str
    record: Mapping[str, Any]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Bind a freshly made record: canonicalise it once and digest it."""
        data = canonical(record)
        return cls(canonical=data, digest=digest(data), record=json.loads(data))

    @classmethod
    def stored(cls, data: bytes, expected: str) -> Self:
        """Read a stored plan back. Raises ``ValueError`` if the bytes are not what was digested or a newer schema."""
        if digest(data) != expected:
            raise ValueError("the stored plan is not the one that was signed off: its digest differs")
        record = json.loads(data)
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            raise ValueError(f"the stored plan has a schema this version cannot run (it knows {SCHEMA})")
        return cls(canonical=data, digest=expected, record=record)

    @property
    def calls(self) -> Sequence[Mapping[str, Any]]:
        """The rendered calls, in the order they run; those that undo others are the last."""
        calls: Sequence[Mapping[str, Any]] = self.record["calls"]
        return calls

    @property
    def forward(self) -> int:
        """How many of the calls undo nothing; they are the first ones."""
        return sum(call.get("undoes") is None for call in self.calls)

    @property
    def targets(self) -> Sequence[Mapping[str, Any]]:
        """The resolved targets, each with cluster, kind, namespace, name and uid."""
        targets: Sequence[Mapping[str, Any]] = self.record["targets"]
        return targets

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of the targets."""
        return frozenset(str(target["kind"]) for target in self.targets)

    @property
    def locks(self) -> Sequence[str]:
        """What no other run may hold while this one goes on: the keys in the record, else one for each target."""
        named: Sequence[str] = self.record.get("lock") or ()
        parts = ("cluster", "kind", "namespace", "name")
        return named or sorted({"/".join(str(target[part]) for part in parts) for target in self.targets})
