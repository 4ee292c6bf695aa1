"""The listeners under a real Bolt app, connected to the local Slack over Socket Mode, where people click and type."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.chat import approval_card, glass_card, incident_card, run_form, thread
from bot.chat.approval_card import ApprovalView, VoteLine
from bot.chat.card import Card, actions, button
from bot.chat.commands import OpenIncidents, WaitingApprovals
from bot.chat.incident_card import IncidentView
from bot.chat.run_form import Submitted
from bot.clients.slack import close, open_client
from bot.domain.approval import Person
from bot.domain.evidence import Evidence
from bot.domain.run import Run
from bot.intake import slack as intake
from bot.intake.slack import Answer, ApprovalShown, Click, RunAsked, RunWanted, belongs
from bot.intake.socket_mode import SocketMode
from bot.runbooks.catalogue import load
from tests.chat.samples import EVIDENCE, INCIDENT, NOW, TRIAGE, approval, record
from tests.chat.workspace import DANA, INCIDENTS, LEE, LocalSlack, local_slack, until

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

    async def _behave(self) -> None:
        self.deliveries += 1
        await asyncio.sleep(self.takes)
        if self.raises:
            raise self.raises

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

    async def approval(self, number: int) -> ApprovalShown | None:
        return ApprovalShown(A77, PLAN, ApprovalView(buttons=False)) if number == 77 else None

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


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with local_slack(rate_limit_scale=0) as slack, connected(slack) as running:
        yield running


async def test_no_remark_about_the_token_in_the_environment(caplog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    client = open_client("xoxb-1")
    with caplog.at_level("INFO"):
        intake.build(client, inbox=MemoryInbox())
    await close(client)
    assert caplog.messages == []


def request_card() -> Card:
    return approval_card.render(A77, PLAN, ApprovalView())


# --- votes ------------------------------------------------------------------------------------------------------------


async def test_a_click_on_approve_is_stored_before_it_is_acknowledged(room: Room) -> None:
    room.inbox.takes = 0.3
    seen = await room.click(await room.post(request_card()), "apr.approve")
    assert seen["acked"]
    (click,) = room.inbox.clicks.values()
    assert (click.approval_id, click.digest, click.decision, click.reason) == ("a77", A77.digest, "approve", "")
    assert (click.person, click.channel) == (Person("T0SHOP", LEE), INCIDENTS)
    assert click.person_name
    assert await room.told() == []


async def test_two_clicks_are_two_votes_and_one_click_twice_is_one(room: Room) -> None:
    ts = await room.post(request_card())
    await room.click(ts, "apr.approve")
    await room.click(ts, "apr.approve")
    await room.click(ts, "apr.approve", user=DANA)
    assert len(room.inbox.clicks) == 3

    app = intake.build(room.client, inbox=room.inbox)
    from slack_bolt.request.async_request import AsyncBoltRequest

    body = click_body(action_ts="1795255320.000100")
    for _ in range(2):
        answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        assert answer.status == 200
    assert room.inbox.deliveries == 5
    assert len(room.inbox.clicks) == 4


async def test_what_the_inbox_refuses_is_told_to_that_person_only(room: Room) -> None:
    room.inbox.says = "There is no such request any more: nothing was recorded."
    ts = await room.post(request_card())
    assert (await room.click(ts, "apr.approve"))["acked"]
    assert await room.told() == ["🚫 There is no such request any more: nothing was recorded."]
    assert await room.told(DANA) == []


async def test_a_store_that_fails_is_acknowledged_and_said(room: Room) -> None:
    room.inbox.raises = OSError("disk full: /secret/path")
    seen = await room.click(await room.post(request_card()), "apr.approve")
    assert seen["acked"]
    assert await room.told() == ["🚫 " + intake.NOT_RECORDED]


async def test_a_store_that_is_too_slow_is_acknowledged_in_time_without_a_false_claim(room: Room) -> None:
    room.inbox.takes = 2.6
    seen = await room.click(await room.post(request_card()), "apr.approve")
    assert seen["acked"]
    assert await room.told() == ["🚫 " + intake.UNSURE]
    assert "Nothing was recorded" not in intake.UNSURE


async def test_a_refusal_of_a_click_in_a_thread_is_said_in_that_thread(room: Room) -> None:
    room.inbox.says = "No."
    parent = await room.post(Card("parent"))
    await room.click(await room.post(request_card(), thread_ts=parent), "apr.approve")
    (read,) = [m for m in await room.slack.messages() if m["ts"] == parent]
    assert "🚫 No." in [reply["text"] for reply in read["replies"]]


async def test_who_could_not_deny_is_told_at_once_and_writes_nothing(room: Room) -> None:
    room.inbox.foreseen = "Dana is not on the list of approvers for this action: Lee may deny."
    seen = await room.click(await room.post(request_card()), "apr.deny", user=DANA, wait=5)
    assert seen["modals"] == []
    assert any("not on the list of approvers" in text for text in await room.told(DANA))


async def test_the_form_opens_in_time_when_it_cannot_be_foreseen(room: Room) -> None:
    room.inbox.takes = 30.0
    (view,) = (await room.click(await room.post(request_card()), "apr.deny", wait=5))["modals"]
    assert view["title"]["text"] == "Deny A-77"


@pytest.mark.parametrize(("choice", "decision"), [("revoke", "revoke"), ("cancel", "cancel")])
async def test_an_approval_and_a_request_are_taken_back_behind_the_dots(room: Room, choice: str, decision: str) -> None:
    asked = approval(PLAN, requester=Person("T0SHOP", DANA))
    ts = await room.post(approval_card.render(asked, PLAN, ApprovalView()))
    await room.click(ts, "apr.more", value=f"{choice}:{approval_card.button_value(asked)}", wait=5)
    (click,) = room.inbox.clicks.values()
    assert (click.decision, click.approval_id, click.digest) == (decision, asked.id, asked.digest)


async def test_actions_are_turned_off_with_a_word(room: Room) -> None:
    said = await room.slack.act("command", user=LEE, channel=INCIDENTS, text="/ops actions off the registry is gone")
    assert room.inbox.wished == [("off", LEE, "the registry is gone")]
    assert "Actions are off." in str(said)


async def test_a_row_that_cannot_be_read_is_said_to_be_so(room: Room) -> None:
    said = await room.slack.act("command", user=LEE, channel=INCIDENTS, text="/ops status INC-13")
    assert "can no longer be read: garbled" in str(said)


async def test_deny_asks_for_a_reason_and_stores_it(room: Room) -> None:
    seen = await room.click(await room.post(request_card()), "apr.deny", wait=5)
    assert seen["acked"]
    (view,) = seen["modals"]
    assert view["title"]["text"] == "Deny A-77"
    assert room.inbox.clicks == {}
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "4.18.0 is on its way"})
    assert (seen["acked"], seen["modals"]) == (True, [])
    (click,) = room.inbox.clicks.values()
    assert (click.decision, click.reason, click.channel) == ("deny", "4.18.0 is on its way", INCIDENTS)
    assert (click.approval_id, click.digest) == ("a77", A77.digest)


async def test_breaking_the_glass_asks_for_a_reason_and_stores_it(room: Room) -> None:
    plan = PLAN | {"break_glass": [{"team_id": "T0SHOP", "user_id": LEE, "name": "lee"}]}
    ts = await room.post(approval_card.render(A77, plan, ApprovalView()))
    seen = await room.click(ts, "apr.more", value=f"break:{approval_card.button_value(A77)}", wait=5)
    (view,) = seen["modals"]
    assert view["title"]["text"] == "Break glass A-77"
    assert room.inbox.clicks == {}
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "   "})
    assert "those whose approval is passed over" in seen["errors"]["reason"]
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "the shop is down"})
    assert (seen["acked"], seen["modals"]) == (True, [])
    (click,) = room.inbox.clicks.values()
    assert (click.decision, click.reason) == ("break", "the shop is down")
    assert (click.approval_id, click.digest) == (A77.id, A77.digest)


async def test_who_could_not_break_the_glass_is_told_at_once(room: Room) -> None:
    room.inbox.foreseen = "Lee may not break the glass for A-77: Dana may."
    plan = PLAN | {"break_glass": [{"team_id": "T0SHOP", "user_id": DANA, "name": "dana"}]}
    ts = await room.post(approval_card.render(A77, plan, ApprovalView()))
    seen = await room.click(ts, "apr.more", value=f"break:{approval_card.button_value(A77)}", wait=5)
    assert seen["modals"] == []
    assert any("may not break the glass" in text for text in await room.told())
    assert room.inbox.clicks == {}


async def test_a_review_is_closed_with_a_word(room: Room) -> None:
    broken = VoteLine(Person("T0SHOP", DANA), "dana", "break", 1, "the shop is down")
    card = glass_card.render(A77, "Roll back: shop/checkout (INC-142)", "dana broke the glass", broken, None)
    (view,) = (await room.click(await room.post(card), glass_card.REVIEW_ACTION, wait=5))["modals"]
    assert view["title"]["text"] == "Review A-77"
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "right, nobody answered"})
    assert (seen["acked"], seen["modals"]) == (True, [])
    (click,) = room.inbox.clicks.values()
    assert (click.decision, click.reason, click.digest) == ("reviewed", "right, nobody answered", A77.digest)


async def test_a_denial_that_cannot_be_stored_keeps_the_form_open(room: Room) -> None:
    (view,) = (await room.click(await room.post(request_card()), "apr.deny", wait=5))["modals"]
    room.inbox.raises = OSError("disk full")
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "not now"})
    assert seen["errors"] == {"reason": intake.NOT_RECORDED}
    assert len(seen["modals"]) == 1
    room.inbox.raises = None
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "not now"})
    assert seen["modals"] == []
    assert len(room.inbox.clicks) == 1


async def test_a_blank_reason_is_refused_in_the_form(room: Room) -> None:
    (view,) = (await room.click(await room.post(request_card()), "apr.deny", wait=5))["modals"]
    seen = await room.slack.act("submit", user=LEE, view_id=view["id"], values={"reason": "    "})
    assert seen["errors"] == {"reason": "Write a few words: those who asked will read them."}
    assert room.inbox.clicks == {}


async def test_a_button_with_a_value_of_another_kind_records_nothing(room: Room) -> None:
    for action in ("apr.approve", "apr.deny", "run.applied"):
        row = actions([button("Old", action, "what is this?")])
        ts = await room.post(Card("old", (row,)))
        assert (await room.click(ts, action))["acked"]
    assert await room.told() == ["🚫 " + intake.STALE_BUTTON] * 3
    assert room.inbox.deliveries == 0


# --- asking for a runbook ---------------------------------------------------------------------------------------------

FILLED = {"p.namespace": "shop", "p.deployment": "cart"}


async def fill(room: Room, view: dict[str, Any], values: dict[str, Any], *, user: str = LEE) -> dict[str, Any]:
    return await room.slack.act("submit", user=user, view_id=view["id"], values=values)


async def test_a_runbook_is_asked_for_in_a_form_and_stored_once(room: Room) -> None:
    text = "/ops run restart-deployment INC-142"
    (view,) = (await room.slack.act("command", user=LEE, channel=INCIDENTS, text=text, wait=5))["modals"]
    seen = await fill(room, view, FILLED)
    assert (seen["acked"], seen["modals"], seen["errors"]) == (True, [], {})
    (wanted,) = room.inbox.asks.values()
    assert wanted.asked == Submitted("restart-deployment", "i142")
    assert (wanted.person.user_id, run_form.answers(wanted.view, BOOKS[0].parameters)) == (
        LEE,
        {"namespace": "shop", "deployment": "cart"},
    )


async def test_from_the_card_the_runbook_is_picked_first(room: Room) -> None:
    view = IncidentView(INCIDENT, evidence=EVIDENCE, triage=TRIAGE, runnable=True)
    ts = await room.post(incident_card.render(view))
    (first,) = (await room.click(ts, "inc.run", wait=5))["modals"]
    (second,) = (await fill(room, first, {"runbook": "restart-deployment"}))["modals"]
    assert [block["block_id"] for block in second["blocks"] if block["type"] == "input"] == list(FILLED)
    await fill(room, second, FILLED)
    assert len(room.inbox.asks) == 1


async def test_what_is_wrong_is_said_beside_its_field_and_the_form_stays(room: Room) -> None:
    text = "/ops run restart-deployment INC-142"
    (view,) = (await room.slack.act("command", user=LEE, channel=INCIDENTS, text=text, wait=5))["modals"]
    seen = await fill(room, view, FILLED | {"p.namespace": "NO"})
    assert seen["errors"] == {"p.namespace": "Must be small."}
    assert room.inbox.asks == {}
    assert (await fill(room, view, FILLED))["modals"] == []
    assert len(room.inbox.asks) == 1


async def test_what_cannot_be_asked_for_is_said_and_nothing_is_stored(room: Room) -> None:
    said = await room.slack.act("command", user=LEE, channel=INCIDENTS, text="/ops run restart-deployment INC-7")
    assert "There is no such incident any more." in str(said)
    text = "/ops run restart-deployment INC-142"
    (view,) = (await room.slack.act("command", user=LEE, channel=INCIDENTS, text=text, wait=5))["modals"]
    room.inbox.says = "5 requests of yours wait already."
    (refused,) = (await fill(room, view, FILLED))["modals"]
    assert "5 requests of yours wait already." in str(refused["blocks"])
    assert room.inbox.asks == {}


async def test_a_request_is_changed_by_who_may_and_others_are_told(room: Room) -> None:
    ts = await room.post(request_card())
    change = f"edit:{approval_card.button_value(A77)}"
    await room.click(ts, "apr.more", user=DANA, value=change, wait=5)
    assert "🚫 You may not change this." in await room.told(DANA)
    (view,) = (await room.click(ts, "apr.more", value=change, wait=5))["modals"]
    await fill(room, view, FILLED)
    (wanted,) = room.inbox.asks.values()
    assert wanted.asked.replaces == approval_card.button_value(A77)
    assert room.inbox.clicks == {}


# --- the question of an UNKNOWN run -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "applied"), [("run.applied", True), ("run.notapplied", False)])
async def test_the_answer_to_an_unknown_run_is_stored(room: Room, action: str, applied: bool) -> None:
    ts = await room.post(thread.question(A77, RUN, "The connection broke."))
    assert (await room.click(ts, action))["acked"]
    (answer,) = room.inbox.answers.values()
    assert (answer.run_id, answer.applied, answer.person) == ("r1", applied, Person("T0SHOP", LEE))


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_the_evidence_button_opens_the_evidence(room: Room) -> None:
    ts = await room.post(incident_card.render(IncidentView(INCIDENT, evidence=EVIDENCE, triage=TRIAGE)))
    assert (await room.click(ts, "inc.evidence"))["acked"]

    async def shown() -> str:
        modals = (await room.slack.read("views", user=LEE))["modals"]
        return str(modals) if "Failed to pull image" in str(modals) else ""

    assert "Evidence INC-142" in await until(shown)


async def test_evidence_that_cannot_be_read_is_said_in_the_view(room: Room) -> None:
    room.inbox.raises = OSError("no")
    ts = await room.post(incident_card.render(IncidentView(INCIDENT, evidence=EVIDENCE)))
    await room.click(ts, "inc.evidence")

    async def shown() -> bool:
        return intake.NOT_READ in str((await room.slack.read("views", user=LEE))["modals"])

    await until(shown)


async def ops(room: Room, text: str) -> dict[str, Any]:
    return await room.slack.act("command", user=LEE, channel=INCIDENTS, text=f"/ops {text}")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "/ops incidents"),
        ("help", "what waits for somebody"),
        ("incidents", "1 open incident"),
        ("approvals", "1 waiting for sign-off"),
        ("status INC-142", "Likely cause"),
        ("status A-77", "Exact change"),
        ("status INC-9", "There is no INC-9."),
        ("status A-9", "There is no A-9."),
        ("incidnets", "is no command of Signoff. Did you mean"),
        ("<!channel>", "is no command of Signoff"),
    ],
)
async def test_ops_answers_whoever_asks_and_nobody_else(room: Room, typed: str, says: str) -> None:
    seen = await ops(room, typed)
    assert seen["acked"]
    (answer,) = seen["ephemeral"]
    assert says in str(answer["blocks"])
    assert (await room.slack.read(f"channels/{INCIDENTS}/messages", user=DANA))["messages"] == []


async def test_ops_says_so_when_the_database_is_away_or_slow(room: Room) -> None:
    room.inbox.raises = OSError("no")
    (answer,) = (await ops(room, "incidents"))["ephemeral"]
    assert intake.NOT_READ in answer["text"]
    room.inbox.raises, room.inbox.takes = None, 2.6
    seen = await ops(room, "incidents")
    assert seen["acked"]
    assert intake.NOT_READ in seen["ephemeral"][0]["text"]


# --- strangers, old buttons, everything else --------------------------------------------------------------------------


async def test_somebody_of_another_workspace_is_refused_and_only_they_are_told(room: Room) -> None:
    await room.slack.switch(invite={"channel": INCIDENTS, "user": "U0EXT"})
    ts = await room.post(request_card())
    assert (await room.click(ts, "apr.approve", user="U0EXT"))["acked"]
    assert await room.told("U0EXT") == ["🚫 " + intake.FOREIGN]
    assert room.inbox.deliveries == 0


@pytest.mark.parametrize(
    ("body", "team", "enterprise", "ours"),
    [
        ({"team": {"id": "T1"}, "user": {"team_id": "T1"}, "enterprise": None}, "T1", None, True),
        ({"team": {"id": "T1"}, "user": {"id": "U1"}}, "T1", None, True),
        ({"team_id": "T1", "user_id": "U1"}, "T1", None, True),
        ({"team": {"id": "T1"}, "user": {"team_id": "T2"}}, "T1", None, False),
        ({"team": {"id": "T2"}, "user": {"team_id": "T2"}}, "T1", None, False),
        ({"team": None, "enterprise": {"id": "E1"}, "user": {"team_id": "T9"}}, "T1", "E1", True),
        ({"team": None, "enterprise": {"id": "E2"}, "user": {"team_id": "T9"}}, "T1", "E1", False),
        ({"team": None, "user": {"id": "U1"}}, "T1", None, False),
        ({}, "T1", None, False),
        ({}, None, None, False),
    ],
)
def test_who_belongs_here(body: dict[str, Any], team: str | None, enterprise: str | None, ours: bool) -> None:
    assert belongs(body, team, enterprise) == ours


async def test_a_button_nobody_knows_any_more_says_so(room: Room) -> None:
    ts = await room.post(Card("old", (actions([button("Old", "gone.long.ago", "x")]),)))
    assert (await room.click(ts, "gone.long.ago"))["acked"]
    assert await room.told() == ["🚫 " + intake.STALE_BUTTON]


def click_body(**action: Any) -> dict[str, Any]:
    value = approval_card.button_value(A77)
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


HOME = {"team": {"id": "T0SHOP"}, "user": {"id": LEE, "team_id": "T0SHOP"}}


@pytest.mark.parametrize(
    "body",
    [
        {**HOME, "type": "view_submission", "view": {"id": "V1", "callback_id": "other", "type": "modal"}},
        {**HOME, "type": "view_closed", "view": {"id": "V1", "callback_id": "other", "type": "modal"}},
        {**HOME, "type": "shortcut", "callback_id": "other", "trigger_id": "x"},
        {
            **HOME,
            "type": "message_action",
            "callback_id": "other",
            "trigger_id": "x",
            "message": {},
            "channel": {"id": "C"},
        },
        {**HOME, "type": "block_suggestion", "action_id": "x", "block_id": "b", "value": "v"},
        {**HOME, "type": "something_new_in_2027"},
        {"command": "/other", "team_id": "T0SHOP", "user_id": LEE, "text": "x"},
        {"type": "event_callback", "team_id": "T0SHOP", "event": {"type": "message", "text": "hi", "channel": "C"}},
        {"type": "event_callback", "team_id": "T0SHOP", "event": {"type": "app_uninstalled"}},
        {**click_body(), "actions": [{"type": "button", "action_id": "apr.approve", "block_id": "b"}]},
        {**click_body(), "channel": None, "container": {}},
    ],
    ids=lambda body: str(body.get("type") or body.get("command")),
)
async def test_everything_slack_can_send_is_acknowledged(room: Room, body: dict[str, Any]) -> None:
    from slack_bolt.request.async_request import AsyncBoltRequest

    app = intake.build(room.client, inbox=room.inbox)
    answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
    assert answer.status == 200


async def test_no_log_line_has_what_people_wrote(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    from slack_bolt.request.async_request import AsyncBoltRequest

    caplog.set_level(logging.DEBUG)
    app = intake.build(room.client, inbox=room.inbox)
    for body in (
        {**HOME, "type": "something_new_in_2027", "text": "hunter2"},
        {"type": "event_callback", "team_id": "T0SHOP", "event": {"type": "message", "text": "hunter2"}},
        {"command": "/ops", "team_id": "T0SHOP", "user_id": LEE, "text": "hunter2"},
    ):
        await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
    await ops(room, "hunter2")
    assert "hunter2" not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("slack"))


async def test_building_the_app_does_not_contact_slack() -> None:
    client = open_client("xoxb-local-none", base_url="http://127.0.0.1:9/api/")
    intake.build(client, inbox=MemoryInbox())
    await close(client)
