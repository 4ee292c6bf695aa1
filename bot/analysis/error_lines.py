"""The error lines of a log, alike ones counted together: four faults are four lines, however often each repeats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import re2

from bot.analysis import plain

MAX_LINES = 20_000
MAX_LINE_CHARACTERS = 1_000
MAX_GROUPS = 200
CRASH, MARKED, TELLING = 3, 2, 1
"""How grave a line sounds: a crash or a named exception, a line marked as an error, or telling words only."""

_ALIKE = 0.6

_FATAL = re2.compile(
    r"(?i)\b(?:fatal|panic|critical|emerg(?:ency)?|segmentation fault|core dumped|traceback|uncaught|unhandled"
    r"|outofmemoryerror|out of memory|heap out of memory)\b|\b\w+(?:Error|Exception)\b: |^Caused by: |\bSyntaxError\b"
)
_ERROR = re2.compile(
    r"(?i)\b(?:error|err|severe|exception|failed|failure)\b|\w(?:Error|Exception)\b"
    r"|\bE(?:CONN\w+|TIMEDOUT|NOTFOUND|AI_AGAIN|ACCES|NOENT|ADDRINUSE)\b"
)
# Access logs report a failed request at the same calm level as any other.
_SERVER_ERROR = re2.compile(r"HTTP/[\d.]+\"? 5\d\d\b|\bstatus(?:_?code)?\"?[=: ]+5\d\d\b")
_TELLTALE = re2.compile(
    r"(?i)\b(?:refused|denied|forbidden|unauthori[sz]ed|timed? ?out|timeout|unreachable|no such|not found|cannot|can't"
    r"|could not|unable to|invalid|missing|expired|exhausted|no space left|already in use|aborted|killed|rejected"
    r"|syntax error|unexpected|not set|not permitted|is required|no available)\b"
)
_CALM = re2.compile(
    r"\b(?:INFO|DEBUG|TRACE|NOTICE)\b|\[(?:info|debug|trace|notice)\]"
    r"|level\"?\s*[=:]\s*\"?(?:info|debug|trace|notice)\b"
)
_NO_ERROR = re2.compile(
    r"(?i)\b(?:0|no|without|zero) (?:errors?|failures?|failed)\b|\berrors?\"?[=:] ?\"?(?:0|none|null|false)\b"
)
_FRAME = re2.compile(r"^\s+(?:at |File \"|\.\.\. \d+ more|\^+\s*$)|^goroutine \d+|^\s+\S+\.go:\d+")
_VARYING = re2.compile(r"[0-9a-fA-F]*\d[0-9a-zA-Z]*|0x[0-9a-fA-F]+")
_PREAMBLE = re2.compile(
    r"^(?:\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?|[IWEF]\d{4} [\d:.]+)\s+"
)
_MESSAGE_KEYS = ("msg", "message", "event", "error", "err", "exception")
_WORD = re2.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One kind of error line: its latest example without the time in front, how often it came, and how grave it sounds.

    ``position`` is the number of the latest such line, so that the last words of a log can be told.
    """

    text: str
    count: int
    gravity: int
    position: int


def error_lines(log: str, *, limit: int) -> list[ErrorLine]:
    """Return up to ``limit`` kinds of error lines, gravest and most frequent first. Reads the last 20,000 lines."""
    groups: dict[str, ErrorLine] = {}
    for position, raw in enumerate(log.splitlines()[-MAX_LINES:]):
        gravity = _gravity(raw[:MAX_LINE_CHARACTERS])
        if not gravity:
            continue
        text = message(raw)
        key = _VARYING.sub("#", text)
        if key in groups:
            groups[key] = replace(groups[key], text=text, count=groups[key].count + 1, position=position)
        elif text and len(groups) < MAX_GROUPS:
            groups[key] = ErrorLine(text, 1, gravity, position)
    return _merged(sorted(groups.values(), key=lambda group: (-group.gravity, -group.count)))[:limit]


def last_words(log: str) -> str:
    """Return the line that best says why a process ended: the last grave line, else the last telling, else the last."""
    found = error_lines(log, limit=MAX_GROUPS)
    if found:
        worst = max(line.gravity for line in found)
        return max((line for line in found if line.gravity == worst), key=lambda line: line.position).text
    said = [line for line in log[-20_000:].splitlines() if line.strip()]
    return message(said[-1]) if said else ""


def message(raw: str) -> str:
    """Return a log line as plain text without the time in front; of a JSON line, its message and error."""
    if raw.lstrip().startswith("{"):
        raw = _json_message(raw) or raw
    text = plain.line(raw, MAX_LINE_CHARACTERS)
    return _PREAMBLE.sub("", text, count=1).strip() or text


def _json_message(raw: str) -> str:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    said = (record.get(key) for key in _MESSAGE_KEYS) if isinstance(record, dict) else ()
    return ": ".join(dict.fromkeys(text for text in said if isinstance(text, str) and text))


def _gravity(text: str) -> int:
    if _SERVER_ERROR.search(text):
        return MARKED
    if _FRAME.search(text) or _NO_ERROR.search(text) or _CALM.search(text):
        return 0
    if _FATAL.search(text):
        return CRASH
    if _ERROR.search(text):
        return MARKED
    return TELLING if _TELLTALE.search(text) else 0


def _merged(groups: Sequence[ErrorLine]) -> list[ErrorLine]:
    """Join groups that say nearly the same, such as one fault reported by four services."""
    kept: list[tuple[ErrorLine, frozenset[str]]] = []
    for group in groups:
        words = frozenset(_WORD.findall(group.text.lower()))
        for index, (other, said) in enumerate(kept):
            if words and len(words & said) >= _ALIKE * len(words | said):
                kept[index] = (replace(other, count=other.count + group.count), said)
                break
        else:
            kept.append((group, words))
    return sorted((group for group, _ in kept), key=lambda group: (-group.gravity, -group.count))
