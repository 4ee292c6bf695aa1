"""The two kinds of checks: a precondition reads the target, a health check watches it after the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.runbooks.access import Access
from bot.runbooks.resources import Verb
from bot.runbooks.target import Target

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Observed:
    """Whether a precondition holds, the value that was seen (a change in it is drift), and a sentence."""

    holds: bool
    value: Any
    sentence: str


class Precondition(Protocol):
    """What must hold when the plan is made and still when it runs. Pure."""

    name: str
    kinds: frozenset[str]
    arguments: Mapping[str, Json]
    """The keys of ``with`` it takes; all are required."""

    def observe(self, live: Json, arguments: Json) -> Observed:
        """Judge the target as it was read."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the target's health: pods ready and wanted as far as known, and the sentence for the thread.

    ``over``: it came to an end that is no good one, and will stay as it is.
    """

    healthy: bool
    ready: int | None
    desired: int | None
    sentence: str
    over: bool = False


class Health(Protocol):
    """How Signoff tells that a run helped."""

    name: str
    waits_for: str
    """What it waits for, in words that follow "that"."""
    kinds: frozenset[str]
    verbs: frozenset[Verb]
    """The rights it needs beyond reading its target."""

    async def look(self, access: Access, target: Target, live: Json | None) -> Look:
        """Look once; ``live`` is the target as just read, None when it is gone. Raises ``AccessFailed``."""
