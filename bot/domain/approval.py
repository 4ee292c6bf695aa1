"""An approval (the request for sign-off), its votes, and the people who may cast them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

ApprovalState = Literal["pending", "approved", "denied", "cancelled", "expired", "void", "superseded"]
Decision = Literal["approve", "break", "deny", "revoke", "cancel", "applied", "absent", "again", "reviewed"]
"""What a click says: on a request approve, break (the glass: release it without its quorum), deny, revoke (take one's
approval back) or cancel (the requester's); on an UNKNOWN run whether its step was applied or is absent; on what was
released by break-glass that it is reviewed."""

VoteState = Literal["received", "counted", "refused", "revoked"]


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """A Slack identity: the workspace (or enterprise) id and the user id, never a name."""

    team_id: str
    user_id: str

    def __str__(self) -> str:
        return f"{self.team_id}:{self.user_id}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What Slack says of a person at one instant. ``known`` is False if that could not be read: they cannot vote."""

    person: Person
    name: str
    known: bool
    is_bot: bool = False
    is_guest: bool = False
    is_deactivated: bool = False
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a group. The name is for people; the identity counts."""

    person: Person
    name: str


@dataclass(frozen=True, slots=True)
class Need:
    """How many of a group must approve, and who was in it when the request was made: nobody else counts."""

    group: str
    count: int
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Electorate:
    """What a vote is judged against: who is in each group, and how each person concerned stood at ``read_at``.

    A group that could not be read as a whole is in ``unread``; who is listed is in it all the same. ``age_ms`` is how
    old the oldest reading is.
    ``aliases`` maps each identity of a human with several to one of them: a human counts once. ``shared`` says whether
    people of other organisations are in the channel where it is decided; None if that could not be read.
    """

    groups: Mapping[str, frozenset[Person]]
    standings: Mapping[Person, Standing]
    read_at: int
    unread: frozenset[str] = frozenset()
    age_ms: int = 0
    aliases: Mapping[Person, Person] = field(default_factory=dict)
    shared: bool | None = None

    def at(self, now: int) -> Self:
        """Return it as what it is by now: as much older as reading the rest of it took, and all since."""
        return replace(self, age_ms=self.age_ms + (now - self.read_at) // 1000, read_at=now)

    def human(self, person: Person) -> Person:
        """Return the one identity that stands for all of a human's."""
        return self.aliases.get(person, person)


@dataclass(frozen=True, slots=True)
class Approval:
    """One request for sign-off of one plan. ``digest`` names the plan; nothing else can be approved by it.

    ``card`` is the id of the request that began the message which this one stands on: often its own. ``replaces`` is
    the id of the request whose place this one took. ``moved`` says, a line a field, what had changed that voided it.
    """

    id: str
    number: int
    matter_id: str
    digest: str
    runbook: str
    cluster: str
    state: ApprovalState
    requester: Person | None
    created_at: int
    expires_at: int
    decided_at: int | None = None
    outcome: str = ""
    card: str = ""
    replaces: str | None = None
    moved: str = ""

    @property
    def name(self) -> str:
        """The name people use, ``A-77``."""
        return f"A-{self.number}"


@dataclass(frozen=True, slots=True)
class Vote:
    """One click, as stored before it was acknowledged. ``digest`` is what the person saw."""

    id: str
    approval_id: str
    person: Person
    decision: Decision
    digest: str
    reason: str
    received_at: int
    state: VoteState = "received"
    verdict: str = ""
