"""A running stand-in for the Messages API, and a way to speak to it without the SDK."""

import json

import aiohttp
import pytest

from bot.sandbox import messages

MODEL = "claude-haiku-5-5"
FORMAT = {
    "type": "json_schema",
    "schema": {
        "type": "object",
        "properties": {"severity": {"enum": ["low", "high"]}},
        "required": ["severity"],
        "additionalProperties": False,
    },
}


@pytest.fixture
async def sandbox():
    running = await messages.start(port=0)
    yield running
    await running.stop()


async def post(sandbox, path, body, **headers):
    raw = body if isinstance(body, str) else json.dumps(body)
    sent = {"Content-Type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.url}{path}", data=raw, headers=sent) as answer,
    ):
        return answer.status, await answer.json()
