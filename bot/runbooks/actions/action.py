"""What every action states about itself, so that planning, running and granting rights need not know which it is."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bot.domain.canonical import digest
from bot.domain.runbook import Idempotency
from bot.runbooks import diff
from bot.runbooks.access import Access
from bot.runbooks.call import Call
from bot.runbooks.resources import Verb
from bot.runbooks.target import Target

Json = Mapping[str, Any]
ReadBack = Literal["applied", "not applied", "cannot tell"]
Reverter = Literal["argocd", "flux", "operator", "autoscaler", "helm"]
"""What else may keep an object as it is, and puts it back."""

DECLARED: frozenset[Reverter] = frozenset({"argocd", "flux", "operator", "helm"})
"""Who puts back what its own manifests declare."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A call that is ready, what it will do in sentences made by code, and how to undo it ("" if there is no way).

    ``inverse`` is the call that restores exactly what was read, where the action has one.
    """

    call: Call
    effect: tuple[str, ...]
    undo: str
    inverse: Call | None = None
    inverse_action: str = ""
    """The action that the inverse call is of, where it is not this one."""
    useful_until: int | None = None
    """In microseconds: from then on nobody may approve it, because too little of what it does would be left."""


@dataclass(frozen=True, slots=True)
class Unsuitable:
    """Why the action cannot be done to this object, and what to do instead."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """What may get into a call beside the target and the arguments.

    ``now`` is in microseconds. ``key`` tells this call from every other, of this use of the runbook and of all.
    ``registries`` are the prefixes that images may have.
    """

    now: int
    matter: str = ""
    key: str = ""
    registries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """How the target was when the plan was made: its uid, its generation (None where a call of the same plan changes
    it first) and the hash of the action's fields."""

    uid: str
    generation: int | None
    fields: str


class Action(ABC):
    """One typed action on an object. All that is not asynchronous is pure.

    A subclass gives its name, kinds, verbs, inverse, `render` and `fields`; the rest is by default as it is for an
    action that patches a few fields, reads them back and can be rehearsed by the server. What no server can rehearse is
    an `Unrehearsed`.
    """

    name: str
    kinds: frozenset[str]
    """Kinds it can be done to."""
    verbs: frozenset[Verb]
    """The rights it needs beyond reading its target: the runner's Role is generated from them."""
    inverse: str
    """What undoes it, in general."""
    arguments: Mapping[str, Json] = {}
    """The keys of ``with`` that it needs."""
    optional: Mapping[str, Json] = {}
    """The keys of ``with`` that it also takes."""
    literal: frozenset[str] = frozenset()
    """The keys of ``with`` that a runbook writes out: no parameter gets into them."""
    requires: frozenset[str] = frozenset()
    """Preconditions that a runbook using it must name."""
    dry_run: ClassVar[bool] = True
    """Whether the server can rehearse it."""
    idempotency: Idempotency = "safe"
    """``safe``: sent twice it does what it does once. ``keyed``: the other side tells a repetition by a key."""
    sends_key: bool = False
    """Whether it sends a key by which the other side may tell a repetition: a step may then say that it does."""
    reverted_by: frozenset[Reverter] = frozenset()
    """Which owners of an object would put back what it writes."""
    creates: bool = False
    """Whether it makes an object that is not there before."""
    once: bool = False
    """Whether it is done once, however many targets there are."""
    patient: bool = False
    """Whether a server that is busy (429) is asked again until the step's time is over."""
    gone_is_done: bool = False
    """Whether a target that went by itself, once the run has begun, is as the call would have left it."""
    reads_only: bool = False
    """Whether it changes nothing, so that it may be done again after a crash."""

    async def gather(self, access: Access, target: Target, live: Json, arguments: Json) -> Sequence[Json]:
        """Read what else rendering needs. Raises ``AccessFailed``."""
        return ()

    @abstractmethod
    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the call."""

    def allowed_by(self, target: Target, arguments: Json, access: Access, registries: Sequence[str]) -> Json:
        """What the configuration says that allows this very call, by the key that says it; more than the namespace or
        repository that it is in. A change of it voids an approval. Raises ``AccessFailed`` where it says nothing."""
        return {}

    async def read(self, access: Access, target: Target, call: Call) -> Json | None:
        """Read the target as it is now, None when it does not exist. Raises ``AccessFailed``."""
        return await access.find(target.resource, target.namespace, target.name)

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Send the call once, or rehearse it. Raises ``AccessFailed``."""
        return await access.send(call, target.resource, target.namespace, target.name, dry_run=dry_run)

    @abstractmethod
    def fields(self, live: Json, arguments: Json) -> Json:
        """The fields of the object that the action reads or writes; a change in them is drift."""

    def result(self, answer: Json, arguments: Json) -> Json:
        """The part of the server's answer that must be the same in the rehearsal and in the run."""
        return self.fields(answer, arguments)

    def shown(self, live: Json, answer: Json) -> tuple[Json, Json]:
        """The object before and after, as the diff shows it."""
        return diff.normalise(live), diff.normalise(answer)

    def applied(self, live: Json | None, before: Before, result: str, arguments: Json) -> ReadBack:
        """Tell from the object as it is now whether the call took effect; ``result`` is the hash of the rehearsal's."""
        if live is None or live["metadata"]["uid"] != before.uid:
            return "cannot tell"
        now = fingerprint(self.fields(live, arguments))
        if now == result:
            return "applied"
        return "not applied" if now == before.fields else "cannot tell"


class Unrehearsed(Action):
    """An action that no server can rehearse: it tells by itself what its call will leave."""

    dry_run = False

    @abstractmethod
    def foresee(self, live: Json, call: Call) -> Json:
        """The object as the call will leave it."""


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
