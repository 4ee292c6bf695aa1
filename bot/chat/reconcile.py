"""Find our own message again after a post whose outcome is not known, by the metadata (or file title) it carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.store.outbox import Message

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

EVENT_TYPE = "signoff"
# Slack stamps messages with its own clock, which may differ from ours.
_SKEW_S = 300
_PAGE = 200
_PAGES = 10


class LookupImpossible(Exception):
    """Slack holds more than can be searched, so that not finding the message proves nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the message is, and which generation of it was posted."""

    ts: str
    channel: str
    generation: int


def metadata(message: Message, generation: int) -> dict[str, Any]:
    """Return the metadata that a message carries in Slack."""
    payload = {"key": message.key, "id": message.id, "generation": generation}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


async def look_up(slack: AsyncWebClient, message: Message) -> Found | None:
    """Search the channel, or the thread, since the message was first asked for. None means that it is not there.

    Raises what the SDK raises, and ``LookupImpossible`` when the search had to stop before the end.
    """
    channel = message.parent_channel or message.channel
    oldest = f"{message.created_at / 1_000_000 - _SKEW_S:.6f}"
    cursor = ""
    for _ in range(_PAGES):
        common: dict[str, Any] = {"oldest": oldest, "limit": _PAGE, "include_all_metadata": True}
        if cursor:
            common["cursor"] = cursor
        if message.parent_ts is not None:
            answer = await slack.conversations_replies(channel=channel, ts=message.parent_ts, **common)
        else:
            answer = await slack.conversations_history(channel=channel, **common)
        for candidate in answer.get("messages") or []:
            generation = _generation(candidate, message)
            if generation is not None:
                return Found(str(candidate["ts"]), channel, generation)
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return None
    raise LookupImpossible(f"more than {_PAGES * _PAGE} messages came after it")


def _generation(candidate: Mapping[str, Any], message: Message) -> int | None:
    if message.kind == "file":
        title = message.payload.get("title")
        matches = any(shared.get("title") == title for shared in candidate.get("files") or [])
        return message.wanted if matches else None
    carried = candidate.get("metadata") or {}
    payload = carried.get("event_payload") or {}
    if carried.get("event_type") != EVENT_TYPE or payload.get("id") != message.id:
        return None
    generation = payload.get("generation")
    return generation if isinstance(generation, int) else 0
