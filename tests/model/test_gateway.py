"""The gateway against the Messages stand-in, over a real socket and through the real SDK."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.model.gateway import Answer, Gateway, NoAnswer
from bot.model.prompts import Prompt, load
from bot.redact import Redactor
from bot.sandbox import messages

PROMPT = load(Path(__file__).parents[2] / "prompts")["triage"]
GOOD = {
    "severity": "low",
    "category": "unknown",
    "summary": "Nothing is known.",
    "causes": [],
    "unknowns": [],
    "proposals": [],
}


@pytest.fixture
async def gateway(model: messages.MessagesSandbox) -> AsyncIterator[Gateway]:
    made = Gateway(api_key=model.api_key, base_url=model.url, redactor=Redactor())
    yield made
    await made.close()


@dataclass
class Silent:
    """A server that takes every connection and never says a word."""

    url: str = ""
    connections: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.reached.set()
        try:
            while await reader.read(65536):
                pass
        finally:
            writer.close()


@pytest.fixture
async def silent() -> AsyncIterator[Silent]:
    made = Silent()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made


async def ask(gateway: Gateway, context: str = "E1 pods: two", *, seconds: float = 20.0, prompt: Prompt = PROMPT):
    return await gateway.ask(prompt, context, deadline_seconds=seconds, purpose="a test")


async def test_a_good_answer_comes_with_its_numbers(model, gateway):
    model.script({"json": GOOD, "usage": {"input_tokens": 4000, "output_tokens": 400}})
    answer = await ask(gateway)
    assert isinstance(answer, Answer)
    assert answer.data == GOOD
    assert (answer.model, answer.input_tokens, answer.output_tokens) == ("claude-haiku-5-5", 4000, 400)
    assert answer.request_id
    assert 0 < answer.seconds < 20


async def test_the_question_is_strict_bounded_and_fenced(model, gateway):
    model.script({"json": GOOD})
    await ask(gateway, "E1 pods: two")
    body = model.requests[0]["body"]
    assert body["model"] == "claude-haiku-5-5"
    assert body["max_tokens"] == PROMPT.max_output_tokens
    assert body["system"] == PROMPT.system
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert body["output_config"]["effort"] == "medium"
    assert not body.keys() & {"tools", "temperature", "top_p", "top_k"}
    (message,) = body["messages"]
    assert message["role"] == "user"
    assert "\nE1 pods: two\n</data-" in message["content"]


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (
            {"json": GOOD | {"severity": "dire"}},
            "schema",
            "the model's answer did not fit the schema: severity: must be one of",
        ),
        ({"json": {"causes": "none"}}, "schema", "did not fit the schema"),
        ({"json": [GOOD]}, "schema", "did not fit the schema: the whole: must be of type object"),
        ({"text": "I think the pods are broken."}, "schema", "the model's answer was not JSON"),
        ({"text": json.dumps(GOOD)[:-5]}, "schema", "the model's answer was not JSON"),
        ({"text": "[" * 5000}, "schema", "the model's answer was not JSON"),
        ({"text": '{"severity": NaN}'}, "schema", "the model's answer was not JSON"),
        ({"refusal": {"category": "cyber"}}, "refused", "the model refused to answer"),
        ({"json": GOOD, "stop_reason": "max_tokens"}, "cut", "the model's answer was cut at 6,000 tokens"),
        ({"json": GOOD, "stop_reason": "model_context_window_exceeded"}, "cut", "context window was too small"),
        ({"json": GOOD, "stop_reason": "pause_turn"}, "broken", "stopped before it had answered"),
        ({"raw": '{"id": "msg_1", "type": "mess'}, "broken", "sent something that is no answer"),
        ({"raw": "<html>proxy login</html>"}, "broken", "sent something that is no answer"),
        ({"raw": "{}"}, "broken", "sent something that is no answer"),
        (
            {"raw": '{"content": null, "usage": null, "stop_reason": "end_turn"}'},
            "broken",
            "sent something that is no answer",
        ),
        ({"drop": True, "times": 9}, "unreachable", "the model could not be reached"),
        ({"error": {"status": 400}}, "rejected", "rejected the question (HTTP 400, invalid_request_error)"),
        ({"error": {"status": 401}}, "rejected", "did not accept the API key (HTTP 401): check ANTHROPIC_API_KEY"),
        ({"error": {"status": 402}}, "rejected", "no credit left"),
        ({"error": {"status": 403}}, "rejected", "may not use the model claude-haiku-5-5"),
        ({"error": {"status": 404}}, "rejected", "the model claude-haiku-5-5 is not known"),
        ({"error": {"status": 413}}, "rejected", "HTTP 413"),
        ({"error": {"status": 429}, "times": 9}, "rate-limited", "the model is rate limited (HTTP 429)"),
        ({"error": {"status": 500}, "times": 9}, "overloaded", "the model's endpoint failed (HTTP 500)"),
        ({"error": {"status": 529}, "times": 9}, "overloaded", "the model is overloaded (HTTP 529)"),
    ],
)
async def test_every_failure_is_a_reason_and_nothing_escapes(model, answer, kind, reason):
    gateway = Gateway(api_key=model.api_key, base_url=model.url, redactor=Redactor(), max_retries=0)
    model.script(answer)
    result = await ask(gateway)
    await gateway.close()
    assert isinstance(result, NoAnswer)
    assert result.kind == kind
    assert reason in result.reason


async def test_what_an_error_body_says_is_not_repeated(model, gateway):
    model.script({"error": {"status": 400, "type": "evil type <!channel>", "message": "SECRET prompt text"}})
    result = await ask(gateway)
    assert result.reason == "the model's endpoint rejected the question (HTTP 400)"


async def test_tokens_of_a_useless_answer_are_counted(model, gateway):
    model.script({"text": "no JSON", "usage": {"input_tokens": 900, "output_tokens": 70}})
    result = await ask(gateway)
    assert (result.input_tokens, result.output_tokens) == (900, 70)


async def test_a_passing_overload_is_retried(model, gateway):
    model.script({"error": {"status": 529}}, {"json": GOOD})
    assert isinstance(await ask(gateway), Answer)
    assert len(model.requests) == 2


async def test_a_server_that_asks_for_an_hour_gets_none(model, gateway):
    model.script({"error": {"status": 429, "retry_after": 3600}}, {"json": GOOD})
    result = await ask(gateway)
    assert result.reason == "the model is rate limited and asks to wait 3600 s"
    assert result.seconds < 5
    assert len(model.requests) == 1


async def test_a_slow_model_is_left_at_the_deadline(model, gateway):
    await gateway.warm()
    model.script({"json": GOOD, "delay": 30})
    result = await ask(gateway, seconds=0.4)
    assert (result.kind, result.reason) == ("timeout", "the model did not answer within 0.4 s")
    assert 0.3 < result.seconds < 5


async def test_the_deadline_covers_waiting_for_a_free_slot(silent):
    gateway = Gateway(api_key="sk-x", base_url=silent.url, redactor=Redactor(), concurrency=1)
    await gateway.warm()
    first, second = await asyncio.gather(ask(gateway, seconds=0.8), ask(gateway, seconds=0.4))
    await gateway.close()
    assert (first.kind, second.kind) == ("timeout", "timeout")
    assert silent.connections == 1


async def test_nobody_listening(unused_tcp_port):
    gateway = Gateway(
        api_key="sk-x", base_url=f"http://127.0.0.1:{unused_tcp_port}", redactor=Redactor(), max_retries=0
    )
    result = await ask(gateway)
    assert result.kind == "unreachable"


async def test_without_a_key_nothing_is_tried():
    result = await ask(Gateway(api_key="", redactor=Redactor()))
    assert (result.kind, result.reason) == ("no-key", "no API key is configured")


async def test_a_key_from_elsewhere_is_never_used(model, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", model.api_key)
    monkeypatch.setenv("ANTHROPIC_API_KEY", model.api_key)
    gateway = Gateway(api_key="sk-wrong", base_url=model.url, redactor=Redactor(), max_retries=0)
    result = await ask(gateway)
    await gateway.close()
    assert "HTTP 401" in result.reason


async def test_no_secret_reaches_the_wire(model):
    held = "hunter2-" + "correct-horse"
    planted = "xoxb-" + "1234567890-" + "a1B2c3D4e5F6g7H8"
    gateway = Gateway(api_key=model.api_key, base_url=model.url, redactor=Redactor([held, model.api_key]))
    model.script({"json": GOOD})
    await ask(gateway, f"E5 logs: x\n| token {planted} password={held} key {model.api_key} pod checkout-1")
    await gateway.close()
    sent = json.dumps(model.requests[0]["body"])
    assert not [secret for secret in (held, planted, model.api_key) if secret in sent]
    assert "pod checkout-1" in sent


async def test_text_that_is_no_unicode_is_sent_all_the_same(model, gateway):
    model.script({"json": GOOD})
    assert isinstance(await ask(gateway, "half a surrogate: \ud83d, a null: \x00"), Answer)


async def test_questions_run_side_by_side(model, gateway):
    await gateway.warm()
    model.script({"json": GOOD, "delay": 0.3, "times": 4})
    before = time.monotonic()
    answers = await asyncio.gather(*(ask(gateway) for _ in range(4)))
    assert all(isinstance(answer, Answer) for answer in answers)
    assert time.monotonic() - before < 1.1


async def test_it_answers_again_after_it_was_closed(model, gateway):
    model.script({"json": GOOD, "times": 2})
    assert isinstance(await ask(gateway), Answer)
    await gateway.close()
    assert isinstance(await ask(gateway), Answer)


async def test_cancellation_gets_out(silent):
    gateway = Gateway(api_key="sk-x", base_url=silent.url, redactor=Redactor())
    task = asyncio.create_task(ask(gateway))
    async with asyncio.timeout(20):
        await silent.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gateway.close()


async def test_a_probe_says_whether_key_and_model_are_good(model, gateway, silent):
    assert await gateway.probe(deadline_seconds=20) == ""
    wrong = Gateway(api_key="sk-wrong", base_url=model.url, redactor=Redactor(), max_retries=0)
    assert "did not accept the API key" in await wrong.probe(deadline_seconds=20)
    unknown = Gateway(api_key=model.api_key, base_url=model.url, redactor=Redactor(), model="claude-9", max_retries=0)
    assert "the model claude-9 is not known" in await unknown.probe(deadline_seconds=20)
    slow = Gateway(api_key="sk-x", base_url=silent.url, redactor=Redactor(), max_retries=0)
    await slow.warm()
    assert await slow.probe(deadline_seconds=0.3) == "the model did not answer within 0.3 s"
    for made in (wrong, unknown, slow):
        await made.close()
