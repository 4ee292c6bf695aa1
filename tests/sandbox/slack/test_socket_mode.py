"""Each envelope goes to one connection; acknowledgements have a deadline; events are retried and clicks are not."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Timings

BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}


class Listener:
    """One Socket Mode connection of the SDK that notes envelopes and acknowledges when told to."""

    def __init__(self, slack: Any, *, acks: bool = True) -> None:
        self.envelopes: list[dict[str, Any]] = []
        self.acks = acks
        self.client = SocketModeClient(slack.sandbox.app_token, web_client=self._web(slack), ping_interval=3)
        self.client.message_listeners.append(self._note)

    @staticmethod
    def _web(slack: Any) -> AsyncWebClient:
        return AsyncWebClient(base_url=slack.sandbox.api_url)

    async def _note(self, client: Any, message: dict[str, Any], raw: str | None) -> None:
        self.envelopes.append(message)
        if self.acks and "envelope_id" in message:
            await client.send_socket_mode_response(SocketModeResponse(message["envelope_id"]))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.envelopes if message["type"] == kind]


async def connected(slack: Any, *, acks: bool = True) -> Listener:
    listener = Listener(slack, acks=acks)
    await listener.client.connect()
    slack.closers.push_async_callback(listener.client.close)
    await slack.until(lambda: listener.of("hello"))
    return listener


async def mention(slack: Any) -> None:
    await slack.act("message", channel="C0INCIDENTS", text="hey @signoff")


async def click(slack: Any) -> dict[str, Any]:
    ts = await slack.post_card(BUTTON)
    return dict(await slack.act("click", channel="C0INCIDENTS", ts=ts, action_id="go"))


async def test_hello_counts_the_connections(slack: Any) -> None:
    first, second = await connected(slack), await connected(slack)
    assert [listener.of("hello")[0]["num_connections"] for listener in (first, second)] == [1, 2]
    assert first.of("hello")[0]["connection_info"] == {"app_id": "A0SIGNOFF"}


async def test_each_payload_goes_to_exactly_one_connection_and_every_one_gets_some(slack: Any) -> None:
    listeners = [await connected(slack) for _ in range(3)]
    for _ in range(40):
        assert (await click(slack))["acked"]
    counts = [len(listener.of("interactive")) for listener in listeners]
    assert sum(counts) == 40
    assert min(counts) > 0


async def test_the_eleventh_connection_is_sent_away(slack: Any) -> None:
    for _ in range(10):
        await connected(slack)
    url = (await slack.client.apps_connections_open(app_token=slack.sandbox.app_token))["url"]
    async with slack.http.ws_connect(url) as socket:
        assert (await socket.receive_json())["reason"] == "too_many_websockets"
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_socket_url_works_once_and_for_half_a_minute(slack: Any) -> None:
    ask = slack.client.apps_connections_open
    url = (await ask(app_token=slack.sandbox.app_token))["url"]
    async with slack.http.ws_connect(url):
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await slack.http.ws_connect(url)
    late = (await ask(app_token=slack.sandbox.app_token))["url"]
    slack.clock.now += 31
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await slack.http.ws_connect(late)


async def test_an_unacknowledged_event_is_retried_with_its_event_id_and_given_up(impatient: Any) -> None:
    listener = await connected(impatient, acks=False)
    await mention(impatient)
    await impatient.until(lambda: len(listener.of("events_api")) == 4)
    envelopes = listener.of("events_api")
    assert [e["retry_attempt"] for e in envelopes] == [0, 1, 2, 3]
    assert [e["retry_reason"] for e in envelopes] == ["", "timeout", "timeout", "timeout"]
    assert len({e["payload"]["event_id"] for e in envelopes}) == 1
    assert len({e["envelope_id"] for e in envelopes}) == 4
    assert not any(e["accepts_response_payload"] for e in envelopes)
    await impatient.until_logged("given up")


async def test_an_acknowledged_event_is_not_retried(slack: Any) -> None:
    listener = await connected(slack)
    await mention(slack)
    await mention(slack)
    await slack.until(lambda: len(listener.of("events_api")) == 2)
    assert [e["retry_attempt"] for e in listener.of("events_api")] == [0, 0]


async def test_an_event_waits_for_a_connection(slack: Any) -> None:
    await mention(slack)
    listener = await connected(slack)
    await slack.until(lambda: listener.of("events_api"))
    assert listener.of("events_api")[0]["retry_reason"] == "connection_failed"


async def test_events_that_the_manifest_does_not_name_are_not_sent(start_slack: Any) -> None:
    slack = await start_slack(events=["message.im"])
    listener = await connected(slack)
    await mention(slack)
    assert (await click(slack))["acked"]
    assert listener.of("events_api") == []


async def test_a_click_that_nobody_acknowledges_fails_and_is_never_retried(impatient: Any) -> None:
    listener = await connected(impatient, acks=False)
    outcome = await click(impatient)
    assert (outcome["acked"], outcome["shown"]) == (False, "⚠ This action did not go through.")
    assert len(listener.of("interactive")) == 1
    assert any("not acknowledged within" in title for title in await impatient.titles(level="error"))


async def test_a_command_that_nobody_acknowledges_times_out(impatient: Any) -> None:
    await connected(impatient, acks=False)
    outcome = await impatient.act("command", channel="C0INCIDENTS", text="/ops help")
    assert (outcome["acked"], outcome["shown"]) == (False, '/ops failed with the error "operation_timeout"')


async def test_with_no_connection_a_person_sees_it_at_once(slack: Any) -> None:
    assert (await click(slack))["shown"] == "⚠ The app is not connected."
    outcome = await slack.act("command", channel="C0INCIDENTS", text="/ops help")
    assert outcome["shown"] == '/ops failed with the error "dispatch_failed"'


async def test_late_acknowledgements_do_not_count(impatient: Any) -> None:
    await connected(impatient)
    await impatient.switch(ack_delay=0.8)
    assert (await click(impatient))["acked"] is False
    await impatient.switch(ack_delay=0)
    assert (await click(impatient))["acked"] is True


async def test_the_deadline_is_three_seconds_unless_shortened() -> None:
    assert (Timings().ack, Timings().event_retries) == (3.0, (0.0, 60.0, 300.0))


async def test_the_app_reconnects_when_asked_to(slack: Any) -> None:
    listener = await connected(slack)
    await slack.switch(disconnect="refresh_requested")
    await slack.until(lambda: len(listener.of("hello")) == 2)
    assert (await click(slack))["acked"]


async def test_a_warning_keeps_the_connection_and_a_refresh_closes_it(slack: Any) -> None:
    url = (await slack.client.apps_connections_open(app_token=slack.sandbox.app_token))["url"]
    async with slack.http.ws_connect(url) as socket:
        await socket.receive_json()
        await slack.switch(disconnect="warning")
        assert (await socket.receive_json())["reason"] == "warning"
        await slack.switch(disconnect="refresh_requested")
        assert (await socket.receive_json())["reason"] == "refresh_requested"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_cut_connection_is_gone_at_once(slack: Any) -> None:
    url = (await slack.client.apps_connections_open(app_token=slack.sandbox.app_token))["url"]
    async with slack.http.ws_connect(url) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        await slack.switch(disconnect="drop")
        await slack.until_logged("connection closed, 0 left")


@pytest.mark.parametrize("text", ["not json", "{}", "[]", '{"envelope_id": "made up"}', '{"envelope_id": []}'])
async def test_a_senseless_answer_is_noted_and_harmless(slack: Any, text: str) -> None:
    url = (await slack.client.apps_connections_open(app_token=slack.sandbox.app_token))["url"]
    async with slack.http.ws_connect(url) as socket:
        await socket.receive_json()
        await socket.send_str(text)
        await slack.until_logged("acknowledgement came too late", "without envelope_id")
        assert not socket.closed
