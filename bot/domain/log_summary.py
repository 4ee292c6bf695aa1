"""A summary of logs: what they say, each statement with the lines that say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cited:
    """A line that a statement rests on: its number in the digest, and the words of it that matter."""

    line: int
    quote: str


@dataclass(frozen=True, slots=True)
class LogFinding:
    """One statement with its lines (never empty once verified)."""

    statement: str
    cited: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class LogSummary:
    """What the logs say, most telling first. ``analyst`` is ``rules`` or the model's name; ``note`` says why the rules
    answered; ``dropped`` counts what did not verify, by reason."""

    findings: tuple[LogFinding, ...]
    unknowns: tuple[str, ...]
    analyst: str
    note: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)
