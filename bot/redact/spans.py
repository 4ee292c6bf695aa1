"""Where secrets are in a text, and how they are replaced by placeholders that still correlate."""

import hmac
import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

HASH_DIGITS = 6
"""Hex digits of the keyed hash in a placeholder: enough to correlate within an incident, useless to invert."""

# Its length is bounded, so that every engine takes linear time, and this one begins soonest.
PLACEHOLDER = re.compile(rb"\[[a-z][a-z0-9-]{1,30}:[0-9a-f]{%d}\]" % HASH_DIGITS)

BLANK = b"\x01"
"""What placeholders are blanked out with where a text is searched, so that they are not read as text."""


class Span(NamedTuple):
    """Bytes `start` to `end` of a text are a secret of this kind.

    `precise` says that the value's own form names its kind, so that this kind wins over a name beside it.
    `value` is what gets hashed when the text shows an encoded form of the secret.
    """

    start: int
    end: int
    kind: str
    precise: bool = False
    value: bytes | None = None


def placeholder(kind: str, value: bytes, key: bytes) -> str:
    """Return `[kind:hash]`; the same value under the same key always gives the same hash."""
    digest = hmac.digest(key, value, "sha256").hex()
    return f"[{kind}:{digest[:HASH_DIGITS]}]"


def replace(data: bytes, spans: Iterable[Span], key: bytes) -> tuple[bytes, Counter[str]]:
    """Replace every span, merging those that overlap, and count the replacements by kind.

    A placeholder that is already in the text is never cut, and one that is a whole span stays as it is.
    """
    pieces: list[bytes] = []
    counts: Counter[str] = Counter()
    done = 0
    for span in _merged(_around_placeholders(data, spans)):
        value = span.value if span.value is not None else data[span.start : span.end]
        pieces += (data[done : span.start], placeholder(span.kind, value, key).encode())
        counts[span.kind] += 1
        done = span.end
    pieces.append(data[done:])
    return b"".join(pieces), counts


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not merged or span.start >= merged[-1].end:
            merged.append(span)
            continue
        last = merged[-1]
        best = span if span.precise and not last.precise else last
        end = max(last.end, span.end)
        whole = (best.start, best.end) == (last.start, end)
        merged[-1] = Span(last.start, end, best.kind, best.precise, best.value if whole else None)
    return merged


def _around_placeholders(data: bytes, spans: Iterable[Span]) -> list[Span]:
    """Widen each span to whole characters and whole placeholders; drop those that lie within a placeholder."""
    result: list[Span] = []
    held: list[tuple[int, int]] | None = None
    position = 0
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        start, end = _whole_characters(data, span.start, span.end)
        if start >= end:
            continue
        if held is None:
            held = [m.span() for m in PLACEHOLDER.finditer(data)] if b"[" in data else []
        while position < len(held) and held[position][1] <= start:
            position += 1
        following = position
        inside = False
        while following < len(held) and held[following][0] < end:
            low, high = held[following]
            inside = low <= start and end <= high
            start, end = min(start, low), max(end, high)
            following += 1
        if not inside:
            result.append(Span(start, end, span.kind, span.precise, span.value))
    return result


def _whole_characters(data: bytes, start: int, end: int) -> tuple[int, int]:
    while 0 < start < len(data) and data[start] & 0xC0 == 0x80:
        start -= 1
    while end < len(data) and data[end] & 0xC0 == 0x80:
        end += 1
    return start, end
