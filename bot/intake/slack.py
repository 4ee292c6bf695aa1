"""What people do in Slack: clicks, the denial form and /ops, each checked, stored and only then acknowledged.

Slack waits three seconds. Bolt loses an acknowledgement when a listener raises right after it, and tries the next
listener when none came in time; so every listener has a deadline of its own and nothing escapes after its ``ack``.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import structlog

from bot.chat import (
    approval_card,
    commands,
    evidence_view,
    glass_card,
    incident_card,
    logs_card,
    logs_view,
    reason_form,
    run_form,
    thread,
)
from bot.chat.approval_card import ApprovalView
from bot.chat.card import Card
from bot.chat.commands import OpenIncidents, WaitingApprovals
from bot.chat.incident_card import IncidentView
from bot.chat.logs_asked import LogsAsked
from bot.chat.pull_asked import PullAsked
from bot.domain.approval import Approval, Decision, Person
from bot.domain.evidence import Evidence

if TYPE_CHECKING:
    from logging import LogRecord

    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger("signoff.slack")

# Leaves a second of Slack's three for the way here and back.
DEADLINE_S = 2.0
FORESEE_S = 1.2

NOT_RECORDED = "Nothing was recorded: Signoff cannot write to its database right now. Try again in a moment."
UNSURE = (
    "Signoff is slow right now and cannot say whether this was recorded. If nothing changes within a minute, try "
    "again: doing it twice does no harm."
)
STALE_BUTTON = "This button is no longer in use: nothing was recorded. The newest message about this has the buttons."
FOREIGN = "Nothing was recorded: Signoff takes clicks from its own workspace only."
NOT_READ = "Signoff cannot read its database right now. Try again in a moment."

_ANY = re.compile(".*", re.DOTALL)
_ROW_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_CARD_NAME = re.compile(r"A-[0-9]{1,9}")


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says about a step whose outcome is UNKNOWN, to be stored."""

    id: str
    run_id: str
    applied: bool
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
class ApprovalShown:
    """A request for sign-off as ``/ops status`` shows it."""

    approval: Approval
    record: Mapping[str, Any]
    view: ApprovalView
    full_diff: str = ""


@dataclass(frozen=True, slots=True)
class RunWanted:
    """A runbook that somebody asks for in a form, to be stored. ``view`` is the form as it was sent."""

    id: str
    person: Person
    person_name: str
    asked: run_form.Submitted
    view: Mapping[str, Any]


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

    async def approval(self, number: int) -> ApprovalShown | str | None:
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

    async def evidence(self, incident_id: str) -> tuple[str, tuple[Evidence, ...]] | None:
        """Read an incident's name and evidence, None if there is no such incident."""


def build(slack: AsyncWebClient, *, inbox: Inbox) -> AsyncApp:
    """Return the Bolt app with all listeners. Slack is not contacted."""
    import logging

    from slack_bolt.async_app import AsyncApp

    logger = logging.getLogger("slack_bolt")
    logger.addFilter(_news)
    app = AsyncApp(client=slack, logger=logger, raise_error_for_unhandled_request=True)
    listen(app, inbox=inbox)
    return app


def _news(record: LogRecord) -> bool:
    """Leave out Bolt's remark that the token in the environment is not used: the client that it is given has it."""
    return "`token` will be unused" not in record.getMessage()


