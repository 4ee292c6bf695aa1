"""JSON lines and logfmt: find level, time and message among the fields, so that both are grouped by what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot.condense.logs.header import LEVELS

MOST: Final = 65_536
"""Characters of a JSON line that are parsed; a longer one is treated as plain text."""

_MOST_PAIRS: Final = 4096
"""Characters of a logfmt line that are read."""

_MESSAGE: Final = ("message", "msg", "log", "event", "text", "@m", "@message", "short_message", "MESSAGE", "body")
_LEVEL: Final = ("level", "severity", "lvl", "log.level", "levelname", "@l", "loglevel", "severity_text", "PRIORITY")
_TIME: Final = ("time", "timestamp", "ts", "@timestamp", "t", "@t", "asctime", "datetime", "date")
_FAULT: Final = ("error", "err", "exception", "exc_info", "exc", "stack_trace", "stacktrace", "stack", "reason")
_NUMBERED: Final = ((60, "fatal"), (50, "error"), (40, "warning"), (30, "info"), (20, "debug"), (10, "trace"))
_LOGFMT = re.compile(r"(?:^|\s)(?:level|lvl|severity|msg|ts|time)=")
_PAIR = re.compile(r'([A-Za-z_@][\w.@/-]{0,63})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))')


class Fields(NamedTuple):
    """What a structured line says. ``message`` is what it is grouped by, ``shown`` its compact one-line form
    (None where the line itself is compact enough)."""

    message: str
    level: str
    time: str
    shown: str | None


def fields(text: str) -> Fields | None:
    """Read a JSON object or a logfmt line. Return None for anything else, however broken. Never raises."""
    if text.startswith("{"):
        return _json(text)
    return _logfmt(text) if _LOGFMT.search(text, 0, 512) else None


def _json(text: str) -> Fields | None:
    stripped = text.rstrip()
    if len(stripped) > MOST or not stripped.endswith("}"):
        return None
    try:
        data = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not data:
        return None
    message = _first(data, _MESSAGE)
    level_key, time_key = _key(data, _LEVEL), _key(data, _TIME)
    level = _level(data.get(level_key)) if level_key else ""
    parts = [level.upper()] if level else []
    said = [message[1]] if message else []
    if message:
        parts.append(message[1])
    for key, value in data.items():
        if key in (level_key, time_key) or (message and key == message[0]):
            continue
        text_value = _text(value)
        parts.append(f"{key}={text_value}")
        if key in _FAULT:
            said.append(text_value.split("\n", 1)[0])
        elif not message:
            said.append(f"{key}={text_value}")
    time = str(data[time_key]) if time_key else ""
    return Fields(" ".join(said), level, time, " ".join(parts).replace("\n", "\\n"))


def _logfmt(text: str) -> Fields | None:
    pairs = {found[1]: found[2] if found[2] is not None else found[3] for found in _PAIR.finditer(text[:_MOST_PAIRS])}
    if len(pairs) < 2:
        return None
    message, level, time = _first(pairs, _MESSAGE), _key(pairs, _LEVEL), _key(pairs, _TIME)
    if message is None and level is None:
        return None
    said = [message[1]] if message else []
    for key, value in pairs.items():
        if key in (level, time) or (message and key == message[0]):
            continue
        if key in _FAULT:
            said.append(value)
        elif not message:
            said.append(f"{key}={value}")
    return Fields(" ".join(said), _level(pairs[level]) if level else "", pairs[time] if time else "", None)


def _key(data: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in data and not isinstance(data[name], dict | list)), None)


def _first(data: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, str] | None:
    for name in names:
        value = data.get(name)
        if isinstance(value, str) and value:
            return name, value
    return None


def _level(value: Any) -> str:
    if isinstance(value, str):
        return LEVELS.get(value.strip().lower(), "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return next((name for least, name in _NUMBERED if value >= least), "")
    return ""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
