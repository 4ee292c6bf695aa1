"""Signing off in Slack: votes, the forms that take a reason, and the answer to an UNKNOWN run's question."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from bot.chat import approval_buttons, glass_card, reason_form, thread
from bot.domain.approval import Decision
from bot.intake import payload
from bot.intake.acts import Answer, Click, Inbox, Said
from bot.intake.answering import FORESEE_S, STALE_BUTTON, open_form, read, settle, stored, whisper

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger("signoff.slack")

_CARD_NAME = re.compile(r"A-[0-9]{1,9}")


def listen(app: AsyncApp, inbox: Inbox) -> None:
    """Register the listeners of everything that a request for sign-off has on it."""
    listeners = _SignOff(inbox)
    app.action(approval_buttons.APPROVE_ACTION)(listeners.approve)
    app.action(approval_buttons.DENY_ACTION)(listeners.ask_why_not)
    app.action(glass_card.REVIEW_ACTION)(listeners.ask_for_review)
    app.action(approval_buttons.MORE_ACTION)(listeners.more)
    for callback in reason_form.CALLBACKS.values():
        app.view(callback)(listeners.reasoned)
    app.action(thread.APPLIED_ACTION)(listeners.took_effect)
    app.action(thread.NOT_APPLIED_ACTION)(listeners.had_no_effect)
    app.action(thread.AGAIN_ACTION)(listeners.wanted_again)


class _SignOff:
    """The listeners. They hold the inbox and nothing else: any replica can take any click."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def approve(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store an approval."""
        await self._vote(ack, body, context, client, "approve", payload.action(body, "value"))

    async def more(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Do what was chosen behind the three dots of a request."""
        choice, value = approval_buttons.read_choice(payload.chosen(body))
        seen = approval_buttons.read_button_value(value)
        if choice == approval_buttons.EDIT and seen is not None:
            await ack()
            making = self._inbox.form_to_change(*seen, payload.person(context, body))
            await open_form(client, body, await read(making, "form", str, within=FORESEE_S))
            return
        if choice == approval_buttons.BREAK:
            await ack()
            await self._ask_reason(body, context, client, "break", value)
            return
        decisions: Mapping[str, Decision] = {approval_buttons.REVOKE: "revoke", approval_buttons.CANCEL: "cancel"}
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
        seen = approval_buttons.read_button_value(value)
        if seen is None or decision is None:
            await settle(ack, client, body, "vote", None)
            return
        click = Click(
            id=payload.once(context, body, seen[0], decision, payload.action(body, "action_ts")),
            approval_id=seen[0],
            digest=seen[1],
            person=payload.person(context, body),
            person_name=payload.person_name(body),
            decision=decision,
            reason="",
            channel=payload.channel(body),
        )
        await settle(ack, client, body, "vote", self._inbox.vote(click))

    async def ask_why_not(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Open the form of a denial."""
        await ack()
        await self._ask_reason(body, context, client, "deny", payload.action(body, "value"))

    async def ask_for_review(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Open the form that closes the review of a break-glass."""
        await ack()
        await self._ask_reason(body, context, client, "reviewed", payload.action(body, "value"))

    async def _ask_reason(
        self, body: Mapping[str, Any], context: Any, client: AsyncWebClient, decision: reason_form.Reasoned, value: str
    ) -> None:
        """Open the form that takes a reason, or tell at once who could not do this. Nothing is stored yet; the trigger
        lives three seconds, so the form opens unseen if it cannot be told in time."""
        seen = approval_buttons.read_button_value(value)
        if seen is None:
            await whisper(client, body, STALE_BUTTON)
            return
        try:
            foreseen = self._inbox.foresee(*seen, payload.person(context, body), decision)
            refusal = await asyncio.wait_for(foreseen, FORESEE_S)
        except Exception as error:
            log.info("slack_refusal_not_foreseen", decision=decision, error=type(error).__name__)
            refusal = ""
        shown = payload.action(body, "block_id")
        name = shown if _CARD_NAME.fullmatch(shown) else ""
        form = reason_form.render(decision, name, value, payload.channel(body))
        await open_form(client, body, refusal or form)

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
                id=payload.once(context, body, opened.approval_id, opened.decision, str(view.get("id", ""))),
                approval_id=opened.approval_id,
                digest=opened.digest,
                person=payload.person(context, body),
                person_name=payload.person_name(body),
                decision=opened.decision,
                reason=reason,
                channel=opened.channel,
            )
            problem = await stored(self._inbox.vote(click), "vote", str)
        if problem:
            await ack(response_action="errors", errors={reason_form.REASON_BLOCK: problem})
        else:
            await ack()

    async def took_effect(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store that a step of an UNKNOWN run took effect."""
        await self._answer(ack, body, context, client, "applied")

    async def had_no_effect(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store that a step of an UNKNOWN run had no effect."""
        await self._answer(ack, body, context, client, "absent")

    async def wanted_again(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store that a step of an UNKNOWN run had no effect, and that it is wanted again."""
        await self._answer(ack, body, context, client, "again")

    async def _answer(
        self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient, said: Said
    ) -> None:
        run_id, occasion = payload.row_id(body), payload.action(body, "action_ts")
        answer = Answer(
            id=payload.once(context, body, run_id, said, occasion),
            run_id=run_id,
            said=said,
            person=payload.person(context, body),
            person_name=payload.person_name(body),
            channel=payload.channel(body),
        )
        await settle(ack, client, body, "answer", self._inbox.answer(answer) if run_id else None)
