"""Exact matches of the secrets that the bot itself holds, in every form that a text is likely to carry them."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from bot.redact.patterns import any_of
from bot.redact.spans import Span

MIN_LENGTH = 8
"""Shorter values, and those of fewer than MIN_DISTINCT different characters, would blot out ordinary words."""

MIN_DISTINCT = 4

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"


@dataclass(frozen=True, slots=True)
class _Form:
    """A literal that shows the secret; `margin` base64 digits on its two sides hold some bits of it too."""

    literal: bytes
    secret: bytes
    margin: tuple[int, int] = (0, 0)


class Held:
    """A fixed set of secrets that finds them in a text. Its representation tells only how many there are."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = frozenset(secret for secret in secrets if is_worth_holding(secret))
        forms = {form.literal: form for secret in sorted(self.secrets) for form in _forms(secret)}
        self._forms = tuple(forms.values())
        self._any = any_of(sorted(forms)) if forms else None

    def __repr__(self) -> str:
        return f"Held({len(self.secrets)} secrets)"

    def find(self, data: bytes) -> Iterator[Span]:
        """Yield every place where one of the secrets stands, plain or encoded."""
        if self._any is None or self._any.search(data) is None:
            return
        for form in self._forms:
            start = data.find(form.literal)
            while start >= 0:
                end = start + len(form.literal)
                yield Span(*_with_margin(data, start, end, form.margin), "held-secret", True, form.secret)
                start = data.find(form.literal, end)


def is_worth_holding(secret: str) -> bool:
    """Whether a value is long and varied enough to be looked for everywhere."""
    return len(secret) >= MIN_LENGTH and len(set(secret)) >= MIN_DISTINCT


def _forms(secret: str) -> Iterator[_Form]:
    whole = secret.encode("utf-8", "surrogatepass")
    for value in _parts(secret):
        raw = value.encode("utf-8", "surrogatepass")
        for text in _escaped(value):
            yield _Form(text.encode("utf-8", "surrogatepass"), whole)
        for encode in (b64encode, urlsafe_b64encode):
            for offset in range(3):
                yield _base64_form(encode(b"\0" * offset + raw), offset, len(raw), whole)


def _parts(secret: str) -> list[str]:
    """The secret and, since logs are cut into lines, each of its lines that would count by itself."""
    stripped = secret.strip()
    lines = [line.strip() for line in stripped.splitlines()]
    return sorted({part for part in (secret, stripped, *lines) if is_worth_holding(part)})


def _escaped(value: str) -> set[str]:
    texts = {value, html.escape(value), html.escape(value, quote=False)}
    if not any("\ud800" <= c <= "\udfff" for c in value):
        for safe in ("", "/", "!'()*"):
            for text in (quote(value, safe=safe), quote_plus(value, safe=safe)):
                texts |= {text, _lower_escapes(text)}
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        # Go escapes these three for HTML; PHP escapes the slash.
        go = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        for once in (text, go, text.replace("/", "\\/")):
            texts |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    return texts


def _lower_escapes(text: str) -> str:
    first, *rest = text.split("%")
    return first + "".join("%" + part[:2].lower() + part[2:] for part in rest)


def _base64_form(encoded: bytes, offset: int, length: int, whole: bytes) -> _Form:
    """The digits that depend on the secret alone, when `offset` bytes stand before it in their group of three."""
    first = (0, 2, 3)[offset]
    last = (offset + length) * 8 // 6
    margin = (1 if offset else 0, 1 if (offset + length) % 3 else 0)
    return _Form(encoded[first:last], whole, margin)


def _with_margin(data: bytes, start: int, end: int, margin: tuple[int, int]) -> tuple[int, int]:
    left, right = margin
    if left and start and data[start - 1] in _BASE64:
        start -= 1
    if right and end < len(data) and data[end] in _BASE64:
        end += 1
        while right < 3 and end < len(data) and data[end] == ord("="):
            end += 1
            right += 1
    return start, end
