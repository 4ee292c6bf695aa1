"""Take secrets out of text, data and log lines before they leave for the model, Slack, the audit trail or the logs."""

import secrets as randomness
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from bot.redact.assignments import find_assigned
from bot.redact.blocks import find_blocks, find_wrapped
from bot.redact.forms import find_fixed_tokens, find_tokens
from bot.redact.held import Held
from bot.redact.names import kind_of, may_hold_key
from bot.redact.parted import find_broken, find_unseen
from bot.redact.spans import BLANK, PLACEHOLDER, Span, placeholder, replace
from bot.redact.values import is_harmless, is_object_name, looks_random

MAX_DEPTH = 64
"""Levels of nested data that are walked; what lies deeper is replaced as a whole."""

CHUNK = 4 << 10
"""Bytes of whole lines that are searched at once: what looks suspicious in one piece costs no time in the others."""

_CHUNK_AGAIN = 1 << 10
"""The same once the text was searched: only pieces with a placeholder are searched again, so they are small."""

# A text may still carry the token before the one that was just refreshed.
_GENERATIONS = 4
_REMEMBERED = 10_000
_REMEMBERED_LENGTH = 200
_MAX_PASSES = 8
_TOO_DEEP = "[too deep]"
_SCALARS = (bool, int, float, Decimal, date, time, timedelta, UUID)
_KUBERNETES_REFERENCES = ("secret", "serviceAccountToken")


@dataclass(frozen=True, slots=True)
class Redaction:
    """A redacted text, and how many secrets of each kind were taken out of it; never the secrets."""

    text: str
    counts: Mapping[str, int]


