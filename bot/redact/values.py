"""Where a value beside a name ends, and whether it is a secret or a word, a mask, a reference or code."""

from dataclasses import dataclass
from functools import cache
from operator import ne
from typing import Any

from bot.redact.names import kind_of
from bot.redact.patterns import compile_bytes, run_of

LOOK = 512
"""Bytes of a value that decide whether it is a secret; a longer one under a name that names secrets is one.

The bound keeps the work linear: a value that is refused was short, and one that is replaced is not read again.
"""

_OPENING = compile_bytes(rb"[\[(]{0,2}[ \t]{0,8}[rbfuRBFU]{0,2}(\\{0,15})(\"|'|`)")
_MAY_OPEN = b"[( \trbfuRBFU\\\"'`"
_RUN = run_of(rb"^ \t\n\f\r\"'`")
_NEXT_FIELD = compile_bytes(rb"(?:&amp;|[&;,])[\"'{]?[A-Za-z_][A-Za-z0-9_.\-]*(?:[=:]|%3[Dd])|%26|</|[,;]$")
_CLOSERS = b")]}>,;.\\"

_HARMLESS = frozenset(
    b"true false null none nil undefined yes no on off enable enabled disable disabled required optional missing "
    b"invalid expired unknown unset empty redacted hidden masked sensitive filtered removed omitted incorrect wrong "
    b"mismatch denied rejected accepted granted failed failure failing error success succeeded ok valid unauthorized "
    b"forbidden must should cannot can't could may might is are was were has have had not never the a an this that "
    b"to for from in and or with without length too please enter use using used set get see found does do did will "
    b"when if str string bytes int integer bool boolean any object number text varchar char secretstr self password "
    b"passwd token secret key unable authentication authorization permission unexpected eof bearer basic default "
    b"rotated revoked renewed refreshed created deleted updated changed generated n/a".split()
)
_OPTIONAL = compile_bytes(rb"optional\[\w+\]")
_MASK = compile_bytes(
    rb"\*+|[xX]{3,}|\.{2,}|-+|_+|#+|(?:\xe2\x80\xa2)+|\(sensitive|[&*!]?[\[{(|>]+[+\-]?|[\[{(]+[A-Za-z_.\-]*:"
    rb"|\[[A-Za-z _\-]*\]?|<[A-Za-z _\-]{2,40}>?|%[a-z]|%\([a-z_]+\)s|\{[a-z_]*\}?"
    rb"|\$[A-Z_][A-Z0-9_]*|\$\{[A-Za-z_][A-Za-z0-9_.]*\}?|\$\([^()]*\)?|\$?\{\{.*"
    rb"|/(?:[a-z0-9._\-]+/)+[a-z0-9._\-]*|\./\S*|@[a-z./\-]+"
)
_CODE = compile_bytes(
    rb"[$@&*]?[A-Za-z_]+(?:(?:\.|::|->|\?\.)[A-Za-z_]+)*(?:\((?:[A-Za-z_$)].*)?|\[(?:[A-Za-z_$\]].*)?)"
    rb"|[$@]?[A-Za-z_]+(?:(?:\.|::|->|\?\.)[A-Za-z_]+)+"
    rb"|(?:[a-z]+\.)*[A-Z][A-Za-z$]+(?:\{.*|@[0-9a-f]{5,8}|<[*]?)"
)
_IDENTIFIER = compile_bytes(rb"[$@]?[A-Za-z]+(?:_[A-Za-z]+|[a-z][A-Z][a-z]+)+|\$[a-z]+")
_OBJECT_NAME = compile_bytes(rb"[a-z]+(?:-(?:[a-z]+|[a-z]{0,2}[0-9]{1,2}))*")
_SENTENCE = compile_bytes(rb"[A-Za-z'`,.:;()!?\-]+(?:[ \t]+[A-Za-z'`,.:;()!?\-]+)+")
_CLASSES = bytes(ord("d" if c < 58 else "u" if c < 91 else "l") if chr(c).isalnum() else ord(" ") for c in range(256))
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"


@dataclass(frozen=True, slots=True)
class Value:
    """Bytes `start` to `end` of a text; `cut` says that the reading stopped before the value's end."""

    start: int
    end: int
    quoted: bool
    cut: bool


