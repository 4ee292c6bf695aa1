"""The inbox: stores what people did in Slack before it is acknowledged, and reads what they asked to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection

from bot.chat import logs_card, run_form
from bot.chat.commands import OpenIncidents, WaitingApprovals
from bot.chat.incident_card import IncidentView
from bot.chat.logs_asked import LogsAsked
from bot.chat.pull_asked import PullAsked
from bot.chat.shared_card import Shown
from bot.domain.approval import Approval, Decision, Person, Vote
from bot.domain.evidence import Evidence
from bot.domain.log_request import LogRequest, refused_place
from bot.domain.log_summary import LogSummary
from bot.intake import reruns, run_forms
from bot.intake.acts import (
    Answer,
    Click,
    LinesShown,
    LogsWanted,
    RerunNamed,
    RerunWanted,
    RunAsked,
    RunWanted,
)
from bot.jobs import board, logs, stopping, vote
from bot.jobs.world import World
from bot.store import approvals, audit, clock, incidents, log_requests, pulls, runs, stops
from bot.store.unreadable import UnreadableRow

LISTED = 10
LOGS_AT_ONCE = 3

Store = Callable[[Connection], tuple[str, int | None]]

_NO_REQUEST = "Nothing was recorded: there is no such request any more."
_TOO_MANY = f"Signoff still reads {LOGS_AT_ONCE} logs for you: wait for one of them."
_NO_GITHUB = "Signoff has no GitHub configured: nothing was recorded."
_NO_RUN = "Nothing was recorded: there is no such run any more."


class StoredInbox:
    """The inbox of the listeners, on the store and the engine."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def vote(self, click: Click) -> str:
        """Store a vote as one row, then start its job. Returns "" or why nothing was recorded."""

        def store(connection: Connection) -> tuple[str, int | None]:
            digest = approvals.digest_of(connection, click.approval_id)
            if digest is None:
                return _NO_REQUEST, None
            # The button carries the beginning of the digest; anything else was not the card of this plan.
            seen = digest if click.digest and digest.startswith(click.digest) else click.digest
            return "", _receive(connection, click.id, click.approval_id, click, seen, self._world)

        return await self._started(store, click.id)

    async def foresee(self, approval_id: str, digest: str, person: Person, decision: Decision) -> str:
        """Say why this person's vote would be refused if it were cast now."""
        return await vote.foresee(self._world, approval_id, digest, person, decision)

    async def turn_actions(self, wish: Literal["", "off", "on"], person: Person, name: str, reason: str) -> str:
        """Turn all actions off or on as far as this person's word goes, or say how they are."""
        if wish:
            return await stopping.turn(self._world, wish, person, name, reason)
        stop = await self._world.database.read(stops.current)
        return stop.sentence if stop else "Actions are on."

    async def form_to_pick(self, runbook: str, incident: str | int) -> Mapping[str, Any] | str:
        """Return the form that asks for a runbook, or why nothing can be asked for."""
        return await run_forms.to_pick(self._world, runbook, incident)

    async def form_of(self, asked: run_form.Submitted) -> Mapping[str, Any] | str:
        """Return the form of one runbook for one incident, or why it cannot be asked for."""
        return await run_forms.of(self._world, asked)

    async def form_to_change(self, approval_id: str, digest: str, person: Person) -> Mapping[str, Any] | str:
        """Return the form that changes a request's parameters, or why this person may not."""
        return await run_forms.to_change(self._world, approval_id, digest, person)

    async def ask(self, wanted: RunWanted) -> RunAsked:
        """Check what was filled in, store it and start the job that plans it."""
        return await run_forms.ask(self._world, wanted)

    async def rerun(self, wanted: RerunWanted) -> str:
        """Store that a CI run's failed jobs are to run again, and start the job that plans it."""
        return await reruns.ask(self._world, wanted)

    async def rerun_by_name(self, wanted: RerunNamed) -> str:
        """Store that failed jobs are to run again, and start the jobs that plan it. Returns what to tell the person."""
        return await reruns.ask_by_name(self._world, wanted)

    async def answer(self, answer: Answer) -> str:
        """Store what a person says became of an UNKNOWN run, then start its job. Returns "" or why it was not."""

        def store(connection: Connection) -> tuple[str, int | None]:
            run = runs.find(connection, answer.run_id)
            if run is None:
                return _NO_RUN, None
            digest = approvals.digest_of(connection, run.approval_id) or ""
            return "", _receive(connection, answer.id, run.approval_id, answer, digest, self._world)

        return await self._started(store, answer.id)

    async def _started(self, store: Store, vote_id: str) -> str:
        problem, generation = await self._world.database.write(store, urgent=True)
        if generation is not None:
            self._world.engine.start_soon("vote", vote_id, generation)
        return problem

    async def logs(self, wanted: LogsWanted) -> tuple[bool, str]:
        """Store a wish to read logs as one row, then start its job; what is not listed is refused here and audited."""
        world = self._world

        def store(connection: Connection) -> tuple[bool, str, int | None]:
            now = clock.now(connection)
            asked = _asked(connection, world, wanted, now)
            if isinstance(asked, str):
                return False, asked, None
            if log_requests.under_way(connection, str(wanted.person)) >= LOGS_AT_ONCE:
                return False, _TOO_MANY, None
            why = refused_place(asked.channel, asked.cluster, asked.namespace, world.rules.logs)
            if why:
                now = clock.advance(connection)
                log_requests.receive(connection, replace(asked, state="refused", outcome=why))
                logs.refuse(connection, asked, why, now=now)
                return False, why, None
            return (
                True,
                f"Reading: {logs_card.title(asked)}. The answer comes here.",
                log_requests.receive(connection, asked),
            )

        taken, sentence, generation = await world.database.write(store, urgent=True)
        if generation is not None:
            world.engine.start_soon(logs.KIND, wanted.id, generation)
        return taken, sentence

    async def review(self, pull: PullAsked, person: Person) -> str:
        """Store that a pull request is to be reviewed, whatever its repository's policy leaves out, and start its job.
        A repository that Signoff does not look after is refused: its credential may reach more than that."""
        world = self._world
        code = world.code
        if code is None:
            return _NO_GITHUB

        def store(connection: Connection) -> tuple[str, int] | None:
            listed = code.listens_to(pull.repository)
            if not listed or not (code.lists_repositories or pulls.has_sent(connection, pull.repository)):
                return None
            now = clock.advance(connection)
            asked = pulls.ask(connection, pull.repository, pull.number, by=f"slack:{person}")
            audit.append(connection, at=now, kind="pull.asked", actor=f"slack:{person}", subject=pull.name, data={})
            return asked

        asked = await world.database.write(store, urgent=True)
        if asked is None:
            return f"Signoff does not review {pull.repository}: nothing was recorded."
        world.engine.start_soon("pull", *asked)
        return f"Reviewing {pull.name}. What is found appears on the pull request."

    async def lines(self, request_id: str, person: Person, channel: str) -> LinesShown | None:
        """Return the lines that an answer cites, after looking anew whether this person may see them here."""
        world = self._world

        def read(connection: Connection) -> tuple[LogRequest, Mapping[str, Any] | None, LogSummary | None] | None:
            request = log_requests.find(connection, request_id)
            if request is None:
                return None
            reading = log_requests.reading_of(connection, request_id)
            return request, reading, log_requests.summary_of(connection, request_id)

        found = await world.database.read(read)
        if found is None or found[0].state != "answered":
            return None
        request, reading, summary = found
        why = world.redactor.text(await logs.refusal(world, request, person, channel))

        def note(connection: Connection) -> None:
            now = clock.advance(connection)
            asked = replace(request, person=person, channel=channel)
            if why:
                logs.refuse(connection, asked, why, now=now)
            else:
                logs.opened(connection, asked, now=now)

        await world.database.write(note, urgent=True)
        if why:
            return LinesShown(refused=why)
        if reading is None or summary is None:
            return LinesShown()
        shown = logs.shown_of(request, reading)
        return LinesShown(
            cited=[one.line for finding in summary.findings for one in finding.cited],
            shown=logs.read_of(reading).shown,
            sources=shown.sources,
        )

    async def open_incidents(self) -> OpenIncidents:
        """Return the newest open incidents."""

        def read(connection: Connection) -> OpenIncidents:
            return OpenIncidents(
                newest=incidents.newest(connection, status="open", limit=LISTED),
                total=incidents.count(connection, status="open"),
                now=clock.now(connection),
            )

        return await self._world.database.read(read)

    async def waiting_approvals(self) -> WaitingApprovals:
        """Return the requests that wait longest, and those whose break-glass nobody has reviewed."""

        def read(connection: Connection) -> WaitingApprovals:
            def told(listed: list[Approval]) -> list[tuple[Approval, str]]:
                return [(approval, board.what(connection, self._world, approval)) for approval in listed]

            return WaitingApprovals(
                oldest=told(approvals.pending(connection, limit=LISTED)),
                total=approvals.count_pending(connection),
                now=clock.now(connection),
                unreviewed=told(approvals.unreviewed(connection, limit=LISTED)),
                unreviewed_total=approvals.count_unreviewed(connection),
            )

        return await self._world.database.read(read)

    async def incident(self, number: int) -> IncidentView | str | None:
        """Return an incident as its card shows it."""

        def read(connection: Connection) -> IncidentView | None:
            found = incidents.by_number(connection, number)
            return board.view_of(connection, self._world, found.id) if found else None

        try:
            return await self._world.database.read(read)
        except UnreadableRow as problem:
            return _unreadable(f"INC-{number}", problem)

    async def approval(self, number: int) -> Shown | str | None:
        """Return a request as its card shows it."""

        def read(connection: Connection) -> Shown | None:
            found = approvals.by_number(connection, number)
            if found is None:
                return None
            request = approvals.request(connection, found.id)
            view = board.approval_view(connection, self._world, found.id, buttons=False)
            return Shown(found, request.plan.record, view, request.full_diff)

        try:
            found = await self._world.database.read(read)
        except UnreadableRow as problem:
            return _unreadable(f"A-{number}", problem)
        if found is not None:
            # Who asks for it may miss it.
            await self._world.database.write(partial(_look_again, world=self._world, approval_id=found.approval.id))
            self._world.outbox.kick()
        return found

    async def evidence(self, incident_id: str) -> tuple[str, tuple[Evidence, ...]] | None:
        """Return an incident's name and its evidence."""

        def read(connection: Connection) -> tuple[str, tuple[Evidence, ...]] | None:
            found = incidents.find(connection, incident_id)
            return (found.name, incidents.evidence_of(connection, found.id)) if found else None

        return await self._world.database.read(read)


