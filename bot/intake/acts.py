"""What people do in Slack, as plain data, and the inbox that takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bot.chat import run_form
from bot.chat.commands import OpenIncidents, WaitingApprovals
from bot.chat.incident_card import IncidentView
from bot.chat.logs_asked import LogsAsked
from bot.chat.pull_asked import PullAsked
from bot.chat.rerun_asked import RerunAsked
from bot.chat.shared_card import Shown
from bot.domain.approval import Decision, Person
from bot.domain.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Click:
    """A vote to be stored. ``id`` is the same however often Slack delivers this click; ``digest`` is of the plan that
    the person saw."""

    id: str
    approval_id: str
    digest: str
    person: Person
    person_name: str
    decision: Decision
    reason: str
    channel: str


Said = Literal["applied", "absent", "again"]
"""It took effect; it did not; it did not, and is wanted again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says about a step whose outcome is UNKNOWN, to be stored."""

    id: str
    run_id: str
    said: Said
    person: Person
    person_name: str
    channel: str


@dataclass(frozen=True, slots=True)
class LogsWanted:
    """A wish to read logs, to be stored: as it was typed, or of what an incident is about."""

    id: str
    person: Person
    person_name: str
    channel: str
    asked: LogsAsked | None = None
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class LinesShown:
    """The lines that an answer cites, or in ``refused`` why this person may not see them here."""

    cited: Sequence[int] = ()
    shown: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    sources: Sequence[tuple[str, int]] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class RunWanted:
    """A runbook that somebody asks for in a form, to be stored. ``view`` is the form as it was sent."""

    id: str
    person: Person
    person_name: str
    asked: run_form.Submitted
    view: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RerunWanted:
    """A wish to have a CI run's failed jobs run again, to be stored. ``run_id`` is the run's row."""

    id: str
    person: Person
    person_name: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RerunNamed:
    """A wish, typed in Slack, to have what failed of a run or at a pull request's head run again, to be stored."""

    id: str
    person: Person
    person_name: str
    asked: RerunAsked


@dataclass(frozen=True, slots=True)
class RunAsked:
    """What became of it: stored, or the parameters that are wrong by name, or a sentence for all of it."""

    faults: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


class Inbox(Protocol):
    """What the listeners need of the store. ``vote`` and ``answer`` return when one row is durable, and then start its
    job; they return "" or the sentence that says why nothing was recorded. Storing the same id twice is no error."""

    async def vote(self, click: Click) -> str:
        """Store a vote and start the job that judges it."""

    async def foresee(self, approval_id: str, digest: str, person: Person, decision: Decision) -> str:
        """Say why this person's vote would be refused if it were cast now; an empty string if it would count."""

    async def answer(self, answer: Answer) -> str:
        """Store what a person says about an UNKNOWN step, and let its run go on."""

    async def logs(self, wanted: LogsWanted) -> tuple[bool, str]:
        """Store a wish to read logs and start its job. Returns whether it was taken, and a sentence for the person."""

    async def review(self, pull: PullAsked, person: Person) -> str:
        """Store that a pull request is to be reviewed and start its job. Returns what to tell the person."""

    async def lines(self, request_id: str, person: Person, channel: str) -> LinesShown | None:
        """Read the lines that an answer cites, for a person who may see them; None if there is no such answer."""

    async def open_incidents(self) -> OpenIncidents:
        """Read what is open."""

    async def waiting_approvals(self) -> WaitingApprovals:
        """Read what waits for sign-off, or for the review of a break-glass."""

    async def incident(self, number: int) -> IncidentView | str | None:
        """Read INC-``number``: None if there is no such one, a sentence if its row cannot be read."""

    async def approval(self, number: int) -> Shown | str | None:
        """Read A-``number``: None if there is no such one, a sentence if its row cannot be read."""

    async def turn_actions(self, wish: Literal["", "off", "on"], person: Person, name: str, reason: str) -> str:
        """Turn all actions off or on as far as this person's word goes. Returns what to tell them."""

    async def form_to_pick(self, runbook: str, incident: str | int) -> Mapping[str, Any] | str:
        """Return the form that asks for a runbook; for this incident (id or number) and this runbook if they are given.
        Or why nothing can be asked for."""

    async def form_of(self, asked: run_form.Submitted) -> Mapping[str, Any] | str:
        """Return the form of one runbook for one incident, or why it cannot be asked for."""

    async def form_to_change(self, approval_id: str, digest: str, person: Person) -> Mapping[str, Any] | str:
        """Return the form that changes a request's parameters, or why this person may not."""

    async def ask(self, wanted: RunWanted) -> RunAsked:
        """Check what was filled in, store it and start the job that plans it; store nothing if anything is wrong."""

    async def rerun(self, wanted: RerunWanted) -> str:
        """Store that a CI run's failed jobs are to run again and start the job that plans it. Returns "" or why not."""

    async def rerun_by_name(self, wanted: RerunNamed) -> str:
        """Store that failed jobs are to run again and start the jobs that plan it. Returns what to tell the person."""

    async def evidence(self, incident_id: str) -> tuple[str, tuple[Evidence, ...]] | None:
        """Read an incident's name and evidence, None if there is no such incident."""
