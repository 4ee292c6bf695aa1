"""Reading in Slack: the evidence of an incident, its logs, and the lines that an answer cites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from bot.chat import evidence_view, incident_card, logs_card, logs_view
from bot.domain.approval import Person
from bot.intake import payload
from bot.intake.acts import Inbox, LogsWanted
from bot.intake.answering import read, settle, whisper

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger("signoff.slack")

READ_S = 10.0
"""A view that is open is filled at leisure."""

View = dict[str, Any]


def listen(app: AsyncApp, inbox: Inbox) -> None:
    """Register the listeners of the buttons that show something."""
    listeners = _Reading(inbox)
    app.action(incident_card.EVIDENCE_ACTION)(listeners.show_evidence)
    app.action(incident_card.LOGS_ACTION)(listeners.read_logs)
    app.action(logs_card.LINES_ACTION)(listeners.show_lines)


class _Reading:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def show_evidence(self, ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Open the evidence of an incident."""
        await ack()
        reading = partial(self._evidence, payload.row_id(body))
        await _show(client, body, "evidence", evidence_view.loading(), reading, evidence_view.failed)

    async def _evidence(self, incident_id: str) -> View:
        found = await self._inbox.evidence(incident_id) if incident_id else None
        return evidence_view.render(*found) if found else evidence_view.failed("There is no such incident.")

    async def show_lines(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Open the cited lines of an answer, once it is known that this person may see them here."""
        await ack()
        reading = partial(self._lines, payload.row_id(body), payload.person(context, body), payload.channel(body))
        await _show(client, body, "lines", logs_view.loading(), reading, logs_view.failed)

    async def _lines(self, request_id: str, person: Person, channel: str) -> View:
        found = await self._inbox.lines(request_id, person, channel) if request_id else None
        if found is None:
            return logs_view.failed("There is no such answer any more.")
        if found.refused:
            return logs_view.failed(found.refused)
        return logs_view.render(found.cited, found.shown, found.sources)

    async def read_logs(self, ack: Any, body: Mapping[str, Any], context: Any, client: AsyncWebClient) -> None:
        """Store a wish to read the logs of what an incident is about."""
        incident_id = payload.row_id(body)
        wanted = LogsWanted(
            id=payload.once(context, body, incident_id, "logs", payload.action(body, "action_ts")),
            person=payload.person(context, body),
            person_name=payload.person_name(body),
            channel=payload.channel(body),
            incident_id=incident_id,
        )
        await settle(ack, client, body, "logs", self._refusal(wanted) if incident_id else None)

    async def _refusal(self, wanted: LogsWanted) -> str:
        taken, sentence = await self._inbox.logs(wanted)
        return "" if taken else sentence


async def _show(
    client: AsyncWebClient,
    body: Mapping[str, Any],
    what: str,
    loading: View,
    reading: Callable[[], Awaitable[View]],
    failed: Callable[[str], View],
) -> None:
    """Open a waiting view at once, and put what is read in its place. Never raises."""
    try:
        opened = await client.views_open(trigger_id=body["trigger_id"], view=loading)
        view = await read(reading(), what, failed, within=READ_S)
        await client.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=view)
    except Exception as error:
        log.warning("slack_view_not_shown", what=what, error=type(error).__name__)
        await whisper(client, body, f"The {what} could not be shown. Try again.")
