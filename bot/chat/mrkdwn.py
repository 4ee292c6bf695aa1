"""Slack's text rules: untrusted text made safe, text cut to length, times that readers see in their own zone.

Cards put untrusted text into plain_text and rich_text elements only, which Slack shows literally. mrkdwn holds
Signoff's own words; the one exception is a message's ``text`` (the push line), where `escape` takes the meaning from
``& < >``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

ELLIPSIS = "…"

# Directional marks reorder a line, zero-width and format characters hide text. The joiner stays: emoji need it.
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_KEPT = frozenset({"\n", "\t", "\u200d"})
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._:/@+-]+")
_SENTENCE_END = re.compile(r"([.!?]) (?=\S)")
_ENTITY_TAIL = re.compile(r"&[a-z]{0,3}\Z")


def plain(text: str, limit: int) -> str:
    """Return ``text`` for one line of at most ``limit`` code points, without control, bidi or invisible characters."""
    return shorten(" ".join(lines(text).split()), limit)


def lines(text: str) -> str:
    """Return ``text`` with its line breaks and tabs, without control, bidi or invisible characters."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(char for char in unified if char in _KEPT or not _hidden(char))


def exact(value: Any) -> str:
    """Write a JSON value so that two different values never look alike: as JSON in printable ASCII.

    Used where the reader signs off what they read.
    """
    return json.dumps(value, ensure_ascii=True, sort_keys=True)


def name(value: str) -> str:
    """Write an identifier as it is when it is plain printable ASCII, and as `exact` writes it when it is not."""
    return value if _PLAIN_NAME.fullmatch(value) else exact(value)


def visible(text: str) -> str:
    """Return ``text`` with its lines kept and every hidden character written out, as in ``\\u202e``."""
    return "".join(char if char in "\n\t" or not _hidden(char) else exact(char)[1:-1] for char in text)


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in _DROPPED_CATEGORIES


def shorten(text: str, limit: int) -> str:
    """Cut ``text`` to at most ``limit`` code points, with an ellipsis when something was cut."""
    if len(text) <= limit:
        return text
    return text[: max(0, limit - 1)].rstrip() + ELLIPSIS if limit > 0 else ""


def sentences(text: str, limit: int) -> str:
    """Return as many whole sentences of one line of text as ``limit`` code points hold, or cut the first one."""
    shown = plain(text, len(text))
    if len(shown) <= limit:
        return shown
    ends = [match.end(1) for match in _SENTENCE_END.finditer(shown, 0, limit - 1)]
    return f"{shown[: ends[-1]]} {ELLIPSIS}" if ends else shorten(shown, limit)


def escape(text: str) -> str:
    """Take the meaning from Slack's three control characters, as its formatting reference asks."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten_escaped(text: str, limit: int) -> str:
    """Cut an escaped ``text`` to at most ``limit`` code points without cutting an entity in two."""
    if len(text) <= limit:
        return text
    return _ENTITY_TAIL.sub("", text[: max(0, limit - 1)]).rstrip() + ELLIPSIS if limit > 0 else ""


def push(text: str, limit: int = 300) -> str:
    """Return the line for a message's ``text``: what a phone announces and a screen reader says."""
    return shorten_escaped(escape(" ".join(lines(text).split())), limit)


def utc(instant: int) -> str:
    """Write a time (microseconds) as ``2026-11-21 14:02 UTC``."""
    return datetime.fromtimestamp(instant / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def clock_utc(instant: int) -> str:
    """Write a time (microseconds) as ``14:02 UTC``."""
    return datetime.fromtimestamp(instant / 1_000_000, UTC).strftime("%H:%M UTC")


def date(instant: int, form: str = "{date_short_pretty} {time}") -> str:
    """Return the mrkdwn for a time (microseconds) in the reader's own zone, with UTC where it cannot be shown."""
    return f"<!date^{instant // 1_000_000}^{form}|{utc(instant)}>"


def duration(microseconds: int) -> str:
    """Write a span as people say it: ``45 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    seconds = max(0, microseconds) // 1_000_000
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def in_cluster(name: str) -> str:
    """Return the part of a sentence that says in which cluster; nothing where it is in none."""
    return f", in cluster {plain(name, 63).upper()}" if name else ""
