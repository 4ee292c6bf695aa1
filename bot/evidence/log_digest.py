"""Logs of several sources as one digest, compared with the time before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.condense.logs.digest import Digest, digest, rank
from bot.condense.logs.reader import Reader
from bot.evidence.log_source import Log
from bot.redact import Redactor


@dataclass(frozen=True, slots=True)
class Digested:
    """The digest twice, ``short`` for a reader in a hurry and ``full``; the latter shows all that the former does.
    ``sources`` are the logs' names, each with the number of its first line; ``before`` counts the lines compared with,
    ``characters`` what was read."""

    short: Digest
    full: Digest
    sources: tuple[tuple[str, int], ...]
    before: int
    characters: int


def digested(logs: Sequence[Log], redactor: Redactor, *, now: int, short: int, full: int) -> Digested:
    """Digest logs into ``short`` and ``full`` tokens. ``now`` (microseconds) gives years to times that have none.

    Call it in a thread. The logs are redacted already; what is shown is once more, at no cost worth counting.
    """
    reader = Reader(year=datetime.fromtimestamp(now / 1_000_000, UTC).year)
    if any(log.before for log in logs):
        for log in logs:
            reader.feed(log.before.encode("utf-8", "replace"))
        reader.mark_baseline()
    for log in logs:
        if log.within:
            reader.source(log.name)
            reader.feed(log.within.encode("utf-8", "replace"))
    reading = reader.finish()
    ranking = rank(reading, redactor.text)
    return Digested(
        short=digest(ranking, short),
        full=digest(ranking, full),
        sources=tuple(reading.sources),
        before=reading.baseline,
        characters=sum(len(log.before) + len(log.within) for log in logs),
    )
