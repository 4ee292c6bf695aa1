"""What the model was asked, what became of it, what it took, and what was dropped of its answers: for /metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import Counter, Histogram


class Usage:
    """Counters of one process, in no registry: ``collect`` gives them to whoever has one."""

    def __init__(self) -> None:
        self._requests = Counter(
            "signoff_model_requests", "Questions to the model by how they ended.", ["prompt", "outcome"], registry=None
        )
        self._seconds = Histogram(
            "signoff_model_seconds",
            "Seconds from a question to its answer or the reason why there is none.",
            ["prompt"],
            registry=None,
            buckets=(0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300),
        )
        self._tokens = Counter("signoff_model_tokens", "Tokens paid for.", ["prompt", "direction"], registry=None)
        self._dropped = Counter(
            "signoff_dropped_claims",
            "Parts of answers that the evidence does not back, by what was wrong.",
            ["prompt", "reason"],
            registry=None,
        )

    def asked(self, prompt: str, outcome: str, *, seconds: float, tokens_in: int, tokens_out: int) -> None:
        """Count one question: ``outcome`` is ``answered`` or the kind of failure."""
        self._requests.labels(prompt, outcome).inc()
        self._seconds.labels(prompt).observe(seconds)
        self._tokens.labels(prompt, "in").inc(tokens_in)
        self._tokens.labels(prompt, "out").inc(tokens_out)

    def dropped(self, prompt: str, reasons: Mapping[str, int]) -> None:
        """Count what was dropped of an answer. What follows a colon in a reason is left out: labels must stay few."""
        for reason, number in reasons.items():
            self._dropped.labels(prompt, reason.partition(":")[0]).inc(number)

    def collect(self) -> Iterator[Any]:
        """Yield the families of numbers, as Prometheus' client makes them."""
        for each in (self._requests, self._seconds, self._tokens, self._dropped):
            yield from each.collect()
