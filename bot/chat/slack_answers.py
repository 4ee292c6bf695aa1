"""What a failed call to Slack means for a message: did it arrive, is it to be tried again, what can a person do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

Meaning = Literal["limited", "not sent", "doubt", "refused", "unshowable", "gone", "absent"]

# Sent before a connection existed, or refused before the call was looked at.
_NOT_APPLIED = frozenset({"ratelimited", "rate_limited", "request_timeout", "service_unavailable"})
# docs "chat.postMessage": "It's possible some aspect of the operation succeeded before the error was raised."
_PERHAPS_APPLIED = frozenset({"fatal_error", "internal_error"})
_UNSHOWABLE = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "block_mismatch",
        "no_text",
        "metadata_too_large",
    }
)
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_ADVICE = {
    "channel_not_found": "check the channel's id in the configuration and invite Signoff to it",
    "not_in_channel": "invite Signoff to the channel: /invite @Signoff",
    "is_archived": "unarchive the channel, or route to another one in the configuration",
    "is_inactive": "unarchive the channel, or route to another one in the configuration",
    "restricted_action": "a workspace setting forbids apps to post there: allow Signoff in the channel's settings",
    "invalid_auth": "the bot token is not valid: set SLACK_BOT_TOKEN to the token of the installed app",
    "not_authed": "no bot token was sent: set SLACK_BOT_TOKEN to the token of the installed app",
    "token_revoked": "the app was removed from the workspace: install it again and set SLACK_BOT_TOKEN",
    "token_expired": "the bot token has expired: switch token rotation off for the app and set SLACK_BOT_TOKEN",
    "account_inactive": "the bot user was deactivated: install the app again and set SLACK_BOT_TOKEN",
    "missing_scope": "install the app again with the scopes of `signoff manifest`",
    "file_uploads_disabled": "a workspace setting forbids file uploads: allow them for Signoff",
    "thread_not_found": "the message this belongs to was deleted",
    "cannot_reply_to_message": "the message this belongs to cannot have replies",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """``limited``: wait ``retry_after`` seconds. ``not sent``: it did not arrive, try again. ``doubt``: nobody knows.
    ``refused``: Slack says no, ``advice`` says what to do. ``unshowable``: only without these blocks. ``gone``: the
    message to edit is not there. ``absent``: the recipient is not in the channel."""

    meaning: Meaning
    error: str
    advice: str = ""
    retry_after: int = 1


def understand(error: BaseException) -> Answer:
    """Classify what a call of the Slack SDK raised. Whatever is not known to be harmless counts as doubt."""
    from aiohttp import ClientConnectorError
    from slack_sdk.errors import SlackApiError, SlackClientError, SlackRequestError

    if isinstance(error, SlackApiError):
        return _answered(error)
    if isinstance(error, ClientConnectorError):
        return Answer("not sent", f"Slack cannot be reached: {error.os_error.strerror or error.os_error}")
    if isinstance(error, SlackRequestError):
        return Answer("not sent", "the upload was not accepted")
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return Answer("doubt", "Slack did not answer in time")
    if isinstance(error, SlackClientError):
        return Answer("doubt", f"Slack's answer could not be read ({type(error).__name__})")
    return Answer("doubt", f"the connection to Slack broke ({type(error).__name__})")


def _answered(error: object) -> Answer:
    response = getattr(error, "response", None)
    status = int(getattr(response, "status_code", 0) or 0)
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Answer("limited", "Slack's rate limit", retry_after=_retry_after(response))
    if not code or status >= 500 or code in _PERHAPS_APPLIED:
        return Answer("doubt", f"Slack failed ({code or f'HTTP {status}'})")
    if code in _NOT_APPLIED:
        return Answer("not sent", f"Slack could not take it ({code})")
    if code in _UNSHOWABLE:
        return Answer("unshowable", code)
    if code in _GONE:
        return Answer("gone", code)
    if code == "user_not_in_channel":
        return Answer("absent", code)
    needed = data.get("needed") if isinstance(data, dict) else None
    advice = _ADVICE.get(code, "see Slack's page on this error")
    if code == "missing_scope" and needed:
        advice += f" (missing: {str(needed)[:100]})"
    return Answer("refused", code, advice)


def _retry_after(response: object) -> int:
    headers = getattr(response, "headers", None) or {}
    try:
        return min(3600, max(1, int(headers.get("Retry-After", headers.get("retry-after", 1)))))
    except (TypeError, ValueError):
        return 1
