"""Secrets that something within them or their names hides: characters nobody sees, line breaks that are written out."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

from bot.redact.patterns import compile_bytes
from bot.redact.spans import Span

# Unicode's format characters (Cf) that are not seen, in UTF-8.
_UNSEEN = compile_bytes(
    rb"(?:\xc2\xad|\xd8\x9c|\xe1\xa0\x8e|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4\xa6-\xaf]|\xef\xbb\xbf)+"
)
_BREAK = compile_bytes(rb"[ \t]*(?:\\{1,8}r)?\\{1,8}n[ \t]*")

Find = Callable[[bytes], Iterator[Span]]


def find_unseen(data: bytes, find: Find) -> Iterator[Span]:
    """Yield what `find` sees in a text without its unseen characters; nothing if it has none."""
    if not data.isascii():
        yield from _find_parted(data, _UNSEEN, find)


def find_broken(data: bytes, find: Find) -> Iterator[Span]:
    """Yield what `find` sees once the breaks that are written out as `\\n` are gone; nothing if there are none."""
    if b"\\n" in data:
        yield from _find_parted(data, _BREAK, find)


def _find_parted(data: bytes, between: Any, find: Find) -> Iterator[Span]:
    kept, starts, offsets, joined, position = [], [], [], 0, 0
    for match in between.finditer(data):
        low, high = match.span()
        if low > position:
            kept.append(data[position:low])
            starts.append(joined)
            offsets.append(position)
            joined += low - position
        position = high
    if position == 0:
        return
    kept.append(data[position:])
    starts.append(joined)
    offsets.append(position)
    text = b"".join(kept)
    for span in find(text):
        if span.end <= span.start:
            continue
        first, last = bisect_right(starts, span.start) - 1, bisect_right(starts, span.end - 1) - 1
        value = span.value if span.value is not None else text[span.start : span.end]
        start, end = offsets[first] + span.start - starts[first], offsets[last] + span.end - starts[last]
        yield Span(start, end, span.kind, span.precise, value)
