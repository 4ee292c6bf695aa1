"""What text of a packed diff costs in tokens of the o200k vocabulary, estimated without that vocabulary.

A budget in tokens is spent line by line, so the estimate is additive over lines. ``bot.condense.tokens`` counts for
Claude's tokenizers, which cut operations text much finer; whoever packs for one of those passes its ``weigh``.

A common word is one token and a random one is many, and a hostile diff may hold nothing but the latter. Pairs of
letters that are rare in English and in code tell the two apart. The weights were fitted by non-negative least squares
to 890 pieces of 40 lines, from 14 diffs of configuration and code and from random letters, digits and marks, counted
with o200k_base, with a standard deviation of 4 % over the pieces; what numbers between blanks and rare letters cost,
and words behind a mark, of which prose about code is full, was counted by itself. With margin and slack, the true count
of packed texts stays below 0.985 of the budget, at 2,000 to 28,000: of 50 diffs of configuration, code and prose, and
of 11 of nothing but numbers, hex, paths, marks, single or rare letters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import pairwise
from typing import Final

MARGIN: Final = 1.08
"""What the fitted estimate is multiplied with, so that the true count of a packed text stays below it."""
SLACK: Final = 8
"""Tokens to keep free besides: in a short text the errors of single lines do not even out."""

_PARTS = re.compile(
    r"([A-Z]?[a-z]+|[A-Z]+)"
    r"|([0-9]{1,3})"
    r"|([^\sA-Za-z0-9\x80-\U0010ffff]+(?=[A-Za-z]))"
    r"|([^\sA-Za-z0-9\x80-\U0010ffff]+)"
    r"|([ \t]+(?=[0-9\x80-\U0010ffff]))"
    r"|([ \t\r\f\v]{2,})"
    r"|([^\x00-\x7f]+)"
)
_FOLLOWERS: Final = {
    "a": "bcdfgiklmnprstuvwxy", "b": "aceijlorsuy", "c": "acehiklmorstuy", "d": "adeilorstuy",
    "e": "abcdefgilmnopqrstvwxy", "f": "aefilorstu", "g": "aeghilmnorstu", "h": "aeiort", "i": "abcdefglmnoprstvxz",
    "j": "eo", "k": "aeisw", "l": "adefilopstuy", "m": "abdeilmopsu", "n": "acdefgiklnopstuvy",
    "o": "abcdfgiklmnoprstuvwx", "p": "adehiloprstuy", "q": "u", "r": "acdefgiklmnoprstuvy",
    "s": "aceghiklmopstuwy", "t": "acdefhilmoprstuwy", "u": "abcdefgilmnoprst", "v": "aei", "w": "aehinors",
    "x": "aceipt", "y": "egilnprstw", "z": "e",
}  # fmt: skip
"""The 300 commonest pairs of letters, by the first: 98 % of all pairs in Python's standard library."""
_RARE_PAIR, _RARE_CAPITALS = 0.89, 1.03
_LETTER, _LONG_WORD, _LONG_LETTER = 0.94, 40, 0.65
_NEWLINE, _DIGITS, _JOINED, _MARK, _SAME_MARK, _OTHER_MARK, _INDENT = 1.09, 1.02, 0.52, 0.93, 0.2, 0.66, 0.65
_BLANK_ALONE: Final = 0.9
"""A blank before a digit or a rare letter: it is a token of its own, while one before a word is part of the word. Of
more blanks the others are another."""
_BLANKS: Final = 64
"""Spaces that make one token, at least."""


def line_cost(text: str) -> float:
    """Return what the line ``text`` and the newline after it cost, margin included. Time is linear in its length."""
    total = _NEWLINE
    for word, digits, joined, mark, alone, blank, foreign in _PARTS.findall(text):
        if word:
            total += _word(word) if len(word) < _LONG_WORD else _LONG_LETTER * len(word)
        elif digits:
            total += _DIGITS
        elif alone:
            total += _BLANK_ALONE + (_BLANK_ALONE + len(alone) / _BLANKS if len(alone) > 1 else 0)
        elif blank:
            total += _INDENT + (len(blank) / _BLANKS if len(set(blank)) == 1 else _OTHER_MARK * len(blank))
        elif foreign:
            total += sum(map(_foreign, foreign))
        else:
            run = joined or mark
            further = _OTHER_MARK if len(set(run)) > 2 else _SAME_MARK
            total += (_JOINED if joined else _MARK) + further * (len(run) - 1)
    return total * MARGIN


@lru_cache(1 << 15)
def _word(word: str) -> float:
    if len(word) == 1:
        return _LETTER
    low = word.lower()
    rare = sum(second not in _FOLLOWERS[first] for first, second in pairwise(low))
    if word.isupper():
        return 0.53 + 0.96 * (len(word) >= 4) + _RARE_CAPITALS * rare
    return 0.86 + 0.06 * (len(word) >= 6) + 0.46 * (len(word) >= 9) + 0.76 * (len(word) >= 12) + _RARE_PAIR * rare


_TWO_BYTES: Final = (
    (0xA0, 1.9), (0x100, 1.0), (0x180, 1.4), (0x386, 2.0), (0x3B1, 1.3), (0x3CF, 1.0), (0x400, 2.0), (0x410, 1.5),
    (0x450, 0.9), (0x460, 1.2), (0x5D0, 1.9), (0x5EB, 0.85), (0x621, 1.9), (0x64B, 1.0), (0x66A, 1.4), (0x6E0, 1.6),
    (0x800, 2.05),
)  # fmt: skip
"""Where a range of characters ends, and the tokens of a random one of them: 0.7 to 1 for the letters that people write
Greek, Russian, Hebrew and Arabic with, up to one a byte for all others. Counted with o200k_base."""
_ENDS: Final = tuple(end for end, _ in _TWO_BYTES)


@lru_cache(1 << 12)
def _foreign(character: str) -> float:
    """Return the cost of a character beyond ASCII: rare ones are written as the tokens of their bytes."""
    code = ord(character)
    if code < 0x800:
        return _TWO_BYTES[bisect_right(_ENDS, code)][1]
    if 0x3000 <= code < 0xA000 or 0xAC00 <= code < 0xD800:
        return 1.8
    return 2.6 if code < 0x10000 else 3.0
