"""A refusal: why there is no plan, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

_PASSING = frozenset({"unreachable", "unavailable", "busy", "limited", "conflict", "not-observed"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """``code`` is one word for code and metrics, ``sentence`` is for people."""

    code: str
    sentence: str

    @property
    def passing(self) -> bool:
        """Say whether the same may be planned in a while, without anybody's doing: the world could not be read now, or
        is changing."""
        return self.code in _PASSING
