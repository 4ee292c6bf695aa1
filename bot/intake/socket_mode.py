"""The Socket Mode connection: opened in the background, for ever tried again, and honest about whether it is there."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
    from slack_bolt.async_app import AsyncApp

log = structlog.get_logger("signoff.socket_mode")

# A connection that was reset is noticed by a missing pong; the SDK's ten seconds are long for somebody who clicks.
PING_INTERVAL_S = 3.0
_CONNECT_S = 15.0
_LOOK_S = 0.5
# The SDK renews connections by itself; it can also hang on a used-up address, and then all of it is replaced.
_GIVE_UP_AFTER_S = 15.0
_LONGEST_PAUSE_S = 30.0


class SocketMode:
    """Keeps an app connected. ``run`` is its life; ``connected`` and ``problem`` are for /readyz."""

    def __init__(self, app: AsyncApp, app_token: str) -> None:
        self.connected = False
        self.problem = "not connected to Slack yet"
        self._app = app
        self._app_token = app_token

    async def run(self) -> None:
        """Stay connected until cancelled, however often Slack is away."""
        pause = 1.0
        while True:
            was_connected = await self._one_life()
            pause = 1.0 if was_connected else min(_LONGEST_PAUSE_S, pause * 2)
            await asyncio.sleep(pause)

    async def _one_life(self) -> bool:
        """Connect and watch until the connection is beyond repair. Returns whether it was there at all."""
        from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

        # The SDK logs each failed attempt with its traceback; what matters of it is in ``problem``.
        quiet = logging.getLogger("slack_sdk.socket_mode")
        quiet.setLevel(logging.CRITICAL)
        handler = AsyncSocketModeHandler(
            self._app, self._app_token, ping_interval=PING_INTERVAL_S, logger=quiet, web_client=self._app.client
        )
        connection: Any = handler.client  # the SDK leaves some of its methods untyped
        connection.proxy = self._app.client.proxy  # else the environment's, even for a local Slack
        try:
            async with asyncio.timeout(_CONNECT_S):
                connection.wss_uri = await connection.issue_new_wss_url()
                await connection.connect()
            self.connected, self.problem = True, ""
            log.info("socket_mode_connected")
            await self._watch(handler)
            return True
        except Exception as error:
            self._lost(_reason(error))
            return False
        finally:
            self.connected = False
            await connection.close()

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        away = 0.0
        while away < _GIVE_UP_AFTER_S:
            await asyncio.sleep(_LOOK_S)
            if await handler.client.is_connected():
                if away:
                    log.info("socket_mode_connected", again=True)
                away, self.connected, self.problem = 0.0, True, ""
            else:
                if not away:
                    self._lost("the connection broke")
                away, self.connected = away + _LOOK_S, False

    def _lost(self, reason: str) -> None:
        problem = f"not connected to Slack ({reason}): clicks and commands do not arrive"
        if problem != self.problem:
            log.warning("socket_mode_not_connected", reason=reason)
        self.problem = problem


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    data = getattr(response, "data", None)
    if isinstance(data, dict) and data.get("error"):
        code = str(data["error"])
        tokens = ("invalid_auth", "not_authed", "token_revoked", "not_allowed_token_type", "missing_scope")
        advice = "; set SLACK_APP_TOKEN to an app-level token with connections:write" if code in tokens else ""
        return code + advice
    return type(error).__name__
