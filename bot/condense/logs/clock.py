"""When a line was written: the time text of a header as an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_FRACTION = re.compile(r"(?<=\d\d:\d\d:\d\d)(?:[.,]\d+|:\d{3}\b)|(?<=\d\d\.\d\d\.\d\d)\.\d+")
_FORMATS: Final = {
    "0.0.0 0:0:0": ("%Y.%m.%d %H:%M:%S",),
    "0/0/0 0:0:0": ("%Y/%m/%d %H:%M:%S", "%y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M:%S"),
    "0/0/0 0:0:0 +0": ("%Y/%m/%d %H:%M:%S %z",),
    "0/0/0 0:0:0 -0": ("%Y/%m/%d %H:%M:%S %z",),
    "0-0-0-0.0.0": ("%Y-%m-%d-%H.%M.%S",),
    "0-0-0 0:0:0": ("%d-%m-%Y %H:%M:%S",),
    "0-0:0:0": ("%Y%m%d-%H:%M:%S",),
    "0 0": ("%y%m%d %H%M%S",),
    "0/a/0:0:0:0 +0": ("%d/%b/%Y:%H:%M:%S %z",),
    "0/a/0:0:0:0 -0": ("%d/%b/%Y:%H:%M:%S %z",),
    "0/a/0:0:0:0": ("%d/%b/%Y:%H:%M:%S",),
    "a a 0 0:0:0 0": ("%a %b %d %H:%M:%S %Y",),
    "a 0 0:0:0 0": ("%b %d %H:%M:%S %Y",),
    "a 0, 0 0:0:0 a": ("%b %d, %Y %I:%M:%S %p",),
    "0 a 0 0:0:0": ("%d %b %Y %H:%M:%S",),
    "a 0 0:0:0": ("%Y %b %d %H:%M:%S",),
    "a 0 0 0:0:0": ("%b %d %Y %H:%M:%S",),
    "0-0 0:0:0": ("%Y %m-%d %H:%M:%S",),
    "0.0 0:0:0": ("%Y %m.%d %H:%M:%S",),
    "0 0:0:0": ("%Y %m%d %H:%M:%S",),
}
"""Formats by the form of the text (a number is a 0, a word an a). One that begins with ``%Y `` is given the year."""
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[A-Za-z]+")


def instant(text: str, year: int) -> int | None:
    """Read a time as UTC microseconds. ``year`` stands in where the text has none; a time without a date or one that
    does not exist (``25:61:00``) is None. A time without a zone is taken as UTC."""
    text = " ".join(text.split())
    try:
        if text.replace(".", "", 1).isdigit():
            value = float(text)
            return int(value * 1000) if value > 1e11 else int(value * 1_000_000) if value > 1e9 else None
        if len(text) > 10 and text[4:5] == "-" and text[10] in "T _":
            return _micros(datetime.fromisoformat(text.removesuffix(" UTC").removesuffix(" GMT").replace(" +", "+")))
    except (ValueError, OverflowError):
        return None
    fraction = _FRACTION.search(text)
    parts = int(fraction.group()[1:7].ljust(6, "0")) if fraction else 0
    whole = _FRACTION.sub("", text)
    for form in _FORMATS.get(_WORD.sub("a", _NUMBER.sub("0", whole)), ()):
        dated = f"{year} {whole}" if form.startswith("%Y ") else whole
        try:
            return _micros(datetime.strptime(dated, form)) + parts  # noqa: DTZ007 - the zone is set in _micros
        except ValueError:
            continue
    return None


def _micros(when: datetime) -> int:
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return int((when - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
