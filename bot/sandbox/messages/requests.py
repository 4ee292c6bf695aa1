"""What the Messages API refuses before any model reads it: headers, keys, and the shape of a body.

Sources: https://platform.claude.com/docs/en/api/messages, /docs/en/api/errors and /docs/en/api/versioning;
anthropic 2.11 `types/message_create_params.py` for the parameters and `_constants.py` for the version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bot.sandbox.messages import output_schema

VERSIONS: Final = ("2026-10-21", "2023-06-01")
KEY_PREFIX: Final = "sk-ant-local-"
MODELS: Final[Mapping[str, str]] = {
    "claude-haiku-5-5": "Claude Haiku 5.5",
    "claude-sonnet-5-5": "Claude Sonnet 5.5",
    "claude-opus-5-5": "Claude Opus 5.5",
}

_REQUIRED: Final = ("model", "max_tokens", "messages")
_OPTIONAL: Final = (
    "cache_control", "container", "diagnostics", "inference_geo", "metadata", "output_config", "service_tier",
    "speed", "stop_sequences", "stream", "system", "thinking", "tool_choice", "tools", "user_profile_id",
    "workspace_id",
)  # fmt: skip
_GONE: Final = ("temperature", "top_p", "top_k")
_COUNTED: Final = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control")
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_MAX_TOKENS: Final = 128_000


class Refused(Exception):
    """The API's refusal: an HTTP status, the error's `type` and its sentence."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def _invalid(message: str) -> Refused:
    return Refused(400, "invalid_request_error", message)


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse a request without one of our own local keys (401) or a known version (400)."""
    scheme, _, bearer = headers.get("Authorization", "").partition(" ")
    key = headers.get("X-Api-Key") or (bearer if scheme.lower() == "bearer" else "")
    if not key:
        raise Refused(401, "authentication_error", "x-api-key header is required")
    if not key.startswith(KEY_PREFIX) or len(key) <= len(KEY_PREFIX):
        raise Refused(
            401, "authentication_error", f"invalid x-api-key: this stand-in takes {KEY_PREFIX}… only, never a real key"
        )
    version = headers.get("anthropic-version")
    if version is None:
        raise _invalid("anthropic-version: header is required")
    if version not in VERSIONS:
        raise _invalid(f"anthropic-version: {version[:40]!r} is not a valid version")


def check_message(body: Mapping[str, Any], version: str) -> None:
    """Refuse a body of `POST /v1/messages` as the API would (400, or 404 for an unknown model)."""
    _fields(body, _REQUIRED, _OPTIONAL if version == VERSIONS[0] else (*_OPTIONAL, *_GONE))
    tokens = body["max_tokens"]
    if not isinstance(tokens, int) or isinstance(tokens, bool):
        raise _invalid("max_tokens: Input should be a valid integer")
    if tokens < 0:
        raise _invalid("max_tokens: Input should be greater than or equal to 0")
    if tokens > _MAX_TOKENS:
        raise _invalid(
            f"max_tokens: {tokens} > {_MAX_TOKENS}, which is the maximum allowed number of output tokens for "
            f"{str(body['model'])[:60]}"
        )
    _common(body)
    if "stream" in body and not isinstance(body["stream"], bool):
        raise _invalid("stream: Input should be a valid boolean")
    stops = body.get("stop_sequences", [])
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop.strip() for stop in stops):
        raise _invalid("stop_sequences: each stop sequence must contain non-whitespace")


def check_count(body: Mapping[str, Any]) -> None:
    """Refuse a body of `POST /v1/messages/count_tokens`."""
    _fields(body, ("model", "messages"), _COUNTED)
    _common(body)


def _fields(body: Mapping[str, Any], needed: tuple[str, ...], known: tuple[str, ...]) -> None:
    for key in needed:
        if key not in body:
            raise _invalid(f"{key}: Field required")
    for key in sorted(set(body) - {*needed, *known}):
        raise _invalid(f"{key[:60]}: Extra inputs are not permitted")


def _common(body: Mapping[str, Any]) -> None:
    model = body["model"]
    if not isinstance(model, str) or not model:
        raise _invalid("model: Input should be a valid string")
    _messages(body["messages"])
    if "system" in body:
        _content(body["system"], "system", may_be_empty=True)
    if body.get("output_config") is not None:
        _output_config(body["output_config"])
    thinking = body.get("thinking")
    if thinking is not None:
        kind = thinking.get("type") if isinstance(thinking, dict) else None
        if kind not in ("adaptive", "enabled", "disabled", "between_tools"):
            raise _invalid("thinking: Input tag should be one of adaptive, enabled, disabled, between_tools")
        budget = thinking.get("budget_tokens")
        if kind == "enabled" and (not isinstance(budget, int) or budget < 1024):
            raise _invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if model not in MODELS:
        raise Refused(404, "not_found_error", f"model: {model[:80]}")


def _messages(messages: Any) -> None:
    if not isinstance(messages, list):
        raise _invalid("messages: Input should be a valid list")
    if not messages:
        raise _invalid("messages: at least one message is required")
    for i, message in enumerate(messages):
        if not isinstance(message, dict):
            raise _invalid(f"messages.{i}: Input should be a valid dictionary")
        for key in sorted(set(message) - {"role", "content"}):
            raise _invalid(f"messages.{i}.{key[:60]}: Extra inputs are not permitted")
        if message.get("role") not in ("user", "assistant", "system"):
            raise _invalid(f"messages.{i}.role: Input should be 'user', 'assistant' or 'system'")
        if "content" not in message:
            raise _invalid(f"messages.{i}.content: Field required")
        last_of_assistant = i == len(messages) - 1 and message["role"] == "assistant"
        _content(message["content"], f"messages.{i}.content", may_be_empty=last_of_assistant)
    if messages[0]["role"] == "assistant":
        raise _invalid('messages: first message must use the "user" role')


def _content(content: Any, where: str, *, may_be_empty: bool) -> None:
    if isinstance(content, str):
        if not content and not may_be_empty:
            raise _invalid(f"{where}: text content blocks must be non-empty")
        return
    if not isinstance(content, list):
        raise _invalid(f"{where}: Input should be a valid string or list")
    if not content and not may_be_empty:
        raise _invalid(f"{where}: at least one content block is required")
    for i, block in enumerate(content):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise _invalid(f"{where}.{i}.type: Field required")
        if block["type"] == "text":
            if not isinstance(block.get("text"), str) or not block["text"]:
                raise _invalid(f"{where}: text content blocks must be non-empty")
            for key in sorted(set(block) - {"type", "text", "cache_control", "citations"}):
                raise _invalid(f"{where}.{i}.text.{key[:60]}: Extra inputs are not permitted")


def _output_config(config: Any) -> None:
    if not isinstance(config, dict):
        raise _invalid("output_config: Input should be a valid dictionary")
    for key in sorted(set(config) - {"effort", "format"}):
        raise _invalid(f"output_config.{key[:60]}: Extra inputs are not permitted")
    if config.get("effort") is not None and config["effort"] not in _EFFORTS:
        raise _invalid(f"output_config.effort: Input should be one of {', '.join(_EFFORTS)}")
    wanted = config.get("format")
    if wanted is None:
        return
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        raise _invalid("output_config.format.type: Input should be 'json_schema'")
    for key in sorted(set(wanted) - {"type", "schema"}):
        raise _invalid(f"output_config.format.{key[:60]}: Extra inputs are not permitted")
    if "schema" not in wanted:
        raise _invalid("output_config.format.schema: Field required")
    why = output_schema.problem(wanted["schema"])
    if why is not None:
        raise _invalid(f"output_config.format.schema: {why}")


def text_of(body: Mapping[str, Any]) -> str:
    """All text of a request, system prompt first: what a script's rules are matched with."""
    parts: list[str] = []
    for content in (body.get("system"), *(message.get("content") for message in body.get("messages") or [])):
        if isinstance(content, str):
            parts.append(content)
        elif isinstance(content, list):
            parts += [block["text"] for block in content if isinstance(block.get("text"), str)]
    return "\n".join(parts)


def estimate_tokens(body: Mapping[str, Any]) -> int:
    """An estimate, one token for four bytes: no tokenizer is at hand, and no test should rely on it."""
    size = len(text_of(body).encode())
    for key in ("tools", "output_config"):
        if body.get(key):
            size += len(json.dumps(body[key]))
    return max(1, -(-size // 4))