def value_at(data: bytes, start: int, limit: int = LOOK) -> Value:
    """Return the value that begins at `start`, read no further than `limit` bytes.

    A value never crosses a line; a quoted one ends at its own quote, however often JSON escaped it, any other one at a
    space or where the next field begins.
    """
    stop = min(len(data), start + limit)
    opening = _OPENING.match(data, start, stop) if data[start : start + 1] in _MAY_OPEN else None
    if opening is not None:
        slashes, quote = opening.groups()
        end = _quoted(quote, len(slashes)).match(data, opening.end(), stop).end()
        cut = stop < len(data) and not data[end:stop].strip(b"\\")
        return Value(opening.end(), end, True, cut)
    run = _RUN.match(data, start, stop)
    if run is None:
        return Value(start, start, False, False)
    end = run.end()
    following = _NEXT_FIELD.search(data, start, end) if not data[start:end].isalnum() else None
    cut = end == stop < len(data) and (following is None or following.end() == stop)
    if following is not None:
        end = following.start()
    while end > start and data[end - 1] in _CLOSERS:
        end -= 1
    return Value(start, end, False, cut)


def whole_value_at(data: bytes, start: int) -> Value:
    """Return the value that begins at `start`, read to its end in time proportional to its length."""
    limit = LOOK
    value = value_at(data, start, limit)
    while value.cut:
        limit *= 4
        value = value_at(data, start, limit)
    return value


@cache
def _quoted(quote: bytes, slashes: int) -> Any:
    """The inside of a string whose quotes have this many backslashes before them; more of them escape a quote.

    YAML and SQL also escape a single quote by doubling it.
    """
    if slashes == 0:
        doubled = b"|''" if quote == b"'" else b""
        return compile_bytes(rb"(?:[^\r\n\\%b]|\\[^\r\n]%b)*" % (quote, doubled))
    return compile_bytes(rb"(?:[^\r\n\\%b]|\\{%d,}%b|\\+[^\r\n\\%b])*" % (quote, slashes + 1, quote, quote))


def is_harmless(value: bytes) -> bool:
    """Whether a value is nothing, a common word, a mask or a reference to where the secret is."""
    word = value.strip(b" .,;:!").lower()
    if not value or word in _HARMLESS:
        return True
    if value.isalnum() and value[:1] not in b"xX":
        # A mask of letters is made of these.
        return False
    return _OPTIONAL.fullmatch(word) is not None or _MASK.fullmatch(value) is not None


def is_code(value: bytes) -> bool:
    """Whether an unquoted value is an expression: a call, an attribute, a variable named for a secret."""
    if value.isalnum() and not value.isalpha():
        # Where no mark makes it an expression, it is the name of a variable in letters, or none.
        return False
    if _CODE.fullmatch(value) is not None:
        return True
    return _IDENTIFIER.fullmatch(value) is not None and kind_of(value.decode("ascii")) is not None


def is_object_name(value: bytes) -> bool:
    """Whether a value reads like the name of a Kubernetes object: lower-case words joined by hyphens."""
    return _OBJECT_NAME.fullmatch(value) is not None


def is_sentence(value: bytes) -> bool:
    """Whether a value is several words without a digit, as in the message of a form's field."""
    return _SENTENCE.fullmatch(value) is not None


def looks_random(value: bytes) -> bool:
    """Whether a value looks drawn at random from letters of both cases and digits; only its first LOOK bytes count.

    Words joined by hyphens, hashes in hex, UUIDs and camel-case names do not: in their longest part one class of
    characters seldom follows another, or a class is missing. Of 20 random characters about 12 begin a new class.
    """
    value = value[:LOOK]
    digits = value.rstrip(b"=")
    if len(digits) < 20 or len(value) - len(digits) > 2 or digits.translate(None, _BASE64):
        return False
    classes = max(value.translate(_CLASSES).split(), key=len, default=b"")
    if len(classes) < 10 or len(set(classes)) < 3:
        return False
    changes: int = sum(map(ne, classes, classes[1:]))
    return changes >= 0.4 * len(classes)
