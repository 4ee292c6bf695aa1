"""What is refused before any answer is looked up, on the wire and without the SDK's own checks."""

import json

import pytest

from tests.sandbox.messages.conftest import FORMAT, MODEL, post

VERSION = {"anthropic_version": "2026-10-21"}


@pytest.mark.parametrize(
    ("headers", "status", "why"),
    [
        (VERSION, 401, "header is required"),
        ({**VERSION, "X_Api_Key": "sk-ant-api03-real"}, 401, "never a real key"),
        ({**VERSION, "X_Api_Key": "sk-ant-local-"}, 401, "never a real key"),
        ({**VERSION, "Authorization": "Bearer sk-ant-api03-real"}, 401, "never a real key"),
        ({**VERSION, "Authorization": "Basic sk-ant-local-x"}, 401, "header is required"),
        ({"X_Api_Key": "sk-ant-local-x"}, 400, "anthropic-version: header is required"),
        ({"X_Api_Key": "sk-ant-local-x", "anthropic_version": "1999-01-01"}, 400, "not a valid version"),
    ],
)
async def test_headers_are_checked_first(sandbox, headers, status, why):
    answer = await post(sandbox, "/v1/messages", "{", **headers)
    assert answer[0] == status
    assert answer[1]["type"] == "error"
    assert why in answer[1]["error"]["message"]
    assert "api03" not in json.dumps(answer[1])


async def test_either_header_carries_the_key(sandbox):
    body = {"model": MODEL, "messages": [{"role": "user", "content": "a"}]}
    for header in ({"X_Api_Key": "sk-ant-local-x"}, {"Authorization": "Bearer sk-ant-local-x"}):
        assert (await post(sandbox, "/v1/messages/count_tokens", body, **VERSION, **header))[0] == 200


def body(**changes):
    whole = {"model": MODEL, "max_tokens": 10, "messages": [{"role": "user", "content": "a"}], **changes}
    return {key: value for key, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("sent", "status", "why"),
    [
        ("{", 400, "not valid JSON"),
        ("[" * 100_000, 400, "not valid JSON"),
        ("[]", 400, "should be an object"),
        (body(model=None), 400, "model: Field required"),
        (body(max_tokens=None), 400, "max_tokens: Field required"),
        (body(messages=None), 400, "messages: Field required"),
        (body(max_tokens="10"), 400, "valid integer"),
        (body(max_tokens=True), 400, "valid integer"),
        (body(max_tokens=-1), 400, "greater than or equal to 0"),
        (body(max_tokens=128_001), 400, "maximum allowed number of output tokens"),
        (body(model="gpt-4"), 404, "model: gpt-4"),
        (body(temperature=0), 400, "temperature: Extra inputs are not permitted"),
        (body(output_format={}), 400, "output_format: Extra inputs are not permitted"),
        (body(messages=[]), 400, "at least one message"),
        (body(messages=[{"role": "robot", "content": "a"}]), 400, "messages.0.role"),
        (body(messages=[{"role": "user", "content": ""}]), 400, "must be non-empty"),
        (body(messages=[{"role": "user", "content": [{"type": "text", "text": ""}]}]), 400, "must be non-empty"),
        (body(messages=[{"role": "user", "content": []}]), 400, "at least one content block"),
        (body(messages=[{"role": "user", "content": [{"text": "a"}]}]), 400, "messages.0.content.0.type"),
        (body(messages=[{"role": "user", "content": "a", "name": "x"}]), 400, "messages.0.name: Extra inputs"),
        (body(messages=[{"role": "assistant", "content": "a"}]), 400, "first message"),
        (body(system=5), 400, "system: Input should be"),
        (body(thinking={"type": "hard"}), 400, "thinking: Input tag"),
        (body(thinking={"type": "enabled", "budget_tokens": 1023}), 400, "greater than or equal to 1024"),
        (body(stop_sequences=[" "]), 400, "non-whitespace"),
        (body(output_config={"effort": "huge"}), 400, "output_config.effort"),
        (body(output_config={"schema": {}}), 400, "output_config.schema: Extra inputs"),
        (body(output_config={"format": {"type": "json_object"}}), 400, "output_config.format.type"),
        (body(output_config={"format": {"type": "json_schema"}}), 400, "output_config.format.schema: Field required"),
        (body(output_config={"format": {**FORMAT, "strict": True}}), 400, "output_config.format.strict: Extra inputs"),
    ],
)
async def test_a_body_that_the_api_refuses(sandbox, sent, status, why):
    answer = await post(sandbox, "/v1/messages", sent, **VERSION, X_Api_Key="sk-ant-local-x")
    assert answer[0] == status
    assert why in answer[1]["error"]["message"]
    assert answer[1]["request_id"]


async def test_the_older_version_still_takes_a_temperature(sandbox):
    headers = {"anthropic_version": "2023-06-01", "X_Api_Key": "sk-ant-local-x"}
    sandbox.script({"text": "ok"})
    assert (await post(sandbox, "/v1/messages", body(temperature=0), **headers))[0] == 200
