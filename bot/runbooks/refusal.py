"""A refusal: why there is no plan, and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """``code`` is one word for code and metrics, ``sentence`` is for people."""

    code: str
    sentence: str
