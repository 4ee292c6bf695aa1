from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.chat.slack_answers import understand


def refused(error: str, *, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> SlackApiError:
    data = {"ok": False, "error": error, **more} if error else {}
    answer = AsyncSlackResponse(
        client=None, http_verb="POST", api_url="x", req_args={}, data=data, headers=headers or {}, status_code=status
    )
    return SlackApiError("no", answer)


KEY = ConnectionKey("slack.com", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (refused("ratelimited", status=429, headers={"Retry-After": "7"}), "limited"),
        (refused("request_timeout"), "not sent"),
        (aiohttp.ClientConnectorError(KEY, OSError(111, "Connection refused")), "not sent"),
        (SlackRequestError("upload failed"), "not sent"),
        (TimeoutError(), "doubt"),
        (aiohttp.ServerDisconnectedError(), "doubt"),
        (aiohttp.ClientOSError(104, "reset"), "doubt"),
        (refused("fatal_error"), "doubt"),
        (refused("internal_error", status=500), "doubt"),
        (refused("", status=502), "doubt"),
        (ValueError("what is this"), "doubt"),
        (refused("invalid_blocks"), "unshowable"),
        (refused("msg_blocks_too_long"), "unshowable"),
        (refused("message_not_found"), "gone"),
        (refused("cant_update_message"), "gone"),
        (refused("user_not_in_channel"), "absent"),
        (refused("not_in_channel"), "refused"),
        (refused("something_new"), "refused"),
    ],
)
def test_what_an_error_means_for_the_message(error: Exception, meaning: str) -> None:
    assert understand(error).meaning == meaning


def test_the_wait_is_slacks_own_and_bounded() -> None:
    assert understand(refused("ratelimited", status=429, headers={"Retry-After": "7"})).retry_after == 7
    assert understand(refused("ratelimited", status=429, headers={"Retry-After": "soon"})).retry_after == 1
    assert understand(refused("ratelimited", status=429, headers={"Retry-After": "999999"})).retry_after == 3600
    assert understand(refused("ratelimited", status=429)).retry_after == 1


def test_a_refusal_says_what_to_do() -> None:
    assert "/invite" in understand(refused("not_in_channel")).advice
    assert "SLACK_BOT_TOKEN" in understand(refused("invalid_auth")).advice
    assert "(missing: files:write)" in understand(refused("missing_scope", needed="files:write")).advice
    assert understand(refused("something_new")).advice
