"""What ``/ops logs`` asks for: whose logs, how far back, and words to look for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat.mrkdwn import plain
from bot.clients.kubernetes import is_name

USAGE = "logs <namespace>/<workload> [1h] [words]"
DEFAULT_SECONDS = 3_600
MOST_SECONDS = 7 * 86_400
MOST_WORDS = 5
LONGEST_WORD = 60
LONGEST = 600

_SPAN = re.compile(r"([0-9]{1,5})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_EXAMPLE = "`/ops logs shop/checkout 30m`"


@dataclass(frozen=True, slots=True)
class LogsAsked:
    """What somebody wants to read. ``cluster`` is empty for the default one; ``problem`` says what is wrong."""

    cluster: str = ""
    namespace: str = ""
    workload: str = ""
    seconds: int = DEFAULT_SECONDS
    words: tuple[str, ...] = ()
    problem: str = ""


def read(text: str) -> LogsAsked:
    """Read the text after ``/ops logs``. Never fails: what cannot be read has a ``problem`` that helps."""
    typed = _as_typed(text).strip()
    said = plain(typed, LONGEST)
    if len(typed) > LONGEST:
        return LogsAsked(problem=f"That is too long. Write for example {_EXAMPLE}, with at most {MOST_WORDS} words.")
    place, *rest = said.split() or [""]
    parts = place.split("/")
    cluster = parts.pop(0) if len(parts) == 3 else ""
    if len(parts) != 2 or not all(map(is_name, parts)) or (cluster and not _CLUSTER.fullmatch(cluster)):
        what = f"“{plain(place, 60)}” names no workload." if place else "Whose logs?"
        return LogsAsked(problem=f"{what} Write NAMESPACE/NAME or CLUSTER/NAMESPACE/NAME, as in {_EXAMPLE}.")
    seconds = DEFAULT_SECONDS
    span = _SPAN.fullmatch(rest[0]) if rest else None
    if span:
        seconds = int(span[1]) * _UNITS[span[2]]
        rest = rest[1:]
        if not 0 < seconds <= MOST_SECONDS:
            return LogsAsked(problem="Logs can be read from one second to seven days back: `45s`, `30m`, `2h`, `7d`.")
    if len(rest) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in rest):
        return LogsAsked(
            problem=f"Give at most {MOST_WORDS} words of {LONGEST_WORD} characters: a line has to have all."
        )
    return LogsAsked(cluster, parts[0], parts[1], seconds, tuple(rest))


def _as_typed(text: str) -> str:
    """Take back how Slack writes the three characters that mean something to it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
