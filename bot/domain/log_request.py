"""A person's request to read a workload's logs, and who may."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

from bot.domain.approval import Person, Standing

State = Literal["received", "reading", "answered", "refused"]


@dataclass(frozen=True, slots=True)
class LogRequest:
    """One request, as stored before it was acknowledged. ``seconds`` is how far back to read; ``kind`` is empty where
    only a name was given; ``incident_id`` is set if the answer goes in an incident's thread."""

    id: str
    person: Person
    person_name: str
    channel: str
    incident_id: str | None
    cluster: str
    namespace: str
    kind: str
    workload: str
    seconds: int
    words: tuple[str, ...]
    received_at: int
    state: State = "received"
    outcome: str = ""

    @property
    def place(self) -> str:
        """Say whose logs in one word: ``prod/shop/checkout``."""
        return f"{self.cluster}/{self.namespace}/{self.workload}"


def refused_place(channel: str, cluster: str, namespace: str, listed: Set[tuple[str, str, str]]) -> str:
    """Say why logs of this namespace may not be read in this channel, or return "". What is not listed is refused."""
    if (channel, cluster, namespace) in listed:
        return ""
    where = f"namespace {namespace} of cluster {cluster}" if cluster else f"namespace {namespace}"
    return (
        f"Logs of {where} may not be read in this channel: logs.channels of Signoff's configuration does not list it."
    )


def refused_person(standing: Standing, shared: bool | None) -> str:
    """Say why this person may not read logs in a channel, or return "". ``shared`` is None if nobody could tell
    whether people of another organisation are in it; what cannot be told is refused."""
    name = standing.name or standing.person.user_id
    faults = (
        (not standing.known, "Slack could not be asked who you are, so no log was read. Try again in a moment."),
        (standing.is_bot, f"{name} is a bot; only people read logs."),
        (standing.is_deactivated, f"{name} is deactivated in Slack and may not read logs."),
        (standing.is_foreign, f"{name} belongs to another workspace and may not read logs here."),
        (standing.is_guest, f"{name} is a guest in this workspace; only full members read logs."),
        (shared is None, "Slack could not be asked who is in this channel, so no log was read. Try again in a moment."),
        (shared is True, "This channel is shared with another organisation: no log is read here."),
    )
    return next((sentence for at_fault, sentence in faults if at_fault), "")
