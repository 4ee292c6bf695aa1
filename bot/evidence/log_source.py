"""Where logs come from: one interface over what keeps them, asked in order of preference until one has lines."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

TOTAL_CHARACTERS = 24 * 1024 * 1024
"""All text that one reading keeps; what each log may have of it depends on how many there are."""
WORDS_BEFORE, WORDS_AFTER = 2, 5
"""Lines kept around one that has the words asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose logs, and of what time: ``since`` to ``until``, and from ``baseline`` to ``since`` to compare with
    (microseconds, UTC). With ``words`` only lines with all of them matter, in any case, and a few around them. An
    empty ``kind`` is looked for by the name alone."""

    namespace: str
    kind: str
    workload: str
    baseline: int
    since: int
    until: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """One log, e.g. of a container: its lines, redacted, each with its time in front, before ``since`` and from then
    on. ``complete`` is False if older lines of the time asked about were left out."""

    name: str
    before: str
    within: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Logs:
    """What one source had: the logs, where they are from (``query`` as it was asked), and what could not be read."""

    source: str
    query: str
    logs: tuple[Log, ...]
    problems: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Say whether there is no line of the time asked about."""
        return not any(log.within for log in self.logs)


class LogSource(Protocol):
    """Something that keeps logs."""

    async def read(self, wanted: Wanted, *, deadline: float) -> Logs:
        """Read what was wanted until ``deadline`` (the event loop's time). Never raises for what the far end does:
        what could not be read is a sentence in ``problems``."""


async def first(sources: Sequence[LogSource], wanted: Wanted, *, deadline: float) -> Logs:
    """Ask the sources in order and return what the first one with lines had, with the problems of those before it."""
    problems: tuple[str, ...] = ()
    read = Logs("", "", ())
    for source in sources:
        read = await source.read(wanted, deadline=deadline)
        if not read.empty:
            break
        problems += read.problems
        read = replace(read, problems=())
    return replace(read, problems=tuple(dict.fromkeys(problems + read.problems)))


def stamp(line: str) -> int | None:
    """Return the time in front of a line (RFC 3339, then a blank) in microseconds, or None if there is none."""
    text, blank, _ = line.partition(" ")
    if not blank or len(text) > 40:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round(when.timestamp() * 1_000_000) if when.tzinfo else None


def written(microseconds: int) -> str:
    """Write a time as Kubernetes and Loki take it."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def divided(text: str, wanted: Wanted) -> tuple[str, str]:
    """Divide a log at ``wanted.since``, without what lacks the words. Its lines are in the order of their times.

    The text must be redacted before: else looking for words would tell a secret letter by letter.
    """
    lines = text.rstrip("\n").split("\n") if text.strip("\n") else []
    place = bisect.bisect_left(lines, wanted.since, key=lambda line: stamp(line) or 0)
    return _text(matching(lines[:place], wanted.words)), _text(matching(lines[place:], wanted.words))


def matching(lines: Sequence[str], words: Sequence[str]) -> Sequence[str]:
    """Return the lines that have all of ``words`` in any case, with those around them."""
    if not words:
        return lines
    wanted = [word.lower() for word in words]
    kept: list[str] = []
    done = 0
    for place, line in enumerate(lines):
        low = line.lower()
        if all(word in low for word in wanted):
            kept += lines[max(done, place - WORDS_BEFORE) : place + WORDS_AFTER + 1]
            done = max(done, min(len(lines), place + WORDS_AFTER + 1))
    return kept


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
