"""What a person is told at once: every wait has a deadline, and nothing escapes after an acknowledgement.

Slack waits three seconds. Bolt loses an acknowledgement when a listener raises right after it, and tries the next
listener when none came in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bot.chat import thread
from bot.intake import payload

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger("signoff.slack")

T = TypeVar("T")
Storing = Awaitable[str] | None

# Leaves a second of Slack's three for the way here and back.
DEADLINE_S = 2.0
FORESEE_S = 1.2
"""For what is read before a form is opened: its trigger lives three seconds."""

NOT_RECORDED = "Nothing was recorded: Signoff cannot write to its database right now. Try again in a moment."
UNSURE = (
    "Signoff is slow right now and cannot say whether this was recorded. If nothing changes within a minute, try "
    "again: doing it twice does no harm."
)
STALE_BUTTON = "This button is no longer in use: nothing was recorded. The newest message about this has the buttons."
FOREIGN = "Nothing was recorded: Signoff takes clicks from its own workspace only."
NOT_READ = "Signoff cannot read its database right now. Try again in a moment."


async def stored(storing: Awaitable[T], what: str, otherwise: Callable[[str], T]) -> T:
    """Wait for a row to be durable, and return what the inbox says of it. If it is not recorded, or not known to be,
    ``otherwise`` makes the answer from the sentence that says so."""
    try:
        return await asyncio.wait_for(storing, DEADLINE_S)
    except TimeoutError:
        # The database works on in its thread and may yet store it.
        log.error("slack_store_slow", what=what)
        return otherwise(UNSURE)
    except Exception as error:
        log.error("slack_store_failed", what=what, error=type(error).__name__)
        return otherwise(NOT_RECORDED)


async def read(reading: Awaitable[T], what: str, otherwise: Callable[[str], T], *, within: float = DEADLINE_S) -> T:
    """Wait ``within`` seconds for what is read. If it cannot be, ``otherwise`` makes the answer from the sentence that
    says so."""
    try:
        return await asyncio.wait_for(reading, within)
    except Exception as error:
        log.warning("slack_not_read", what=what, error=type(error).__name__)
        return otherwise(NOT_READ)


async def settle(ack: Any, client: AsyncWebClient, body: Mapping[str, Any], what: str, storing: Storing) -> None:
    """Store what a button asks for, acknowledge, and tell who pressed it what stands against it. ``storing`` returns
    that, or ""; None is a button of which nothing can be read."""
    problem = STALE_BUTTON if storing is None else await stored(storing, what, str)
    await ack()
    if problem:
        await whisper(client, body, problem)


async def whisper(client: AsyncWebClient, body: Mapping[str, Any], sentence: str) -> None:
    """Tell the person who acted, and nobody else. Never raises: it comes after the acknowledgement."""
    card = thread.refused(sentence)
    container = body.get("container") or {}
    arguments: dict[str, Any] = {"channel": payload.channel(body), "user": payload.user_id(body)}
    if container.get("thread_ts"):
        arguments["thread_ts"] = container["thread_ts"]
    try:
        await client.chat_postEphemeral(text=card.text, blocks=list(card.blocks), **arguments)
    except Exception as error:
        log.warning("slack_person_not_told", error=type(error).__name__)


async def open_form(client: AsyncWebClient, body: Mapping[str, Any], view: Mapping[str, Any] | str) -> None:
    """Open a form while its trigger lives, or tell the person why there is none. Never raises."""
    if isinstance(view, str):
        await whisper(client, body, view)
        return
    try:
        await client.views_open(trigger_id=body["trigger_id"], view=dict(view))
    except Exception as error:
        log.warning("slack_form_not_opened", error=type(error).__name__)
        await whisper(client, body, "The form could not be opened and nothing was recorded. Try again.")
