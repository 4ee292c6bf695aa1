"""The stand-in as the anthropic SDK sees it."""

import asyncio
import json
import time

import aiohttp
import anthropic
import pytest

from bot.sandbox import messages
from tests.sandbox.messages.conftest import FORMAT, MODEL, post


@pytest.fixture
async def client(sandbox):
    async with anthropic.AsyncAnthropic(
        api_key=sandbox.api_key, base_url=sandbox.url, max_retries=0, timeout=10
    ) as found:
        yield found


def ask(client, text="what is wrong?", **more):
    more = {"model": MODEL, "max_tokens": 500, "messages": [{"role": "user", "content": text}], **more}
    return client.messages.create(**more)


async def test_a_text(sandbox, client):
    sandbox.script({"text": "The image is missing."})
    answer = await ask(client, system="You are terse.")
    assert answer.content[0].text == "The image is missing."
    assert (answer.stop_reason, answer.role, answer.model) == ("end_turn", "assistant", MODEL)
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    assert answer._request_id.startswith("req_")


async def test_a_json_answer_in_a_format(sandbox, client):
    sandbox.script({"json": {"severity": "high"}, "usage": {"input_tokens": 4321}})
    answer = await ask(client, output_config={"format": FORMAT, "effort": "low"})
    assert json.loads(answer.content[0].text) == {"severity": "high"}
    assert answer.usage.input_tokens == 4321


async def test_a_schema_that_the_api_does_not_take_is_400(sandbox, client):
    schema = {**FORMAT["schema"], "properties": {"severity": {"type": "integer", "maximum": 3}}}
    sandbox.script({"json": {}})
    with pytest.raises(anthropic.BadRequestError) as caught:
        await ask(client, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert caught.value.type == "invalid_request_error"
    assert "output_config.format.schema: For 'integer' type, property 'maximum' is not supported" in str(caught.value)


async def test_a_refusal(sandbox, client):
    sandbox.script({"refusal": {"category": "cyber", "explanation": "no"}})
    answer = await ask(client)
    assert (answer.stop_reason, answer.content) == ("refusal", [])
    assert answer.stop_details.category == "cyber"


async def test_an_answer_that_is_cut_by_max_tokens(sandbox, client):
    sandbox.script({"text": '{"severity": "hi', "stop_reason": "max_tokens"})
    assert (await ask(client)).stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (402, anthropic.PaymentRequiredError, "billing_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
async def test_errors_have_the_apis_shape(sandbox, client, status, error, kind):
    sandbox.script({"error": {"status": status, "message": "as ordered"}})
    with pytest.raises(error) as caught:
        await ask(client)
    assert (caught.value.status_code, caught.value.type) == (status, kind)
    assert caught.value.request_id
    assert "as ordered" in str(caught.value)


async def test_a_rate_limit_says_how_long(sandbox, client):
    sandbox.script({"error": {"status": 429, "retry_after": 7}})
    with pytest.raises(anthropic.RateLimitError) as caught:
        await ask(client)
    assert caught.value.response.headers["retry-after"] == "7"


async def test_the_sdk_retries_and_the_stand_in_counts(sandbox, client):
    sandbox.script({"error": {"status": 529, "retry_after": 0.01}, "times": 2}, {"text": "at last"})
    answer = await ask(client.with_options(max_retries=2))
    assert answer.content[0].text == "at last"
    assert [r["status"] for r in sandbox.requests] == [529, 529, 200]
    assert [r["headers"]["x-stainless-retry-count"] for r in sandbox.requests] == ["0", "1", "2"]


@pytest.mark.parametrize("raw", ["", "{", '{"id": "msg_1", "content": [{"ty', "<html>"])
async def test_a_broken_body(sandbox, client, raw):
    sandbox.script({"raw": raw})
    with pytest.raises(json.JSONDecodeError):
        await ask(client)


async def test_a_dropped_connection(sandbox, client):
    sandbox.script({"drop": True})
    with pytest.raises(anthropic.APIConnectionError):
        await ask(client)
    assert sandbox.requests[-1]["status"] == 0


async def test_a_slow_answer(sandbox, client):
    sandbox.script({"text": "late", "delay": 0.3})
    start = time.monotonic()
    assert (await ask(client)).content[0].text == "late"
    assert time.monotonic() - start >= 0.3


async def test_an_answer_later_than_the_client_waits(sandbox, client):
    sandbox.script({"text": "late", "delay": 60})
    with pytest.raises(anthropic.APITimeoutError):
        await ask(client, timeout=0.3)


async def test_it_stops_while_an_answer_is_delayed(client, sandbox):
    sandbox.script({"text": "never", "delay": 300})
    waiting = asyncio.create_task(ask(client))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.3)
    await asyncio.wait_for(sandbox.stop(), 5)
    with pytest.raises(anthropic.APIConnectionError):
        await waiting


async def test_without_a_script_it_is_no_model(client):
    with pytest.raises(anthropic.InternalServerError, match="not_scripted"):
        await ask(client)


async def test_rules_look_at_system_and_messages(sandbox, client):
    sandbox.script(
        {"text": "disk", "contains": "disk full", "times": None}, {"text": "image", "contains": "ErrImagePull"}
    )
    assert (await ask(client, "pod: ErrImagePull")).content[0].text == "image"
    blocks = [{"type": "text", "text": "disk full", "cache_control": {"type": "ephemeral"}}]
    assert (await ask(client, blocks)).content[0].text == "disk"
    assert (await ask(client, system=blocks)).content[0].text == "disk"


async def test_it_does_not_stream(client):
    with pytest.raises(anthropic.APIStatusError, match="not_played"):
        await ask(client, stream=True)


async def test_tokens_are_counted_roughly(client):
    short = await client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "a"}])
    long = await client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "a" * 4000}])
    assert (short.input_tokens, long.input_tokens) == (1, 1000)


