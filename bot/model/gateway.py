"""The gateway: one question to the model, redacted, fenced, bounded in time, and checked; it answers or says why not.

Nothing reaches the model but through ``Gateway.ask``, and ``ask`` never raises: a model that is slow, down, over its
limits or talking nonsense is a normal day, and the caller goes on without it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import structlog

from bot.model.fence import fence
from bot.model.prompts import Prompt
from bot.model.usage import Usage
from bot.redact import Redactor

if TYPE_CHECKING:
    from anthropic import APIStatusError, AsyncAnthropic

DEFAULT_MODEL = "claude-haiku-5-5"
"""Structured output, a million tokens of context, and about 0.0006 USD for a triage of 4,000 tokens in and 400 out."""

CONNECT_SECONDS = 5.0
LONGEST_RETRY_WAIT_SECONDS = 5.0
"""A server that asks for a longer pause gets none: an answer by the rules now is better than the model's later."""

Failure = Literal[
    "no-key", "timeout", "unreachable", "rate-limited", "overloaded", "rejected", "refused", "cut", "schema", "broken"
]
_ERROR_TYPE = re.compile(r"[a-z_]{1,40}")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said. ``data`` fits the prompt's full schema; nothing else about it has been checked."""

    data: Mapping[str, Any]
    model: str
    input_tokens: int
    output_tokens: int
    seconds: float
    request_id: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why there is no answer: ``reason`` for people, ``kind`` for counting. Tokens may have been paid all the same."""

    reason: str
    kind: Failure
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    request_id: str = ""


class _LongWait(Exception):
    """The server asks for a longer pause than we take; raised past the SDK's retries."""

    def __init__(self, status: int, seconds: float) -> None:
        super().__init__(f"HTTP {status}, retry after {seconds:.0f} s")
        self.status = status
        self.seconds = seconds


