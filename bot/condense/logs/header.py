"""What stands before the message on a log line: times, level, process, logger; recognised by form, not by product.

A header is only cut where a time (or a level in a fixed place, as klog and ``[ERROR]`` have it) stands near the start,
so that a message without one is left alone. Container runtimes put a second header before the program's own; both go.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LEVELS: Final = {
    **dict.fromkeys(("trace", "finest", "finer", "verbose", "v", "t"), "trace"),
    **dict.fromkeys(("debug", "fine", "dbg", "d"), "debug"),
    **dict.fromkeys(("info", "information", "informational", "inf", "notice", "note", "config", "i", "n"), "info"),
    **dict.fromkeys(("warn", "warning", "wrn", "w"), "warning"),
    **dict.fromkeys(("error", "err", "eror", "failure", "severe", "e"), "error"),
    **dict.fromkeys(("fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "dpanic", "f", "c"), "fatal"),
}
"""Level words as programs spell them, in lower case, and the five levels we tell apart."""

RANK: Final = {"": 0, "trace": 1, "debug": 2, "info": 3, "warning": 4, "error": 5, "fatal": 6}

_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK: Final = r"\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?"
_ZONE: Final = r"(?:[ ]?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:]))?"
_TIME: Final = rf"""
    \d{{4}}[-/.]\d\d[-/.]\d\d(?:[T _:-][ ]?(?:{_CLOCK}|\d\d\.\d\d\.\d\d(?:\.\d+)?){_ZONE})?
  | \d{{8}}[-T ]\d{{1,2}}:\d{{1,2}}:\d{{1,2}}(?:[.,:]\d{{1,9}})?{_ZONE}
  | \d\d[/-]\d\d[/-]\d{{2,4}}[ ]{_CLOCK}
  | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?[ ])?(?:{_MONTHS})[ ]{{1,2}}\d{{1,2}}(?:[ ]\d{{4}})?[ ]{_CLOCK}(?:[ ]\d{{4}})?
  | (?:{_MONTHS})[ ]\d{{1,2}},[ ]\d{{4}},?[ ]\d{{1,2}}:\d\d:\d\d(?:[ ][AP]M)?
  | \d{{1,2}}[ ](?:{_MONTHS})[ ]\d{{4}}[ ]{_CLOCK}
  | \d\d/(?:{_MONTHS})/\d{{4}}:{_CLOCK}(?:[ ][+-]\d{{4}})?
  | \d\d[-./]\d\d[ ]{_CLOCK}
  | \d{{6}}[ ]\d{{6}}(?=[ ])
  | (?:1\d{{9}}(?:\.\d{{1,9}}|\d{{3}})|(?<=[ ])1\d{{9}})(?=[\s|,\]])
  | {_CLOCK}(?=[\s|,\]])
