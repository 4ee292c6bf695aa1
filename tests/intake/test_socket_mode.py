"""The Socket Mode connection against a local Slack that comes late, drops it, or refuses the token."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.clients.slack import close, open_client
from bot.intake import slack as intake
from bot.intake.socket_mode import SocketMode
from tests.chat.workspace import INCIDENTS, LEE, LocalSlack, local_slack, until
from tests.intake.room import MemoryInbox


@asynccontextmanager
async def running(api_url: str, bot_token: str, app_token: str) -> AsyncIterator[SocketMode]:
    client = open_client(bot_token, base_url=api_url)
    connection = SocketMode(intake.build(client, inbox=MemoryInbox()), app_token)
    task = asyncio.create_task(connection.run())
    try:
        yield connection
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await close(client)


async def is_up(connection: SocketMode, *, seconds: float = 20) -> None:
    async def up() -> bool:
        return connection.connected

    await until(up, seconds=seconds)


async def answers(slack: LocalSlack) -> bool:
    seen = await slack.act("command", user=LEE, channel=INCIDENTS, text="/ops help")
    return bool(seen["acked"])


async def test_a_slack_that_comes_late_is_waited_for(unused_tcp_port: int) -> None:
    tokens = {"bot_token": "xoxb-local-late", "app_token": "xapp-local-late"}
    async with running(f"http://127.0.0.1:{unused_tcp_port}/api/", **tokens) as connection:

        async def tried() -> bool:
            return "ClientConnectorError" in connection.problem

        await until(tried)
        assert not connection.connected
        async with local_slack(**tokens, port=unused_tcp_port) as slack:
            await is_up(connection)
            assert connection.problem == ""
            assert await answers(slack)


async def test_a_renewed_and_a_dropped_connection_come_back() -> None:
    async with (
        local_slack() as slack,
        running(slack.sandbox.api_url, slack.sandbox.bot_token, slack.sandbox.app_token) as connection,
    ):
        await is_up(connection)
        for how in ("refresh_requested", "drop"):
            await slack.switch(disconnect=how)

            async def back() -> bool:
                return await answers(slack)

            await until(back, seconds=20)
            await is_up(connection)


async def test_a_wrong_token_is_a_problem_that_says_what_to_do() -> None:
    async with (
        local_slack() as slack,
        running(slack.sandbox.api_url, slack.sandbox.bot_token, "xapp-local-wrong") as connection,
    ):

        async def said() -> bool:
            return "invalid_auth" in connection.problem

        await until(said)
        assert "SLACK_APP_TOKEN" in connection.problem
        assert not connection.connected