def listen(app: AsyncApp, *, inbox: Inbox) -> None:
    """Register every listener; the catch-alls come last, because only the first that matches runs."""
    listeners = _Listeners(inbox)
    app.middleware(listeners.own_workspace_only)
    app.action(approval_card.APPROVE_ACTION)(listeners.approve)
    app.action(approval_card.DENY_ACTION)(listeners.ask_why_not)
    app.action(glass_card.REVIEW_ACTION)(listeners.ask_for_review)
    app.action(approval_card.MORE_ACTION)(listeners.more)
    for callback in reason_form.CALLBACKS.values():
        app.view(callback)(listeners.reasoned)
    app.action(thread.APPLIED_ACTION)(listeners.took_effect)
    app.action(thread.NOT_APPLIED_ACTION)(listeners.had_no_effect)
    app.action(incident_card.EVIDENCE_ACTION)(listeners.show_evidence)
    app.action(incident_card.LOGS_ACTION)(listeners.read_logs)
    app.action(incident_card.RUN_ACTION)(listeners.run_from_card)
    app.view(run_form.PICK)(listeners.runbook_picked)
    app.view(run_form.ASK)(listeners.ask)
    app.action(logs_card.LINES_ACTION)(listeners.show_lines)
    app.command(commands.COMMAND)(listeners.command)
    app.action(_ANY)(listeners.unknown_button)
    app.view_submission(_ANY)(listeners.only_acknowledge)
    app.view_closed(_ANY)(listeners.only_acknowledge)
    app.shortcut(_ANY)(listeners.only_acknowledge)
    app.options(_ANY)(listeners.only_acknowledge)
    app.command(_ANY)(listeners.unknown_command)
    app.event(_ANY)(listeners.only_acknowledge)
    app.error(listeners.failed)