def _look_again(connection: Connection, *, world: World, approval_id: str) -> None:
    board.look_again(connection, world, approval_id, now=clock.advance(connection))


def _asked(connection: Connection, world: World, wanted: LogsWanted, now: int) -> LogRequest | str:
    """Return the request that a wish stands for, or a sentence that says why it stands for none."""
    asked, kind, thread_of = wanted.asked or LogsAsked(), "", None
    if wanted.asked is None:
        incident = incidents.find(connection, wanted.incident_id)
        subject = incident.subject if incident else None
        if incident is None or subject is None or not (subject.cluster and subject.namespace and subject.name):
            return "It is not known whose logs these would be: nothing was read."
        asked, kind = LogsAsked(subject.cluster, subject.namespace, subject.name), subject.kind
        # Only where its card is: the answer must not get into a thread of a channel that nobody looked at.
        thread_of = incident.id if wanted.channel == board.channel_of(connection, world, incident) else None
    if any(world.redactor.text(word) != word for word in asked.words):
        return "One of the words looks like a secret: nothing was read. Look for something else."
    return LogRequest(
        id=wanted.id,
        person=wanted.person,
        person_name=world.redactor.text(wanted.person_name),
        channel=wanted.channel,
        incident_id=thread_of,
        cluster=asked.cluster or world.rules.default_cluster,
        namespace=asked.namespace,
        kind=kind,
        workload=asked.workload,
        seconds=asked.seconds,
        words=asked.words,
        received_at=now,
    )


def _unreadable(name: str, problem: UnreadableRow) -> str:
    return f"{name} is stored, but its row can no longer be read: {problem.reason}. It is not acted on."


def _receive(
    connection: Connection, vote_id: str, approval_id: str, act: Click | Answer, digest: str, world: World
) -> int | None:
    decision = act.decision if isinstance(act, Click) else act.said
    vote = Vote(
        id=vote_id,
        approval_id=approval_id,
        person=act.person,
        decision=decision,
        digest=digest,
        reason=world.redactor.text(act.reason) if isinstance(act, Click) else "",
        received_at=clock.now(connection),
    )
    return approvals.receive_vote(connection, vote, person_name=act.person_name, channel=act.channel)
