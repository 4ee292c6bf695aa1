"""The shape of a message: its words and marks, with a star wherever something varies by its very form.

Numbers, addresses, identifiers, paths, dates and URLs vary by form. Whether a plain word varies (a user, a host, a
state) cannot be seen on one line; ``bot.condense.logs.grouping`` finds it by comparing shapes.
"""

from __future__ import annotations

import re
from typing import Final

Shape = tuple[str, ...]
"""Words and marks in order; ``*`` for a variable part, ``word*`` for a word with a number, ``" "`` between words."""

STAR: Final = "*"
LONGEST: Final = 4096
"""Characters of a message that are looked at; the rest of a longer one does not take part in its shape."""

_DAY: Final = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?[ ]+)?"
_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")
_DATE = re.compile(
    rf"{_DAY}{_MONTH}[ ]+\d{{1,2}},?[ ]+\d\d:\d\d:\d\d(?:\.\d+)?(?:[ ]+[A-Z]{{3,4}})?(?:[ ]+\d{{4}})?\b"
    rf"|{_DAY}\d{{1,2}}[ -]{_MONTH}[ -]\d{{4}}[ ]+\d\d:\d\d:\d\d(?:[ ]+[A-Z]{{3,4}}|[ ]+[+-]\d{{4}})?"
)
_QUOTED = re.compile(r'(?<![\w.-])(?!msg=|message=|err=|error=|reason=|status=|level=)([\w.-]+=)"[^"]{0,200}"')
_SIZE = re.compile(r"(?<![\w.])0[0.,]* (?:[KMGTP]i?B|B)\b")
_DIGITS: Final = str.maketrans("123456789", "0" * 9)
_WORDS = re.compile(
    r"""
    (?P<url>[a-z][a-z0-9+]{1,9}://[^\s"'<>)\]]+)
  | (?P<path>(?<![\w.*)])(?:~|\.{1,2}|[A-Za-z]:)?[/\\](?:[^\s"'()\[\]{}<>,;:|=?]+)(?:[?][^\s"']*)?)
  | (?P<colons>(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,}[0-9A-Fa-f.:]*(?![\w]))
  | (?P<port>(?<![\w.-])[a-z0-9-]+(?:\.[a-z0-9-]+)+:0+(?![\w.]))
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|0[0.,]*0(?=[^\w.]|$)|0+(?:\.0+)*)(?![\w]|[-.@/+%~]\w))
  | (?P<word>[^\W]+(?:[$]|\w|[.\-+%@/\\~](?=[\w$])|'(?=[a-z]))*)
  | (?P<mark>.)
    """,
    re.X | re.S,
)
_HEX = re.compile(r"[0-9a-fA-F]{4,}$")
_LETTERED_HEX = re.compile(r"(?:[a-f]{8,}|[A-F]{8,})$")
_NUMBERED = re.compile(r"([^\W\d](?:[^\W\d])*?)_?-?0+$")
_JOINTS: Final = frozenset("-.:,;|/#@+_~")

_known: dict[str, Shape] = {}
_KNOWN_MOST: Final = 20_000


def shape(message: str) -> Shape:
    """Return the shape of one message. The same message always has the same shape; never raises."""
    text = message[:LONGEST]
    if _CLOCK.search(text):
        text = _DATE.sub("0", text)
    if '="' in text:
        text = _QUOTED.sub(r"\1*", text)
    text = _SIZE.sub("0", text.translate(_DIGITS))
    out: list[str] = []
    for chunk in text.split():
        words = _known.get(chunk)
        if words is None:
            words = _split(chunk)
            if len(chunk) <= 64:
                if len(_known) >= _KNOWN_MOST:
                    _known.clear()
                _known[chunk] = words
        if not out:
            out.extend(words)
            continue
        last = out[-1]
        if words[0] == STAR and (last == STAR or (len(out) > 1 and out[-2] == STAR and last in ",;")):
            if last != STAR:
                out.pop()
            out.extend(words[1:])
            continue
        if len(words) == 1 and last == words[0] and last[-1] == STAR:
            continue
        out.append(" ")
        out.extend(words)
    return tuple(out)


def _split(chunk: str) -> Shape:
    """Split one run of non-blanks into words and marks and star what varies by form."""
    out: list[str] = []
    for found in _WORDS.finditer(chunk):
        kind = found.lastgroup
        text = found.group()
        if kind == "word":
            text = _word(text)
        elif kind != "mark":
            text = STAR
        if text == STAR:
            if out and out[-1] == STAR:
                continue
            if len(out) > 1 and out[-2] == STAR and out[-1] in _JOINTS:
                out.pop()
                continue
            if len(out) > 2 and out[-3] == STAR and out[-1] in _JOINTS and out[-2] in _JOINTS:
                del out[-2:]
                continue
            sign = out and out[-1] == "-" and (len(out) == 1 or out[-2] in "=:[(_")
            if sign or (len(out) > 1 and out[-1] == "/" and out[-2] in "=:"):
                out.pop()
        elif text[-1] == STAR and len(out) > 1 and out[-2] == text and out[-1] in ",;":
            out.pop()
            continue
        out.append(text)
    return tuple(out)


def _word(text: str) -> str:
    if "0" in text:
        if _HEX.match(text):
            return STAR
        numbered = _NUMBERED.match(text)
        return numbered[1] + STAR if numbered else STAR
    return STAR if _LETTERED_HEX.match(text) else text
