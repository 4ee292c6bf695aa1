"""The Bolt app of Slack: who may pass at all, every listener in its order, and what nothing else takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from bot.chat import commands
from bot.intake import asking, ops, payload, reading, sign_off
from bot.intake.acts import Inbox
from bot.intake.answering import FOREIGN, STALE_BUTTON, whisper

if TYPE_CHECKING:
    from logging import LogRecord

    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger("signoff.slack")

_ANY = re.compile(".*", re.DOTALL)


def build(slack: AsyncWebClient, *, inbox: Inbox) -> AsyncApp:
    """Return the Bolt app with all listeners. Slack is not contacted."""
    import logging

    from slack_bolt.async_app import AsyncApp

    logger = logging.getLogger("slack_bolt")
    logger.addFilter(_news)
    app = AsyncApp(name="signoff", client=slack, logger=logger, raise_error_for_unhandled_request=True)
    listen(app, inbox=inbox)
    return app


def _news(record: LogRecord) -> bool:
    """Leave out Bolt's remark that the token in the environment is not used: the client that it is given has it."""
    return "`token` will be unused" not in record.getMessage()


def listen(app: AsyncApp, *, inbox: Inbox) -> None:
    """Register every listener; the catch-alls come last, because only the first that matches runs."""
    app.middleware(own_workspace_only)
    for room in (sign_off, asking, reading, ops):
        room.listen(app, inbox)
    app.action(_ANY)(unknown_button)
    app.view_submission(_ANY)(only_acknowledge)
    app.view_closed(_ANY)(only_acknowledge)
    app.shortcut(_ANY)(only_acknowledge)
    app.options(_ANY)(only_acknowledge)
    app.command(_ANY)(unknown_command)
    app.event(_ANY)(only_acknowledge)
    app.error(failed)


async def own_workspace_only(body: Mapping[str, Any], context: Any, client: AsyncWebClient, next_: Any) -> Any:
    """Let only people of the workspace (or enterprise) pass in which the app is installed: Bolt does not check."""
    from slack_bolt import BoltResponse

    if "event" in body:
        return await next_()
    home = context.authorize_result
    if payload.belongs(body, home.team_id, home.enterprise_id):
        context[payload.HOME] = home.enterprise_id or home.team_id
        return await next_()
    log.warning("slack_foreign_click", user=payload.user_id(body), team=payload.team_id(body))
    await whisper(client, body, FOREIGN)
    return BoltResponse(status=200, body="")


async def failed(error: Exception, body: Mapping[str, Any]) -> Any:
    """Log a failure without the body, and acknowledge what no listener knows so that Slack does not repeat it."""
    from slack_bolt import BoltResponse
    from slack_bolt.error import BoltUnhandledRequestError

    kind = str(body.get("type") or body.get("command") or "")[:40]
    if isinstance(error, BoltUnhandledRequestError):
        log.warning("slack_unknown_payload", payload=kind)
        return BoltResponse(status=200, body="")
    log.error("slack_listener_failed", payload=kind, error=type(error).__name__)
    return None


async def unknown_button(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """Tell the person that an old button does nothing."""
    await ack()
    await whisper(client, body, STALE_BUTTON)


async def unknown_command(ack: Any) -> None:
    """Point to the one command there is."""
    card = commands.help_card()
    await ack(text=card.text, blocks=list(card.blocks), response_type="ephemeral")


async def only_acknowledge(ack: Any) -> None:
    """Take what means nothing to Signoff, so that Slack does not count it as failed."""
    await ack()
