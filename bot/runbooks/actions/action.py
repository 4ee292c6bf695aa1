"""What every action states about itself, so that planning, running and granting rights need not know which it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.domain.canonical import digest
from bot.runbooks.access import Access
from bot.runbooks.call import Call
from bot.runbooks.resources import Verb
from bot.runbooks.target import Target

Json = Mapping[str, Any]
ReadBack = Literal["applied", "not applied", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A call that is ready, what it will do in sentences made by code, and how to undo it ("" if there is no way)."""

    call: Call
    effect: tuple[str, ...]
    undo: str


@dataclass(frozen=True, slots=True)
class Unsuitable:
    """Why the action cannot be done to this object, and what to do instead."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Before:
    """How the target was when the plan was made: its uid, its generation and the hash of the action's fields."""

    uid: str
    generation: int
    fields: str


class Action(Protocol):
    """One typed action. Everything but ``gather`` is pure."""

    name: str
    kinds: frozenset[str]
    """Kinds it can be done to."""
    arguments: frozenset[str]
    """The keys of ``with`` it takes; all are required."""
    requires: frozenset[str]
    """Preconditions that a runbook using it must name."""
    verbs: frozenset[Verb]
    """The rights it needs beyond reading its target: the runner's Role is generated from them."""
    dry_run: bool
    """Whether the server can rehearse it."""
    inverse: str
    """What undoes it, in general."""

    async def gather(self, access: Access, target: Target, live: Json) -> Sequence[Json]:
        """Read what else rendering needs. Raises ``AccessFailed``."""

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, now: int
    ) -> Rendered | Unsuitable:
        """Render the call. ``now`` (microseconds) is the only time that may get into it."""

    def fields(self, live: Json) -> Json:
        """The fields of the object that the action reads or writes; a change in them is drift."""

    def result(self, answer: Json) -> Json:
        """The part of the server's answer that must be the same in the rehearsal and in the run."""

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The object before and after, as the diff shows it."""

    def applied(self, live: Json | None, before: Before, result: str) -> ReadBack:
        """Tell from the object as it is now whether the call took effect; ``result`` is the hash of the rehearsal's."""


def fingerprint(fields: Json) -> str:
    """Hash the fields of an action, or its result. Absent and null are the same to Kubernetes, so also here.

    Not RFC 8785: that refuses the 64-bit integers that Kubernetes allows, and drift must always have an answer.
    """
    return digest(json.dumps(_without_nulls(fields), sort_keys=True, separators=(",", ":")).encode())


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value
