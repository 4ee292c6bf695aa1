"""The command /ops: each of its words is answered to the person who typed it, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.chat import approval_card, commands, incident_card
from bot.chat.card import Card
from bot.intake import asking, payload
from bot.intake.acts import Inbox, LogsWanted, RerunNamed
from bot.intake.answering import read, stored

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient


def listen(app: AsyncApp, inbox: Inbox) -> None:
    """Register the listener of the command."""
    app.command(commands.COMMAND)(_Ops(inbox).command)


class _Ops:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def command(self, ack: Any, command: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Answer /ops."""
        asked = commands.read(str(command.get("text") or ""))
        if asked.verb == "run":
            await asking.by_command(self._inbox, asked, ack, command, client)
        elif asked.verb in ("logs", "actions", "review", "rerun"):
            sentence = await stored(self._store(asked, command, context), asked.verb, str)
            await ack(text=sentence, response_type="ephemeral")
        else:
            card = await read(self._card(asked), asked.verb, commands.unclear_card)
            await ack(text=card.text, blocks=list(card.blocks), response_type="ephemeral")

    async def _store(self, asked: commands.Asked, command: Mapping[str, Any], context: Any) -> str:
        """Store what a word wants to be done. Returns the sentence for the person."""
        person, name = payload.person(context, command), payload.person_name(command)
        if asked.verb == "actions":
            return await self._inbox.turn_actions(asked.wish, person, name, asked.reason)
        if asked.pull is not None:
            return await self._inbox.review(asked.pull, person)
        if asked.rerun is not None:
            once = payload.once(context, command, "", "rerun", str(command.get("trigger_id", "")))
            return await self._inbox.rerun_by_name(RerunNamed(once, person, name, asked.rerun))
        wanted = LogsWanted(
            id=payload.once(context, command, "", "logs", str(command.get("trigger_id", ""))),
            person=person,
            person_name=name,
            channel=payload.channel(command),
            asked=asked.logs,
        )
        return (await self._inbox.logs(wanted))[1]

    async def _card(self, asked: commands.Asked) -> Card:
        """Read what a word wants to see."""
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