class Gateway:
    """Asks one model at one endpoint. Cheap to create: the SDK is imported by the first ``ask`` or by ``warm``."""

    def __init__(
        self,
        *,
        api_key: str,
        redactor: Redactor,
        model: str = DEFAULT_MODEL,
        base_url: str | None = None,
        concurrency: int = 4,
        max_retries: int = 2,
    ) -> None:
        self.model = model
        self._api_key = api_key
        self._base_url = base_url
        self._redactor = redactor
        self._max_retries = max_retries
        self._slots = asyncio.Semaphore(concurrency)
        self._creating = asyncio.Lock()
        self._client: AsyncAnthropic | None = None
        self.usage = Usage()
        self.trouble = ""
        """Why the newest question had no answer; empty when it had one."""

    async def warm(self) -> None:
        """Import the SDK (2 s of CPU) and make the client in a thread, so that the first question need not wait."""
        if self._api_key:
            await self._ready()

    async def close(self) -> None:
        """Close the connections. The gateway opens new ones if it is asked again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def ask(self, prompt: Prompt, context: str, *, deadline_seconds: float, purpose: str) -> Answer | NoAnswer:
        """Ask ``prompt`` about ``context`` and return its checked answer, or the reason why there is none.

        The context is redacted and fenced here, whoever calls. Waiting for a free slot, retries and the call together
        take at most ``deadline_seconds``. ``purpose`` names the occasion ("INC-142 triage") in our log. Only
        cancellation gets out.
        """
        started = time.monotonic()
        result = await self._attempt(prompt, context, deadline_seconds, started)
        self.trouble = "" if isinstance(result, Answer) else result.reason
        outcome = "answered" if isinstance(result, Answer) else result.kind
        self.usage.asked(
            prompt.id,
            outcome,
            seconds=result.seconds,
            tokens_in=result.input_tokens,
            tokens_out=result.output_tokens,
        )
        _log.info(
            "model.asked",
            purpose=purpose,
            prompt=prompt.id,
            prompt_version=prompt.version,
            model=self.model,
            outcome=outcome,
            seconds=round(result.seconds, 3),
            input_tokens=result.input_tokens,
            output_tokens=result.output_tokens,
            request_id=result.request_id,
        )
        return result

    async def _attempt(self, prompt: Prompt, context: str, limit: float, started: float) -> Answer | NoAnswer:
        if not self._api_key:
            return NoAnswer("no API key is configured", "no-key")
        try:
            async with asyncio.timeout(limit), self._slots:
                message = await self._send(prompt, context, limit)
            return _read(message, prompt, self.model, time.monotonic() - started)
        except Exception as error:
            # The SDK lets JSON, HTTP and validation errors of three other libraries through; none may reach the caller.
            sentence, kind = _explain(error, self.model, limit)
            _log.warning("model.failed", error=type(error).__name__, kind=kind)
            return NoAnswer(sentence, kind, seconds=time.monotonic() - started)

    async def _send(self, prompt: Prompt, context: str, limit: float) -> Any:
        client = await self._ready()
        from anthropic import Timeout, transform_schema

        text = self._redactor.text(context.encode(errors="replace").decode())
        wire_schema = transform_schema({k: v for k, v in prompt.schema.items() if k not in ("$schema", "$id")})
        output_config: Any = {"effort": prompt.effort, "format": {"type": "json_schema", "schema": wire_schema}}
        return await client.messages.create(
            model=self.model,
            max_tokens=prompt.max_output_tokens,
            system=prompt.system,
            messages=[{"role": "user", "content": fence(text)}],
            output_config=output_config,
            timeout=Timeout(limit, connect=min(CONNECT_SECONDS, limit)),
        )

    async def probe(self, *, deadline_seconds: float) -> str:
        """Ask whether the key is good and the model there, at no cost. Returns "" or a sentence that says why not."""
        try:
            async with asyncio.timeout(deadline_seconds):
                await (await self._ready()).models.retrieve(self.model)
        except Exception as error:
            return _explain(error, self.model, deadline_seconds)[0]
        return ""

    async def _ready(self) -> AsyncAnthropic:
        async with self._creating:
            if self._client is None:
                self._client = await asyncio.to_thread(self._create)
            return self._client

    def _create(self) -> AsyncAnthropic:
        import anyio
        from anthropic import AsyncAnthropic

        # The key is passed explicitly, so that no profile or other credential on disk is ever picked up.
        client = AsyncAnthropic(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=self._max_retries,
            middleware=[_refuse_long_waits],
            open_telemetry=False,
        )
        # Both import more on first use, 0.1 s of it, which would be on the event loop.
        _ = client.messages
        anyio.run(anyio.sleep, 0)
        return client


async def _refuse_long_waits(request: Any, call_next: Any) -> Any:
    """Give up at once where the server asks for a pause that nobody should sit through; the SDK would sleep it all."""
    response = await call_next(request)
    if response.status_code >= 400:
        try:
            seconds = float(response.headers.get("retry-after", "0"))
        except ValueError:
            # A date: rare, and the deadline bounds it.
            seconds = 0.0
        if seconds > LONGEST_RETRY_WAIT_SECONDS:
            raise _LongWait(response.status_code, seconds)
    return response


def _read(message: Any, prompt: Prompt, model: str, seconds: float) -> Answer | NoAnswer:
    """Judge a finished call. Raises whatever a body that is no message makes it raise."""
    usage = message.usage
    paid: dict[str, Any] = {
        "input_tokens": int(usage.input_tokens)
        + int(usage.cache_creation_input_tokens or 0)
        + int(usage.cache_read_input_tokens or 0),
        "output_tokens": int(usage.output_tokens),
        "seconds": seconds,
        "request_id": str(message._request_id or ""),
    }
    match message.stop_reason:
        case "end_turn" | "stop_sequence":
            pass
        case "refusal":
            return NoAnswer("the model refused to answer", "refused", **paid)
        case "max_tokens":
            limit = prompt.max_output_tokens
            return NoAnswer(f"the model's answer was cut at {limit:,} tokens (max_output_tokens)", "cut", **paid)
        case "model_context_window_exceeded":
            return NoAnswer("the model's context window was too small for the evidence", "cut", **paid)
        case _:
            return NoAnswer("the model stopped before it had answered", "broken", **paid)
    try:
        data = json.loads("".join(block.text for block in message.content if block.type == "text"), parse_constant=_no)
    except (ValueError, RecursionError):
        return NoAnswer("the model's answer was not JSON", "schema", **paid)
    problem = prompt.problem(data)
    if problem is not None:
        return NoAnswer(f"the model's answer did not fit the schema: {problem}", "schema", **paid)
    return Answer(data=data, model=model, **paid)


def _no(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _explain(error: Exception, model: str, limit: float) -> tuple[str, Failure]:
    """Say what went wrong, in words that name the remedy and repeat nothing that a server or a body said."""
    if isinstance(error, TimeoutError):
        # Told apart first: the import below would wait on the loop for one that a thread has not finished.
        return f"the model did not answer within {limit:g} s", "timeout"
    import anthropic

    match error:
        case _LongWait(status=status, seconds=seconds):
            return (
                f"the model is {'rate limited' if status == 429 else 'unavailable'} and asks to wait {seconds:.0f} s",
                "rate-limited" if status == 429 else "overloaded",
            )
        case anthropic.APITimeoutError():
            return f"the model did not answer within {limit:g} s", "timeout"
        case anthropic.APIConnectionError():
            return "the model could not be reached (no connection to its endpoint)", "unreachable"
        case anthropic.APIStatusError():
            return _explain_status(error, model)
        case _:
            return "the model's endpoint sent something that is no answer (cut, or not its API)", "broken"


def _explain_status(error: APIStatusError, model: str) -> tuple[str, Failure]:
    status = error.status_code
    match status:
        case 401:
            return "the model's endpoint did not accept the API key (HTTP 401): check ANTHROPIC_API_KEY", "rejected"
        case 402:
            return "the model's account has no credit left (HTTP 402)", "rejected"
        case 403:
            return f"the API key may not use the model {model} (HTTP 403)", "rejected"
        case 404:
            return f"the model {model} is not known at this endpoint (HTTP 404)", "rejected"
        case 429:
            return "the model is rate limited (HTTP 429)", "rate-limited"
        case 529:
            return "the model is overloaded (HTTP 529)", "overloaded"
        case _ if status >= 500:
            return f"the model's endpoint failed (HTTP {status})", "overloaded"
        case _:
            said = str(error.type or "")
            known = f", {said}" if _ERROR_TYPE.fullmatch(said) else ""
            return f"the model's endpoint rejected the question (HTTP {status}{known})", "rejected"
