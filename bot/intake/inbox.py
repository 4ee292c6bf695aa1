"""The inbox: stores what people did in Slack before it is acknowledged, and reads what they asked to see."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from bot.chat.commands import OpenIncidents, WaitingApprovals
from bot.chat.incident_card import IncidentView
from bot.domain.approval import Vote
from bot.domain.evidence import Evidence
from bot.intake.slack import Answer, ApprovalShown, Click
from bot.jobs import board
from bot.jobs.world import World
from bot.store import approvals, clock, incidents, runs

LISTED = 10

Store = Callable[[Connection], tuple[str, int | None]]

_NO_REQUEST = "Nothing was recorded: there is no such request any more."
_NO_RUN = "Nothing was recorded: there is no such run any more."


class StoredInbox:
    """The inbox of the listeners, on the store and the engine."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def vote(self, click: Click) -> str:
        """Store a vote as one row, then start its job. Returns "" or why nothing was recorded."""

        def store(connection: Connection) -> tuple[str, int | None]:
            approval = approvals.find(connection, click.approval_id)
            if approval is None:
                return _NO_REQUEST, None
            # The button carries the beginning of the digest; anything else was not the card of this plan.
            seen = approval.digest if click.digest and approval.digest.startswith(click.digest) else click.digest
            return "", _receive(connection, click.id, approval.id, click, seen, self._world)

        return await self._started(store, click.id)

    async def answer(self, answer: Answer) -> str:
        """Store what a person says became of an UNKNOWN run, then start its job. Returns "" or why it was not."""

        def store(connection: Connection) -> tuple[str, int | None]:
            run = runs.find(connection, answer.run_id)
            if run is None:
                return _NO_RUN, None
            approval = approvals.get(connection, run.approval_id)
            return "", _receive(connection, answer.id, approval.id, answer, approval.digest, self._world)

        return await self._started(store, answer.id)

    async def _started(self, store: Store, vote_id: str) -> str:
        problem, generation = await self._world.database.write(store, urgent=True)
        if generation is not None:
            self._world.engine.start_soon("vote", vote_id, generation)
        return problem

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
        """Return the requests that wait longest."""

        def read(connection: Connection) -> WaitingApprovals:
            oldest = approvals.pending(connection, limit=LISTED)
            return WaitingApprovals(
                oldest=[(approval, board.what(connection, self._world, approval)) for approval in oldest],
                total=approvals.count_pending(connection),
                now=clock.now(connection),
            )

        return await self._world.database.read(read)

    async def incident(self, number: int) -> IncidentView | None:
        """Return an incident as its card shows it."""

        def read(connection: Connection) -> IncidentView | None:
            found = incidents.by_number(connection, number)
            return board.view_of(connection, self._world, found.id) if found else None

        return await self._world.database.read(read)

    async def approval(self, number: int) -> ApprovalShown | None:
        """Return a request as its card shows it."""

        def read(connection: Connection) -> ApprovalShown | None:
            found = approvals.by_number(connection, number)
            if found is None:
                return None
            request = approvals.request(connection, found.id)
            view = board.approval_view(connection, self._world, found.id, buttons=False)
            return ApprovalShown(found, request.plan.record, view, request.full_diff)

        return await self._world.database.read(read)

    async def evidence(self, incident_id: str) -> tuple[str, tuple[Evidence, ...]] | None:
        """Return an incident's name and its evidence."""

        def read(connection: Connection) -> tuple[str, tuple[Evidence, ...]] | None:
            found = incidents.find(connection, incident_id)
            return (found.name, incidents.evidence_of(connection, found.id)) if found else None

        return await self._world.database.read(read)


def _receive(
    connection: Connection, vote_id: str, approval_id: str, act: Click | Answer, digest: str, world: World
) -> int | None:
    decision = act.decision if isinstance(act, Click) else ("applied" if act.applied else "absent")
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
