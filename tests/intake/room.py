"""A bot with all listeners, connected to a local Slack over Socket Mode, where people click and type."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.chat import approval_buttons, approval_card, run_form
from bot.chat.approval_card import ApprovalView
from bot.chat.card import Card
from bot.chat.commands import OpenIncidents, WaitingApprovals
from bot.chat.incident_card import IncidentView
from bot.chat.run_form import Submitted
from bot.chat.shared_card import Shown
from bot.clients.slack import close, open_client
from bot.domain.approval import Person
from bot.domain.evidence import Evidence
from bot.domain.run import Run
from bot.intake import slack as intake
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
from bot.intake.socket_mode import SocketMode
from bot.runbooks.catalogue import load
from tests.chat.samples import EVIDENCE, INCIDENT, NOW, TRIAGE, approval, record
from tests.chat.workspace import INCIDENTS, LEE, LocalSlack, until

PLAN = record()
A77 = approval(PLAN)
BOOKS = [load(Path(__file__).parents[2] / "runbooks").runbooks["restart-deployment"]]
RUN = Run("r1", "a77", "i142", "unknown", NOW)


@dataclass
class MemoryInbox:
    """An inbox that keeps what it is given; `says`, `raises` and `takes` make it refuse, fail or be slow."""

    clicks: dict[str, Click] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    deliveries: int = 0
    says: str = ""
    raises: Exception | None = None
    takes: float = 0.0
    foreseen: str = ""
    wished: list[tuple[str, str, str]] = field(default_factory=list)
    asks: dict[str, RunWanted] = field(default_factory=dict)
    reruns: dict[str, RerunWanted] = field(default_factory=dict)
    logs_wanted: dict[str, LogsWanted] = field(default_factory=dict)
    lines_shown: LinesShown | None = None
    named: dict[str, RerunNamed] = field(default_factory=dict)

    async def _behave(self) -> None:
        self.deliveries += 1
        await asyncio.sleep(self.takes)
        if self.raises:
            raise self.raises

    async def logs(self, wanted: LogsWanted) -> tuple[bool, str]:
        await self._behave()
        if self.says:
            return False, self.says
        self.logs_wanted[wanted.id] = wanted
        return True, "Reading."

    async def lines(self, request_id: str, person: Person, channel: str) -> LinesShown | None:
        await self._behave()
        assert (request_id, person.user_id, channel) == ("r1", LEE, INCIDENTS)
        return self.lines_shown

    async def rerun(self, wanted: RerunWanted) -> str:
        await self._behave()
        if not self.says:
            self.reruns[wanted.id] = wanted
        return self.says

    async def rerun_by_name(self, wanted: RerunNamed) -> str:
        await self._behave()
        self.named[wanted.id] = wanted
        return self.says or "Asking."

    async def vote(self, click: Click) -> str:
        await self._behave()
        self.clicks[click.id] = click
        return self.says

    async def foresee(self, approval_id: str, digest: str, person: Person, decision: str) -> str:
        assert (approval_id, digest) == (A77.id, A77.digest)
        assert decision in ("deny", "break", "reviewed")
        await asyncio.sleep(self.takes)
        return self.foreseen

    async def form_to_pick(self, runbook: str, incident: str | int) -> Mapping[str, Any] | str:
        await self._behave()
        if incident not in ("i142", 142):
            return "There is no such incident any more."
        return await self.form_of(Submitted(runbook, "i142")) if runbook else run_form.pick(BOOKS, [INCIDENT])

    async def form_of(self, asked: Submitted) -> Mapping[str, Any] | str:
        return run_form.render(run_form.Form(BOOKS[0], [INCIDENT], {"namespace": "shop"}))

    async def form_to_change(self, approval_id: str, digest: str, person: Person) -> Mapping[str, Any] | str:
        if person.user_id != LEE:
            return "You may not change this."
        return run_form.render(run_form.Form(BOOKS[0], [INCIDENT], {}, f"{approval_id}.{digest}"))

    async def ask(self, wanted: RunWanted) -> RunAsked:
        await self._behave()
        given = run_form.answers(wanted.view, BOOKS[0].parameters)
        if self.says or given["namespace"] == "NO":
            return RunAsked(problem=self.says, faults={} if self.says else {"namespace": "Must be small."})
        self.asks[wanted.id] = wanted
        return RunAsked()

    async def turn_actions(self, wish: str, person: Person, name: str, reason: str) -> str:
        self.wished.append((wish, person.user_id, reason))
        return "Actions are off."

    async def answer(self, answer: Answer) -> str:
        await self._behave()
        self.answers[answer.id] = answer
        return self.says

    async def open_incidents(self) -> OpenIncidents:
        await self._behave()
        return OpenIncidents([INCIDENT], 1, NOW)

    async def waiting_approvals(self) -> WaitingApprovals:
        return WaitingApprovals([(A77, "Roll back a Deployment: shop/checkout")], 1, NOW)

    async def incident(self, number: int) -> IncidentView | str | None:
        if number == 13:
            return "INC-13 is stored, but its row can no longer be read: garbled."
        return IncidentView(INCIDENT, evidence=EVIDENCE, triage=TRIAGE) if number == 142 else None

    async def approval(self, number: int) -> Shown | None:
        return Shown(A77, PLAN, ApprovalView(buttons=False), "") if number == 77 else None

    async def evidence(self, incident_id: str) -> tuple[str, tuple[Evidence, ...]] | None:
        await self._behave()
        return ("INC-142", EVIDENCE) if incident_id == "i142" else None


@dataclass
class Room:
    """A connected bot in a local workspace."""

    slack: LocalSlack
    inbox: MemoryInbox
    client: Any

    async def post(self, card: Card, **more: Any) -> str:
        answer = await self.client.chat_postMessage(channel=INCIDENTS, **card.payload(), **more)
        return str(answer["ts"])

    async def click(self, ts: str, action: str, *, user: str = LEE, **more: Any) -> dict[str, Any]:
        return await self.slack.act(
            "click", user=user, channel=INCIDENTS, ts=ts, action_id=action, confirm=True, **more
        )

    async def told(self, user: str = LEE) -> list[str]:
        """What only this person was told."""
        read = (await self.slack.read(f"channels/{INCIDENTS}/messages", user=user))["messages"]
        replies = [reply for message in read for reply in message.get("replies", [])]
        return [message["text"] for message in [*read, *replies] if message.get("is_ephemeral")]


@asynccontextmanager
async def connected(slack: LocalSlack) -> AsyncIterator[Room]:
    client = open_client(slack.sandbox.bot_token, base_url=slack.sandbox.api_url)
    inbox = MemoryInbox()
    connection = SocketMode(intake.build(client, inbox=inbox), slack.sandbox.app_token)
    task = asyncio.create_task(connection.run())

    async def there() -> bool:
        return connection.connected

    await until(there)
    try:
        yield Room(slack, inbox, client)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await close(client)


def request_card() -> Card:
    return approval_card.render(A77, PLAN, ApprovalView())


FILLED = {"p.namespace": "shop", "p.deployment": "cart"}


async def fill(room: Room, view: dict[str, Any], values: dict[str, Any], *, user: str = LEE) -> dict[str, Any]:
    return await room.slack.act("submit", user=user, view_id=view["id"], values=values)


async def ops(room: Room, text: str) -> dict[str, Any]:
    return await room.slack.act("command", user=LEE, channel=INCIDENTS, text=f"/ops {text}")


def click_body(**action: Any) -> dict[str, Any]:
    value = approval_buttons.button_value(A77)
    return {
        "type": "block_actions",
        "team": {"id": "T0SHOP"},
        "user": {"id": LEE, "team_id": "T0SHOP", "name": "lee"},
        "enterprise": None,
        "channel": {"id": INCIDENTS},
        "container": {"type": "message", "channel_id": INCIDENTS, "message_ts": "1.0"},
        "trigger_id": "1.2.x",
        "actions": [{"type": "button", "action_id": "apr.approve", "block_id": "A-77", "value": value, **action}],
    }