"""
_UPPER_LEVEL: Final = (
    "TRACE|FINEST|FINER|VERBOSE|DEBUG|FINE|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|FAILURE|SEVERE|FATAL|CRITICAL|CRIT"
    "|ALERT|EMERG|PANIC"
)
_ANY_LEVEL: Final = rf"(?i:{_UPPER_LEVEL}|INF|WRN|ERR|DBG|DPANIC|NOTE)"

_TIMES = re.compile(rf"[\[(<]?(?P<time>{_TIME})[\])>]?(?=[\s|,:;\-\[]|$)", re.X)
_AHEAD = re.compile(r"(?=[a-zA-Z]*[^a-zA-Z\s]|[A-Z]+[ ])[^\s{\"'()=]{1,64}[ ]{1,3}")
_CLIENT = re.compile(r"\S{1,64}[ ]\S{1,64}[ ]\S{1,64}[ ](?=\[\d\d/[A-Z])")
"""What stands before the time: words that are no plain words (addresses, numbers, hosts), or a web server's client."""
_GAP = re.compile(r"(?:[\s,;|]|-{1,3}(?=[\s\[])|:(?=\s))*")
_PIPES = re.compile(r"(?:[A-Za-z_][\w.$-]{0,40}\|){0,3}(?:\d{1,12}\|)?")
_NUMBER = re.compile(r"(?:\d{1,12}|\[(?:pid[ =:])?\d{1,12}(?::\d+)?\]|\(\d{1,12}\))(?=\s)")
_PROCESS = re.compile(r"(?:\d{1,12}(?=[ ]---)|\[\d{1,12}\])(?=\s)")
_LEVEL = re.compile(rf"[\[(<]?(?P<level>{_ANY_LEVEL})[ ]{{0,2}}[\])>]?(?=[\s:|,\[]|$):?")
_LETTER = re.compile(r"[\[(]?(?P<level>[DIWEFVTC])[\])]?(?:/|(?=\s))")
_BEFORE_LEVEL = re.compile(
    r"(?:(?![a-z]+\s(?!-\s))(?:\[[^\]\n]{1,80}\]|\([^)\n]{1,80}\)|[^\s\"'=\[]{1,64})[ \t]{1,8}){1,4}?"
    rf"(?=[\[(<]?(?:{_UPPER_LEVEL})[\])>]?[\s:])"
)
_BRACKET = re.compile(r"\[(?:[^\[\]\n]|\[[^\[\]\n]{0,80}\]){0,160}\]")
_DASH = re.compile(r"\s*[-:][ ]")
_TAG = re.compile(
    r"[A-Za-z_][\w./$@+-]{0,80}(?:\([\w./:-]{1,40}\))?(?:\[[\w./:-]{1,40}\])?"
    r"(?:[ ]\([\w./\[\]:-]{1,60}\)|[ ]\d[\d.]{0,15})?:(?=\s|$)"
)
_LOGGER = re.compile(r"[A-Za-z_][\w$-]*(?:[./][\w$-]+)+(?::\d+)?(?=\s)")
_DASHED = re.compile(r"[\w.$/@:*-]{1,64}(?:[ ]\*?\d+)?[ ]-[ ]")
_PADDED = re.compile(r"[A-Z]\w{1,30}[ ]{2,}(?=\S)")
_HOST = re.compile(r"[A-Za-z0-9#][\w.:/#-]{0,80}[ ](?=\S)")
_KLOG = re.compile(r"(?P<level>[IWEF])(?P<time>\d{4}[ ]\d\d:\d\d:\d\d\.\d+)\s+\d+\s[\w./-]+:\d+\][ ]?")
_CRI = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))[ ](?:stdout|stderr)[ ][FP](?:[ ]|$)"
)
_STAMP = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))[ ]")
_POD = re.compile(r"\[(?P<source>(?:pod/)?[\w.-]{1,253}/[\w.-]{1,63})\][ ]")
_COMPOSE = re.compile(r"(?P<source>[a-z0-9][\w.-]{1,63})[ ]{1,40}\|[ ]")
_ACTIONS = re.compile(r"##\[(?P<level>error|warning|notice|debug)\]|::(?P<mark>error|warning|notice|debug)(?=[ :])")
_LEADING = re.compile(
    rf"\[(?P<a>{_ANY_LEVEL})\][ ]?|<(?P<b>{_ANY_LEVEL})>[ ]?"
    rf"|(?P<c>{_ANY_LEVEL}(?=:|!|\[[A-Z]\d+\]:|[ ]{{2}}|\t)|(?:{_UPPER_LEVEL})(?=[ ]))"
)
_KERNEL = re.compile(r"(?:<\d{1,3}>)?\[\s*(?P<time>\d{1,9}\.\d{6})\][ ]?")
_SYSLOG_PRIORITY = re.compile(r"<\d{1,3}>(?:1[ ])?")


class Header(NamedTuple):
    """The header of one line. ``shown`` is where the part worth showing begins (times are cut, level and logger stay),
    ``message`` where the message begins; ``level`` is one of ``RANK``; ``time`` is the text of the first time."""

    message: int = 0
    shown: int = 0
    level: str = ""
    time: str = ""
    source: str = ""


NONE: Final = Header()


