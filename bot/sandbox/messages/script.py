"""What the stand-in shall answer: a queue of answers, and rules for requests that contain a text.

An answer is one JSON object with exactly one of

| field | means |
| --- | --- |
| `text` | a message with this text |
| `json` | a message with this value as JSON text |
| `refusal` | `{"category", "explanation"}`: stop_reason refusal with no content |
| `error` | `{"status", "type", "message", "retry_after"}`: an error answer; `retry_after` in seconds or a date |
| `raw` | status 200 with these characters as the body: broken or cut JSON |
| `drop` | true: the connection is cut without an answer |

and any of `stop_reason` (such as max_tokens), `delay` (seconds before it), `usage` (overrides the estimate),
`contains` (only for requests that contain this text), `model` (only for this model) and `times` (how often, 1
if not given; null is for ever). Answers with `contains` or `model` are tried first, then the queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

KINDS: Final = ("text", "json", "refusal", "error", "raw", "drop")
ERROR_TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STOP_REASONS: Final = (
    "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded",
)  # fmt: skip
_CATEGORIES: Final = ("cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms", None)
_MOST: Final = 1000
_OTHERS: Final = ("stop_reason", "delay", "usage", "contains", "model", "times")


@dataclass(frozen=True)
class Answer:
    """One scripted answer; `kind` is one of KINDS and `value` what that field held."""

    kind: str
    value: Any
    stop_reason: str = ""
    delay: float = 0.0
    usage: Mapping[str, int] = field(default_factory=dict)
    contains: str = ""
    model: str = ""
    times: int | None = 1

    @classmethod
    def from_json(cls, data: Any) -> Answer:
        """Read an answer. Raises ValueError saying what does not fit."""
        if not isinstance(data, dict):
            raise ValueError("an answer is an object")
        kinds = [kind for kind in KINDS if kind in data]
        if len(kinds) != 1:
            raise ValueError(f"an answer has exactly one of {', '.join(KINDS)}; this one has {kinds or 'none'}")
        unknown = sorted(set(data) - {*KINDS, *_OTHERS})
        if unknown:
            raise ValueError(f"an answer has no field {unknown[0][:60]!r}; it has {', '.join((*KINDS, *_OTHERS))}")
        answer = cls(kinds[0], data[kinds[0]], **{key: data[key] for key in _OTHERS if key in data})
        answer._check()
        return answer

    def _check(self) -> None:
        if self.kind in ("text", "raw") and not isinstance(self.value, str):
            raise ValueError(f"{self.kind} has to be a string")
        if self.kind == "drop" and self.value is not True:
            raise ValueError("drop has to be true")
        if self.kind == "refusal" and (
            not isinstance(self.value, dict) or self.value.get("category") not in _CATEGORIES
        ):
            raise ValueError(f"refusal is an object with a category of {', '.join(map(str, _CATEGORIES))}")
        if self.kind == "error":
            status = self.value.get("status") if isinstance(self.value, dict) else None
            if not isinstance(status, int) or not 400 <= status <= 599:
                raise ValueError("error is an object with a status of 400 to 599")
        if self.stop_reason and self.stop_reason not in STOP_REASONS:
            raise ValueError(f"stop_reason is one of {', '.join(STOP_REASONS)}")
        if not isinstance(self.delay, int | float) or not 0 <= self.delay <= 600:
            raise ValueError("delay is 0 to 600 seconds")
        if self.times is not None and (not isinstance(self.times, int) or not 1 <= self.times <= 100_000):
            raise ValueError("times is 1 to 100000, or null for ever")
        if not isinstance(self.contains, str) or not isinstance(self.model, str):
            raise ValueError("contains and model are strings")
        if not isinstance(self.usage, dict) or not all(isinstance(count, int) for count in self.usage.values()):
            raise ValueError("usage is an object of whole numbers")

    def fits(self, model: str, text: str) -> bool:
        """Whether this answer is for such a request."""
        return self.model in ("", model) and self.contains in text


class Script:
    """The answers that wait."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []

    def add(self, answers: list[Answer]) -> None:
        """Append answers. Raises ValueError when too many wait."""
        if len(self._answers) + len(answers) > _MOST:
            raise ValueError(f"at most {_MOST} answers wait; clear the script first")
        self._answers += answers

    def take(self, model: str, text: str) -> Answer | None:
        """The answer for a request, used up once; None when the script has none."""
        order = sorted(
            range(len(self._answers)), key=lambda i: not (self._answers[i].contains or self._answers[i].model)
        )
        for i in order:
            answer = self._answers[i]
            if answer.fits(model, text):
                if answer.times is not None and answer.times > 1:
                    self._answers[i] = replace(answer, times=answer.times - 1)
                elif answer.times == 1:
                    del self._answers[i]
                return answer
        return None

    def waiting(self) -> tuple[Answer, ...]:
        """What is still to come."""
        return tuple(self._answers)

    def clear(self) -> None:
        """Forget everything."""
        self._answers.clear()
