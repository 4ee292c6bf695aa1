"""Asking for a runbook in Slack: in a form from a card or by a command, or with one click below a failed CI run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.chat import ci_card, incident_card, run_form
from bot.chat.commands import Asked
from bot.intake import payload
from bot.intake.acts import Inbox, RerunWanted, RunAsked, RunWanted
from bot.intake.answering import FORESEE_S, STALE_BUTTON, open_form, read, settle, stored, whisper

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient


def listen(app: AsyncApp, inbox: Inbox) -> None:
    """Register the listeners of the buttons and of the forms."""
    listeners = _Asking(inbox)
    app.action(incident_card.RUN_ACTION)(listeners.from_card)
    app.action(ci_card.RERUN_ACTION)(listeners.again)
    app.view(run_form.PICK)(listeners.picked)
    app.view(run_form.ASK)(listeners.ask)


async def by_command(inbox: Inbox, asked: Asked, ack: Any, command: Mapping[str, Any], client: AsyncWebClient) -> None:
    """Open the form that ``/ops run`` asks for, or answer why there is none."""
    form = await read(inbox.form_to_pick(asked.runbook, asked.number), "form", str, within=FORESEE_S)
    if isinstance(form, str):
        await ack(text=form, response_type="ephemeral")
        return
    await ack()
    await open_form(client, command, form)


class _Asking:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def from_card(self, ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Open the form that asks for a runbook for the card's incident."""
        incident_id = payload.row_id(body)
        await ack()
        if not incident_id:
            await whisper(client, body, STALE_BUTTON)
            return
        making = self._inbox.form_to_pick("", incident_id)
        await open_form(client, body, await read(making, "form", str, within=FORESEE_S))

    async def again(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store that a failed CI run's jobs are to run again."""
        run_id = payload.row_id(body)
        wanted = RerunWanted(
            id=payload.once(context, body, run_id, "rerun", payload.action(body, "action_ts")),
            person=payload.person(context, body),
            person_name=payload.person_name(body),
            run_id=run_id,
        )
        await settle(ack, client, body, "rerun", self._inbox.rerun(wanted) if run_id else None)

    async def picked(self, ack: Any, body: Mapping[str, Any]) -> None:
        """Put the form of the runbook that was picked in the place of the list."""
        asked = run_form.submitted(body.get("view") or {})
        form = STALE_BUTTON if asked is None else await read(self._inbox.form_of(asked), "form", str)
        view = run_form.refused(form) if isinstance(form, str) else dict(form)
        await ack(response_action="update", view=view)

    async def ask(self, ack: Any, body: Mapping[str, Any], context: Any) -> None:
        """Store what is asked for. What is wrong is said beside its input, and the form stays open."""
        view = body.get("view") or {}
        asked = run_form.submitted(view)
        if asked is None:
            await ack(response_action="update", view=run_form.refused(STALE_BUTTON))
            return
        wanted = RunWanted(
            id=payload.once(context, body, asked.runbook, "ask", str(view.get("id", ""))),
            person=payload.person(context, body),
            person_name=payload.person_name(body),
            asked=asked,
            view=view,
        )
        outcome = await stored(self._inbox.ask(wanted), "ask", lambda problem: RunAsked(problem=problem))
        if outcome.problem:
            await ack(response_action="update", view=run_form.refused(outcome.problem))
        elif outcome.faults:
            await ack(response_action="errors", errors=run_form.errors(outcome.faults))
        else:
            await ack()