class Redactor:
    """Replaces secrets by placeholders such as `[slack-token:7f3a9c]`. Threads may share it.

    A placeholder is made of the kind and a keyed hash, so that whoever reads the result can tell equal secrets from
    different ones, and nothing more. Redacting a redacted text changes nothing.

    `secrets` are found wherever they stand, in plain, base64, URL-encoded, JSON or HTML form, unless they are shorter
    than eight characters; `hold` adds to them. `key` keys the hashes; without one, a random key makes hashes comparable
    within this object and what `with_secrets` derives from it.
    """

    __slots__ = ("_chunk", "_fixed", "_key", "_known", "_learned", "_learning")

    def __init__(self, secrets: Iterable[str] = (), key: bytes | None = None, *, chunk: int = CHUNK) -> None:
        self._fixed = frozenset(secrets)
        self._learned: dict[str, deque[frozenset[str]]] = {}
        self._learning = threading.Lock()
        self._key = key if key is not None else randomness.token_bytes(32)
        self._chunk = chunk
        # What is held and which texts are clean of it are replaced together.
        self._known: tuple[Held, set[str]] = (Held(self._fixed), set())

    def __repr__(self) -> str:
        return f"Redactor({self._known[0]!r})"

    def hold(self, source: str, secrets: Iterable[str]) -> None:
        """Know the secrets that `source` has from now on, and still those that it had the last few times."""
        with self._learning:
            past = self._learned.setdefault(source, deque(maxlen=_GENERATIONS))
            new = frozenset(secrets)
            if past and past[-1] == new:
                return
            past.append(new)
            everything = self._fixed.union(*(each for known in self._learned.values() for each in known))
            self._known = (Held(everything), set())

    def with_secrets(self, secrets: Iterable[str]) -> "Redactor":
        """Return a redactor that also knows these secrets; this one stays as it is."""
        return Redactor((*self._known[0].secrets, *secrets), self._key, chunk=self._chunk)

    def text(self, text: str) -> str:
        """Return the text without its secrets. Never raises; takes time linear in the text's length."""
        held, clean = self._known
        # Label names and values come again and again; what held a secret is never remembered.
        if text in clean:
            return text
        redaction = self._scan(text, held)
        if not redaction.counts and len(text) <= _REMEMBERED_LENGTH:
            if len(clean) >= _REMEMBERED:
                clean.clear()
            clean.add(text)
        return redaction.text

    def scan(self, text: str) -> Redaction:
        """Return the text without its secrets, and how many of which kind there were."""
        return self._scan(text, self._known[0])

    def _scan(self, text: str, held: Held) -> Redaction:
        data = text.encode("utf-8", "surrogatepass")
        counts: Counter[str] = Counter()
        for again in range(_MAX_PASSES):
            data, found = replace(data, self._find(_without_placeholders(data), held, again=again > 0), self._key)
            if not found:
                break
            counts += found
        return Redaction(data.decode("utf-8", "surrogatepass") if counts else text, counts)

    def data(self, value: Any) -> Any:
        """Return a copy of JSON-like data without its secrets, in the same shape.

        The value of a key that names a secret (`password`, `api_key`, `Authorization`) is replaced as a whole, as are
        the entries of a Kubernetes Secret and the `value` beside a `name` that names a secret. What JSON has no form
        for becomes redacted text; what is nested deeper than MAX_DEPTH is dropped.
        """
        return self._walk(value, MAX_DEPTH)

    def processor(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Redact a structlog event; goes last before the renderer. A pending exception becomes redacted text here."""
        if event.get("exc_info"):
            from structlog.processors import format_exc_info

            event = format_exc_info(logger, method, event)
        own = {name: event[name] for name in ("_record", "_from_structlog") if name in event}
        rest = {name: value for name, value in event.items() if name not in own}
        redacted: dict[str, Any] = self.data(rest)
        return {**redacted, **own}

    def _find(self, data: bytes, held: Held, *, again: bool) -> Iterator[Span]:
        """Yield every secret; `again` says that the lines without a placeholder were searched before, in vain."""
        yield from self._find_plain(data, held, again=again)
        yield from find_unseen(data, lambda seen: self._find_plain(seen, held, again=again))
        yield from find_broken(data, held.find)
        yield from find_wrapped(data, find_fixed_tokens)
        yield from find_wrapped(data, held.find)

    def _find_plain(self, data: bytes, held: Held, *, again: bool) -> Iterator[Span]:
        yield from held.find(data)
        yield from find_blocks(data)
        for start, end in _chunks(data, min(self._chunk, _CHUNK_AGAIN) if again else self._chunk):
            lines = data[start:end]
            if again and BLANK not in lines:
                continue
            for span in (*find_tokens(lines), *find_assigned(lines, again=again)):
                yield Span(start + span.start, start + span.end, span.kind, span.precise, span.value)

    def _walk(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, _SCALARS):
            return value
        if isinstance(value, str):
            return self.text(value)
        if depth == 0:
            return _TOO_DEEP
        if isinstance(value, Mapping):
            return self._walk_mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            items = [self._walk(item, depth - 1) for item in value]
            return items if not isinstance(value, tuple) else tuple(items)
        if isinstance(value, bytes | bytearray):
            return self.text(value.decode("utf-8", "backslashreplace"))
        return self.text(_shown(value))

    def _walk_mapping(self, mapping: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        is_secret = mapping.get("kind") == "Secret"
        named = mapping.get("name") if isinstance(mapping.get("name"), str) else None
        result = {}
        for key, value in mapping.items():
            name = named if key == "value" and named is not None else key if isinstance(key, str) else ""
            kind = "kubernetes-secret" if is_secret and key in ("data", "stringData") else _kind(name, value)
            new_key = self.text(key) if isinstance(key, str) else key
            if kind is None:
                result[new_key] = self._walk(value, depth - 1)
            elif is_secret and isinstance(value, Mapping):
                result[new_key] = {self._walk(k, 1): self._whole(kind, v) for k, v in value.items()}
            else:
                result[new_key] = self._whole(kind, value)
        return result

    def _whole(self, kind: str, value: Any) -> Any:
        if value is None or isinstance(value, bool) or value in ("", b"", [], {}, ()):
            return value
        text = value if isinstance(value, str) else _shown(value)
        if PLACEHOLDER.fullmatch(text.encode("utf-8", "surrogatepass")) is not None:
            return text
        return placeholder(kind, text.encode("utf-8", "surrogatepass"), self._key)


def _shown(value: object) -> str:
    """The value's representation; what cannot represent itself must not stop a log line."""
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__} without representation: {type(error).__name__}>"


def _kind(name: str, value: Any) -> str | None:
    """The kind of secret that a field of this name holds as a whole, or None where its content decides."""
    kind = kind_of(name)
    if kind is None:
        random = isinstance(value, str) and may_hold_key(name) and looks_random(value.encode("utf-8", "replace"))
        return "key" if random else None
    if not isinstance(value, str):
        return None if name in _KUBERNETES_REFERENCES else kind
    raw = value.encode("utf-8", "replace")
    refers = name in _KUBERNETES_REFERENCES and is_object_name(raw)
    return None if refers or is_harmless(raw) else kind


def _without_placeholders(data: bytes) -> bytes:
    """Blank out placeholders, so that neither their kind nor their hash is read as text."""
    if b"[" not in data:
        return data
    blank: bytes = PLACEHOLDER.sub(lambda match: BLANK * len(match.group()), data)
    return blank


def _chunks(data: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Cut data into pieces of whole lines, each as long as `size` or as its last line needs.

    No detector that runs on a piece looks beyond a line, so the cuts change nothing.
    """
    start = 0
    while start < len(data):
        newline = data.find(b"\n", start + size)
        end = newline + 1 if newline >= 0 else len(data)
        yield start, end
        start = end