class _Listeners:
    """The listeners. They hold the inbox and nothing else: any replica can take any click."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    # --- before and after all listeners ---------------------------------------------------------------------------

    async def own_workspace_only(
        self, body: Mapping[str, Any], context: Any, client: AsyncWebClient, next_: Any
    ) -> Any:
        """Let only people of the workspace (or enterprise) pass in which the app is installed: Bolt does not check."""
        from slack_bolt import BoltResponse

        if "event" in body:
            return await next_()
        home = context.authorize_result
        if belongs(body, home.team_id, home.enterprise_id):
            context["signoff_home"] = home.enterprise_id or home.team_id
            return await next_()
        log.warning("slack_foreign_click", user=_user_id(body), team=_team_id(body))
        await _whisper(client, body, FOREIGN)
        return BoltResponse(status=200, body="")

    async def failed(self, error: Exception, body: Mapping[str, Any]) -> Any:
        """Log a failure without the body, and acknowledge what no listener knows so that Slack does not repeat it."""
        from slack_bolt import BoltResponse
        from slack_bolt.error import BoltUnhandledRequestError

        kind = str(body.get("type") or body.get("command") or "")[:40]
        if isinstance(error, BoltUnhandledRequestError):
            log.warning("slack_unknown_payload", payload=kind)
            return BoltResponse(status=200, body="")
        log.error("slack_listener_failed", payload=kind, error=type(error).__name__)
        return None

    # --- votes ----------------------------------------------------------------------------------------------------

    async def approve(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store an approval."""
        await self._vote(ack, body, context, client, "approve", _action(body, "value"))

    async def more(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Do what was chosen behind the three dots of a request."""
        choice, value = approval_card.read_choice(_chosen(body))
        read = approval_card.read_button_value(value)
        if choice == approval_card.EDIT and read is not None:
            await ack()
            await self._open(self._inbox.form_to_change(*read, _person(context, body)), body, client)
            return
        if choice == approval_card.BREAK:
            await ack()
            await self._ask_reason(body, context, client, "break", value)
            return
        decisions: Mapping[str, Decision] = {approval_card.REVOKE: "revoke", approval_card.CANCEL: "cancel"}
        await self._vote(ack, body, context, client, decisions.get(choice), value)

    async def _vote(
        self,
        ack: Any,
        body: Mapping[str, Any],
        context: Any,
        client: AsyncWebClient,
        decision: Decision | None,
        value: str,
    ) -> None:
        read = approval_card.read_button_value(value)
        if read is None or decision is None:
            await ack()
            await _whisper(client, body, STALE_BUTTON)
            return
        click = Click(
            id=_once(context, body, read[0], decision, _action(body, "action_ts")),
            approval_id=read[0],
            digest=read[1],
            person=_person(context, body),
            person_name=_person_name(body),
            decision=decision,
            reason="",
            channel=_channel(body),
        )
        problem = await _stored(self._inbox.vote(click), "vote")
        await ack()
        if problem:
            await _whisper(client, body, problem)

    async def ask_why_not(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Open the form of a denial."""
        await ack()
        await self._ask_reason(body, context, client, "deny", _action(body, "value"))

    async def ask_for_review(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Open the form that closes the review of a break-glass."""
        await ack()
        await self._ask_reason(body, context, client, "reviewed", _action(body, "value"))

    async def _ask_reason(
        self, body: Mapping[str, Any], context: Any, client: AsyncWebClient, decision: reason_form.Reasoned, value: str
    ) -> None:
        """Open the form that takes a reason, or tell at once who could not do this. Nothing is stored yet; the trigger
        lives three seconds, so the form opens unseen if it cannot be told in time."""
        read = approval_card.read_button_value(value)
        if read is None:
            await _whisper(client, body, STALE_BUTTON)
            return
        try:
            foreseen = self._inbox.foresee(read[0], read[1], _person(context, body), decision)
            refusal = await asyncio.wait_for(foreseen, FORESEE_S)
        except Exception as error:
            log.info("slack_refusal_not_foreseen", decision=decision, error=type(error).__name__)
            refusal = ""
        if refusal:
            await _whisper(client, body, refusal)
            return
        shown = _action(body, "block_id")
        name = shown if _CARD_NAME.fullmatch(shown) else ""
        view = reason_form.render(decision, name, value, _channel(body))
        try:
            await client.views_open(trigger_id=body["trigger_id"], view=view)
        except Exception as error:
            log.warning("slack_form_not_opened", error=type(error).__name__)
            await _whisper(client, body, "The form could not be opened and nothing was recorded. Click again.")

    async def reasoned(self, ack: Any, body: Mapping[str, Any], context: Any) -> None:
        """Store what takes a reason, with its reason. What is wrong is said in the form, which stays open."""
        view = body.get("view") or {}
        opened = reason_form.opened_for(view)
        reason = reason_form.reason(view)
        if opened is None:
            problem = STALE_BUTTON
        elif not reason:
            problem = reason_form.without_reason(opened.decision)
        else:
            click = Click(
                id=_once(context, body, opened.approval_id, opened.decision, str(view.get("id", ""))),
                approval_id=opened.approval_id,
                digest=opened.digest,
                person=_person(context, body),
                person_name=_person_name(body),
                decision=opened.decision,
                reason=reason,
                channel=opened.channel,
            )
            problem = await _stored(self._inbox.vote(click), "vote")
        if problem:
            await ack(response_action="errors", errors={reason_form.REASON_BLOCK: problem})
        else:
            await ack()

    # --- the question of an UNKNOWN run ---------------------------------------------------------------------------

    async def took_effect(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store that a step took effect."""
        await self._answer(ack, body, context, client, applied=True)

    async def had_no_effect(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store that a step had no effect."""
        await self._answer(ack, body, context, client, applied=False)

    async def _answer(
        self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient, *, applied: bool
    ) -> None:
        run_id = _action(body, "value")
        if not _ROW_ID.fullmatch(run_id):
            await ack()
            await _whisper(client, body, STALE_BUTTON)
            return
        answer = Answer(
            id=_once(context, body, run_id, "applied" if applied else "not applied", _action(body, "action_ts")),
            run_id=run_id,
            applied=applied,
            person=_person(context, body),
            person_name=_person_name(body),
            channel=_channel(body),
        )
        problem = await _stored(self._inbox.answer(answer), "answer")
        await ack()
        if problem:
            await _whisper(client, body, problem)

    # --- asking for a runbook -------------------------------------------------------------------------------------

    async def run_from_card(self, ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Open the form that asks for a runbook for the card's incident."""
        incident_id = _action(body, "value")
        await ack()
        if not _ROW_ID.fullmatch(incident_id):
            await _whisper(client, body, STALE_BUTTON)
            return
        await self._open(self._inbox.form_to_pick("", incident_id), body, client)

    async def _open(
        self, making: Awaitable[Mapping[str, Any] | str], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """Open a form while its trigger lives, or tell the person why there is none."""
        try:
            view = await asyncio.wait_for(making, FORESEE_S)
            if isinstance(view, str):
                await _whisper(client, body, view)
                return
            await client.views_open(trigger_id=body["trigger_id"], view=dict(view))
        except Exception as error:
            log.warning("slack_form_not_opened", error=type(error).__name__)
            await _whisper(client, body, "The form could not be opened and nothing was recorded. Try again.")

    async def _run(self, asked: commands.Asked, ack: Any, command: Mapping[str, Any], client: AsyncWebClient) -> None:
        made: Mapping[str, Any] | str
        try:
            made = await asyncio.wait_for(self._inbox.form_to_pick(asked.runbook, asked.number), FORESEE_S)
        except Exception as error:
            log.warning("slack_form_not_made", error=type(error).__name__)
            made = NOT_READ
        if isinstance(made, str):
            await ack(text=made, response_type="ephemeral")
            return
        await ack()

        async def ready() -> Mapping[str, Any] | str:
            return made

        await self._open(ready(), command, client)

    async def runbook_picked(self, ack: Any, body: Mapping[str, Any]) -> None:
        """Put the form of the runbook that was picked in the place of the list."""
        asked = run_form.submitted(body.get("view") or {})
        try:
            if asked is None:
                view: Mapping[str, Any] | str = STALE_BUTTON
            else:
                view = await asyncio.wait_for(self._inbox.form_of(asked), DEADLINE_S)
        except Exception as error:
            log.warning("slack_form_not_made", error=type(error).__name__)
            view = NOT_READ
        shown = run_form.refused(view) if isinstance(view, str) else dict(view)
        await ack(response_action="update", view=shown)

    async def ask(self, ack: Any, body: Mapping[str, Any], context: Any) -> None:
        """Store what is asked for. What is wrong is said beside its input, and the form stays open."""
        view = body.get("view") or {}
        asked = run_form.submitted(view)
        if asked is None:
            await ack(response_action="update", view=run_form.refused(STALE_BUTTON))
            return
        wanted = RunWanted(
            id=_once(context, body, asked.runbook, "ask", str(view.get("id", ""))),
            person=_person(context, body),
            person_name=_person_name(body),
            asked=asked,
            view=view,
        )
        outcome = RunAsked()

        async def storing() -> str:
            nonlocal outcome
            outcome = await self._inbox.ask(wanted)
            return outcome.problem

        problem = await _stored(storing(), "ask")
        if problem:
            await ack(response_action="update", view=run_form.refused(problem))
        elif outcome.faults:
            await ack(response_action="errors", errors=run_form.errors(outcome.faults))
        else:
            await ack()

    # --- reading --------------------------------------------------------------------------------------------------

    async def show_evidence(self, ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Open the evidence of an incident: a waiting view at once, the evidence as soon as it is read."""
        incident_id = _action(body, "value")
        await ack()
        try:
            opened = await client.views_open(trigger_id=body["trigger_id"], view=evidence_view.loading())
            try:
                found = None
                if _ROW_ID.fullmatch(incident_id):
                    found = await asyncio.wait_for(self._inbox.evidence(incident_id), 10.0)
                view = evidence_view.render(*found) if found else evidence_view.failed("There is no such incident.")
            except Exception as error:
                log.warning("slack_evidence_not_read", error=type(error).__name__)
                view = evidence_view.failed(NOT_READ)
            await client.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=view)
        except Exception as error:
            log.warning("slack_evidence_not_shown", error=type(error).__name__)
            await _whisper(client, body, "The evidence could not be shown. Try again.")

    async def read_logs(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store a wish to read the logs of what an incident is about."""
        incident_id = _action(body, "value")
        if not _ROW_ID.fullmatch(incident_id):
            await ack()
            await _whisper(client, body, STALE_BUTTON)
            return
        wanted = LogsWanted(
            id=_once(context, body, incident_id, "logs", _action(body, "action_ts")),
            person=_person(context, body),
            person_name=_person_name(body),
            channel=_channel(body),
            incident_id=incident_id,
        )
        problem = await _stored(self._refused_logs(wanted), "logs")
        await ack()
        if problem:
            await _whisper(client, body, problem)

    async def _refused_logs(self, wanted: LogsWanted) -> str:
        taken, sentence = await self._inbox.logs(wanted)
        return "" if taken else sentence

    async def show_lines(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Open the cited lines of an answer: a waiting view at once, the lines once it is known that this may be."""
        request_id, person = _action(body, "value"), _person(context, body)
        await ack()
        try:
            opened = await client.views_open(trigger_id=body["trigger_id"], view=logs_view.loading())
            try:
                found = None
                if _ROW_ID.fullmatch(request_id):
                    found = await asyncio.wait_for(self._inbox.lines(request_id, person, _channel(body)), 10.0)
                view = logs_view.failed("There is no such answer any more.")
                if found is not None and found.refused:
                    view = logs_view.failed(found.refused)
                elif found is not None:
                    view = logs_view.render(found.cited, found.shown, found.sources)
            except Exception as error:
                log.warning("slack_lines_not_read", error=type(error).__name__)
                view = logs_view.failed(NOT_READ)
            await client.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=view)
        except Exception as error:
            log.warning("slack_lines_not_shown", error=type(error).__name__)
            await _whisper(client, body, "The lines could not be shown. Try again.")

    async def command(self, ack: Any, command: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Answer /ops, to the person who typed it only."""
        asked = commands.read(str(command.get("text") or ""))
        if asked.verb == "run":
            await self._run(asked, ack, command, client)
            return
        if asked.verb in ("logs", "actions"):
            answering = self._logs_asked if asked.verb == "logs" else self._turn_actions
            sentence = await _stored(answering(asked, command, context), asked.verb)
            await ack(text=sentence, response_type="ephemeral")
            return
        if asked.verb == "review" and asked.pull is not None:
            sentence = await _stored(self._inbox.review(asked.pull, _person(context, command)), "review")
            await ack(text=sentence, response_type="ephemeral")
            return
        try:
            card = await asyncio.wait_for(self._answer_to(asked), DEADLINE_S)
        except Exception as error:
            log.warning("slack_command_not_answered", verb=asked.verb, error=type(error).__name__)
            card = commands.unclear_card(NOT_READ)
        await ack(text=card.text, blocks=list(card.blocks), response_type="ephemeral")

    async def _logs_asked(self, asked: commands.Asked, command: Mapping[str, Any], context: Any) -> str:
        wanted = LogsWanted(
            id=_once(context, command, "", "logs", str(command.get("trigger_id", ""))),
            person=_person(context, command),
            person_name=str(command.get("user_name") or "")[:80],
            channel=_channel(command),
            asked=asked.logs,
        )
        return (await self._inbox.logs(wanted))[1]

    async def _turn_actions(self, asked: commands.Asked, command: Mapping[str, Any], context: Any) -> str:
        person = _person(context, command)
        return await self._inbox.turn_actions(asked.wish, person, _person_name(command), asked.reason)

    async def _answer_to(self, asked: commands.Asked) -> Card:
        if asked.verb == "incidents":
            return commands.incidents_card(await self._inbox.open_incidents())
        if asked.verb == "approvals":
            return commands.approvals_card(await self._inbox.waiting_approvals())
        if asked.verb == "status" and asked.thing == "incident":
            incident = await self._inbox.incident(asked.number)
            if isinstance(incident, str):
                return commands.unclear_card(incident)
            return incident_card.render(incident) if incident else commands.missing_card(asked)
        if asked.verb == "status":
            found = await self._inbox.approval(asked.number)
            if found is None:
                return commands.missing_card(asked)
            if isinstance(found, str):
                return commands.unclear_card(found)
            return approval_card.render(found.approval, found.record, found.view, full_diff=found.full_diff)
        return commands.unclear_card(asked.problem) if asked.verb == "unclear" else commands.help_card()

    # --- what nothing else takes ----------------------------------------------------------------------------------

    async def unknown_button(self, ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Tell the person that an old button does nothing."""
        await ack()
        await _whisper(client, body, STALE_BUTTON)

    async def unknown_command(self, ack: Any) -> None:
        """Point to the one command there is."""
        card = commands.help_card()
        await ack(text=card.text, blocks=list(card.blocks), response_type="ephemeral")

    async def only_acknowledge(self, ack: Any) -> None:
        """Take what means nothing to Signoff, so that Slack does not count it as failed."""
        await ack()


async def _stored(storing: Awaitable[str], what: str) -> str:
    """Wait for a row to be durable. Returns "" or the sentence for the person: refused, not recorded, or not known."""
    try:
        return await asyncio.wait_for(storing, DEADLINE_S)
    except TimeoutError:
        # The database works on in its thread and may yet store it.
        log.error("slack_store_slow", what=what)
        return UNSURE
    except Exception as error:
        log.error("slack_store_failed", what=what, error=type(error).__name__)
        return NOT_RECORDED


async def _whisper(client: AsyncWebClient, body: Mapping[str, Any], sentence: str) -> None:
    """Tell the person who acted, and nobody else. Never raises: it comes after the acknowledgement."""
    card = thread.refused(sentence)
    container = body.get("container") or {}
    arguments: dict[str, Any] = {"channel": _channel(body), "user": _user_id(body)}
    if container.get("thread_ts"):
        arguments["thread_ts"] = container["thread_ts"]
    try:
        await client.chat_postEphemeral(text=card.text, blocks=list(card.blocks), **arguments)
    except Exception as error:
        log.warning("slack_person_not_told", error=type(error).__name__)


# --- reading payloads -------------------------------------------------------------------------------------------------


def belongs(body: Mapping[str, Any], team_id: str | None, enterprise_id: str | None) -> bool:
    """Say whether whoever acts is of the workspace ``team_id``, or of the enterprise if the app is installed in one."""
    enterprise = body.get("enterprise") or {}
    theirs = enterprise.get("id") if isinstance(enterprise, Mapping) else None
    if enterprise_id and (theirs or body.get("enterprise_id")) == enterprise_id:
        return True
    team = body.get("team") or {}
    user = body.get("user") or {}
    given = {
        value
        for value in (
            team.get("id") if isinstance(team, Mapping) else None,
            user.get("team_id") if isinstance(user, Mapping) else None,
            body.get("team_id"),
        )
        if value
    }
    return bool(team_id) and given == {team_id}


def _person(context: Any, body: Mapping[str, Any]) -> Person:
    return Person(str(context["signoff_home"]), _user_id(body))


def _user_id(body: Mapping[str, Any]) -> str:
    user = body.get("user")
    return str(user.get("id", "")) if isinstance(user, Mapping) else str(body.get("user_id", ""))


def _team_id(body: Mapping[str, Any]) -> str:
    user = body.get("user")
    return str(user.get("team_id", "")) if isinstance(user, Mapping) else str(body.get("team_id", ""))


def _person_name(body: Mapping[str, Any]) -> str:
    user = body.get("user")
    name = (user.get("name") or user.get("username")) if isinstance(user, Mapping) else body.get("user_name")
    return str(name or "")[:80]


def _action(body: Mapping[str, Any], key: str) -> str:
    acted = body.get("actions")
    first = acted[0] if isinstance(acted, list) and acted else {}
    value = first.get(key) if isinstance(first, Mapping) else None
    return value if isinstance(value, str) else ""


def _chosen(body: Mapping[str, Any]) -> str:
    """Return the value of what was chosen in a menu, or of a button that stands for a menu of one."""
    acted = body.get("actions")
    first = acted[0] if isinstance(acted, list) and acted else {}
    option = first.get("selected_option") if isinstance(first, Mapping) else None
    value = option.get("value") if isinstance(option, Mapping) else None
    return value if isinstance(value, str) else _action(body, "value")


def _channel(body: Mapping[str, Any]) -> str:
    channel = body.get("channel")
    if isinstance(channel, Mapping):
        return str(channel.get("id", ""))
    container = body.get("container") or {}
    return str(container.get("channel_id") or body.get("channel_id") or "")


def _once(context: Any, body: Mapping[str, Any], about: str, decision: str, occasion: str) -> str:
    """Return the id of one act of one person: the same each time Slack delivers it."""
    parts = (context["signoff_home"], _user_id(body), about, decision, occasion)
    return "v" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