def header(line: str) -> Header:
    """Read the header of a line. A line without one has ``message == 0``. Never raises."""
    pos, time, source, level = 0, "", "", ""
    for _ in range(2):
        for pattern in (_CRI, _STAMP, _POD, _COMPOSE):
            found = pattern.match(line, pos)
            if found:
                pos = found.end()
                fields = found.groupdict()
                time = time or fields.get("time") or ""
                source = source or fields.get("source") or ""
                break
        else:
            break
    shown = pos
    if line.startswith("{", pos):
        return Header(pos, shown, "", time, source)
    found = _ACTIONS.match(line, pos)
    if found:
        return Header(pos, shown, LEVELS[found["level"] or found["mark"]], time, source)
    found = _KLOG.match(line, pos)
    if found:
        return Header(found.end(), pos, LEVELS[found["level"].lower()], time or found["time"], source)
    found = _KERNEL.match(line, pos)
    if found:
        return Header(found.end(), found.end(), "", time or found["time"], source)
    found = _SYSLOG_PRIORITY.match(line, pos)
    start = found.end() if found else pos
    found = _time(line, start, ahead=4)
    if found is None and time:
        end, level = _after_time(line, pos, syslog=False)
        return Header(end, shown, level, time, source)
    if found is None:
        found = _LEADING.match(line, pos)
        if found:
            level = LEVELS[(found["a"] or found["b"] or found["c"]).lower()]
            return Header(pos if found["c"] else found.end(), shown, level, time, source)
        return Header(pos, shown, "", time, source)
    time = time or found["time"]
    syslog = found["time"][0].isalpha() and line[found.start("time") - 1 : found.start("time")] != "["
    end = found.end()
    if line.startswith("|", end):
        end = shown = end + 1
        piped = _PIPES.match(line, end)
        return Header(piped.end() if piped else end, shown, level, time, source)
    end = _skip(line, end)
    for _ in range(3):
        found = _time(line, end, ahead=1)
        if found is None:
            break
        end = _skip(line, found.end())
        syslog = syslog or found["time"][0].isalpha()
    shown = end
    end, level = _after_time(line, end, syslog=syslog)
    return Header(end, shown, level, time, source)


def _time(line: str, pos: int, *, ahead: int) -> re.Match[str] | None:
    """Find a time behind at most ``ahead`` words that may stand before one."""
    client = _CLIENT.match(line, pos)
    if client:
        return _TIMES.match(line, client.end())
    for _ in range(ahead + 1):
        found = _TIMES.match(line, pos)
        if found:
            return found
        word = _AHEAD.match(line, pos)
        if word is None:
            return None
        pos = word.end()
    return None


def _after_time(line: str, end: int, *, syslog: bool) -> tuple[int, str]:
    """Read process, level and logger behind the last time. Return where the message begins, and the level."""
    numbered, level = False, ""
    for _ in range(3):
        found = _NUMBER.match(line, end)
        if found is None:
            break
        end, numbered = _skip(line, found.end()), True
    found = _LEVEL.match(line, end) or (_LETTER.match(line, end) if numbered else None)
    if found is None and not syslog:
        before = _BEFORE_LEVEL.match(line, end)
        if before:
            found = _LEVEL.match(line, before.end())
    if found:
        level = LEVELS[found["level"].lower()]
        end = _skip(line, found.end())
        process = _PROCESS.match(line, end)
        end = _skip(line, process.end()) if process else end
    elif syslog:
        host = _HOST.match(line, end)
        if host and not _TAG.match(line, end):
            end = host.end()
    return _logger(line, end, level), level


def _logger(line: str, end: int, level: str) -> int:
    """Step over thread, logger and the like: at most one of each, only where their form is certain."""
    bracket = _BRACKET.match(line, end)
    if bracket:
        after = bracket.end()
        dash = _DASH.match(line, after)
        if dash:
            return dash.end()
        space = _skip(line, after)
        tag = _TAG.match(line, space) or (_LOGGER.match(line, space) if level else None)
        if tag is None:
            return end
        end = space
    tag = _TAG.match(line, end)
    if tag:
        return _skip(line, tag.end())
    logger = _LOGGER.match(line, end) if level else None
    if logger:
        end = _skip(line, logger.end())
        bracket = _BRACKET.match(line, end)
        if bracket:
            end = _skip(line, bracket.end())
        return end
    padded = _PADDED.match(line, end) if level else _DASHED.match(line, end)
    return padded.end() if padded else end


def _skip(line: str, pos: int) -> int:
    found = _GAP.match(line, pos)
    return found.end() if found else pos