async def test_models_are_listed(client):
    found = [model.id async for model in client.models.list()]
    assert MODEL in found
    assert (await client.models.retrieve(MODEL)).lifecycle == "active"
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("claude-2")


async def test_requests_are_recorded_without_keys(sandbox, client):
    sandbox.script({"text": "ok"})
    await ask(client, "remember me")
    (request,) = sandbox.requests
    assert request["body"]["messages"][0]["content"] == "remember me"
    assert request["headers"]["anthropic-version"] == "2026-10-21"
    assert sandbox.api_key not in json.dumps(request)


async def test_an_unknown_path_is_404(sandbox):
    status, answer = await post(sandbox, "/v1/complete", {}, anthropic_version="2026-10-21", X_Api_Key="sk-ant-local-x")
    assert (status, answer["error"]["type"]) == (404, "not_found_error")


async def test_the_script_is_written_over_http(sandbox, client):
    status, answer = await post(sandbox, "/sandbox/messages/script", {"answers": [{"text": "a"}, {"drop": True}]})
    assert (status, len(answer["answers"])) == (200, 2)
    assert (await ask(client)).content[0].text == "a"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{sandbox.url}/sandbox/messages/requests") as found:
            assert len((await found.json())["requests"]) == 1
        async with session.delete(f"{sandbox.url}/sandbox/messages/script") as found:
            assert (await found.json())["answers"] == []
    for wrong in ({"answers": [{"text": "ok"}, {"mood": 1}]}, {"answers": "x"}, [], "{"):
        assert (await post(sandbox, "/sandbox/messages/script", wrong))[0] == 400
    with pytest.raises(anthropic.InternalServerError, match="not_scripted"):
        await ask(client)


async def test_only_programs_of_this_machine_are_heard(sandbox):
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        assert (await post(sandbox, "/sandbox/messages/script", {"answers": []}, **headers))[0] == 403
    assert (await post(sandbox, "/sandbox/messages/script", {"answers": []}, Content_Type="text/plain"))[0] == 415
    with pytest.raises(ValueError, match="loopback only"):
        await messages.start(port=0, host="0.0.0.0")
