"""Secrets that something beside them in the line gives away: a name, a flag, a header, a URL, a sentence."""

from collections.abc import Iterator
from typing import Any

from bot.redact.forms import decodes_to_login
from bot.redact.names import kind_of, may_hold_key
from bot.redact.patterns import compile_bytes, run_of
from bot.redact.spans import BLANK, Span
from bot.redact.values import (
    LOOK,
    is_code,
    is_harmless,
    is_object_name,
    is_sentence,
    looks_random,
    value_at,
    whole_value_at,
)

_WORDS = (
    rb"(?i:pass|pwd|pswd|pw|secret|token|jwt|key|auth|cred|cookie|sig|session|sid|sas|pat|bearer|connstr|connection)"
)
_NAMED = compile_bytes(
    rb"([A-Za-z0-9_.\-]*" + _WORDS + rb"[A-Za-z0-9_.\-]*)([\"'`\]\\]{0,16})"
    rb"([ \t]{0,16}(?::[ \t]*[A-Za-z_.\[\]|]{2,24}[ \t]+=|=>|:=|=|:|%3[Dd]|%3[Aa]))[ \t]{0,64}"
)
_LONG_RUN = compile_bytes(rb"[\[(]{0,2}[ \t]{0,8}[rbfuRBFU]{0,2}\\{0,15}[\"'`]?[A-Za-z0-9+/_=\-]{20}")
_ELEMENT = compile_bytes(rb"<([A-Za-z0-9_.:\-]*" + _WORDS + rb"[A-Za-z0-9_.\-]*)>([^<>\r\n]+)</")
_SAID = compile_bytes(
    rb"(?i:(password|passphrase|passwd|pwd|secret|token|key)[ \t]+(?:is|was)(?:[ \t]+(?:now|still))?):?[ \t]+"
    rb"[\"'`]?([^\s\"'`]{6,})"
)
_BESIDE = compile_bytes(
    rb"(?i:(password|secret|token|key|credential)s?)[\"'`:]?[ \t]+[\"'`(<]?([A-Za-z0-9+/_\-]{20,}={0,2})"
)
_SQL = compile_bytes(rb"(?i:identified[ \t]+by|password)[ \t]+'([^'\r\n]+)'")
_NETRC = compile_bytes(rb"\blogin[ \t]+\S+[ \t]+password[ \t]+(\S+)")
_GO_DSN = compile_bytes(rb"[A-Za-z0-9_.\-]+:([^\s\"'()]+)@(?:tcp|unix|udp)\(")
_CURL = compile_bytes(rb"\bcurl\b[^\r\n]*?[ \t](?:-u|--user)[ =]*[\"']?[^\s:\"']+:([^\s\"']+)")
# Options by which tools take a password: some have it stand right behind the letter, some after a space.
_MYSQL = compile_bytes(rb"\b(?:mysql|mariadb)[a-z\-]{0,12}[ \t](?:[^\r\n]*?[ \t])?-p[\"']?([^\s\"'\-][^\s\"']*)")
_SSHPASS = compile_bytes(rb"\bsshpass[ \t](?:[^\r\n]*?[ \t])?-p[ \t]*[\"']?([^\s\"']+)")
_REDIS = compile_bytes(rb"\bredis-cli[ \t](?:[^\r\n]*?[ \t])?(?:-a|--pass)[ \t=]+[\"']?([^\s\"']+)")
_ORACLE = compile_bytes(rb"(?i:\boracle:[a-z0-9]{1,8}:)[^\s/@\"'<>]*/[\"']?([^\s\"'<>\\]+)[\"']?@")
_URL = compile_bytes(rb":\\?/\\?/[^\s:/?#@\"'<>\\]*:([^\s/?#\"'<>\\]+)@")
_URL_DATABASE = compile_bytes(
    rb"(?i:postgres|postgresql|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb|nats)"
    rb"(?:\+[a-z0-9_]+)?:\\?/\\?/[^\s:/?#@\"'<>\\]*:([^\s\"'<>\\]+)@"
)
_URL_TOKEN = compile_bytes(rb":\\?/\\?/([A-Za-z0-9_\-]{20,})@")
_PORT = compile_bytes(rb"[0-9]{1,5}(?:[/,;|)]|$)")
_BEARER = compile_bytes(rb"(?i:\bbearer)[ \t]+([A-Za-z0-9._~+/=\-]{8,})")
_BASIC = compile_bytes(rb"(?i:\bbasic)[ \t]+([A-Za-z0-9+/_\-]{4,}={0,2})")
_DOCKER_AUTH = compile_bytes(rb"(?i:auth)\\*[\"'][ \t]*:[ \t]*\\*[\"']([A-Za-z0-9+/_\-]{4,}={0,2})")
_SCHEME = compile_bytes(
    rb"(?i:(bearer|basic|token|apikey|bot|splunk|sso-key|ssws|geniekey|negotiate|ntlm)|"
    rb"digest|hmac|hawk|aws4-hmac-sha256|signature|oauth)[ \t]+"
)
_REST = run_of(rb"^\"'`\r\n\\")
_REST_OF_SCALAR = run_of(rb"^\"'`\r\n\\#{}")
_BLANK_WIDTH = 64
"""Bytes within which a line of placeholders ends if one is to be passed over; a longer one is only looked at again."""
# In running text and in test reports these are words; before an equals sign or in quotes they name a password.
_SHORT_NAMES = ("pass", "pw")

_SINGLE: tuple[tuple[bytes, Any, str], ...] = (
    (b"'", _SQL, "password"),
    (b"login", _NETRC, "password"),
    (b"(", _GO_DSN, "url-password"),
    (b"curl", _CURL, "password"),
    (b"-p", _MYSQL, "password"),
    (b"sshpass", _SSHPASS, "password"),
    (b"redis-cli", _REDIS, "password"),
    (b"@", _ORACLE, "url-password"),
)


def find_assigned(data: bytes, *, again: bool = False) -> Iterator[Span]:
    """Yield every secret in these lines that something beside it gives away.

    `again` says that secrets were replaced here before: a value that is nothing but their placeholders is none.
    """
    yield from _named(data, again=again)
    yield from _elements(data)
    yield from _sentences(data)
    yield from _urls(data)
    yield from _headers(data)
    for literal, pattern, kind in _SINGLE:
        if literal in data:
            yield from _unless_harmless(data, pattern, kind)


def named_span(data: bytes, name: str, start: int, *, spoken: bool, colon: bool) -> Span | None:
    """Return the secret that a field of this name holds in the value that begins at `start`, if it is one.

    `spoken` says that the name stands in running text, where the value may just be the next word. `colon` says that
    a colon precedes the value, as in Kubernetes' own fields, whose `secret:` is an object's name.
    """
    kind = kind_of(name)
    if kind is None and not may_hold_key(name):
        return None
    if kind == "authorization":
        return _authorization(data, start)
    if kind is None and _LONG_RUN.match(data, start) is None:
        return None
    found = value_at(data, start)
    value = data[found.start : found.end]
    if kind is None:
        if not looks_random(value):
            return None
        kind = "key"
    elif not found.cut and not _is_secret(kind, name, value, quoted=found.quoted, spoken=spoken, colon=colon):
        return None
    if found.cut:
        found = whole_value_at(data, start)
    end = found.end
    if not found.quoted and (kind == "cookie" or (kind == "password" and colon and not spoken)):
        rest = (_REST if kind == "cookie" else _REST_OF_SCALAR).match(data, found.start)
        end = max(end, found.start + len(rest.group().rstrip())) if rest is not None else end
    return Span(found.start, end, kind)


def _is_secret(kind: str, name: str, value: bytes, *, quoted: bool, spoken: bool, colon: bool) -> bool:
    if is_harmless(value) or (not quoted and is_code(value)):
        return False
    if kind == "password":
        return True
    if len(value) < 4 or (value.isdigit() and len(value) < 8) or (quoted and is_sentence(value)):
        return False
    if colon and name.lower() == "secret" and is_object_name(value):
        return False
    return not (spoken and value.isalpha())


def _named(data: bytes, *, again: bool) -> Iterator[Span]:
    done = 0
    for match in _NAMED.finditer(data):
        start = match.end()
        following = data[start : start + 1]
        if start < done or following in (b"=", b":") or (again and following == BLANK and _is_blank(data, start)):
            continue
        first, last = match.span(1)
        name = data[max(first, last - 128) : last].decode("ascii")
        quoted, separator = match[2], match[3]
        colon = separator.endswith(b":")
        if name.lower() in _SHORT_NAMES and (quoted or not colon) and not data[start : start + 1].isdigit():
            name = "password"
        if kind_of(name) is None and not may_hold_key(name):
            continue
        spaced = colon or separator[:1] in b" \t"
        spoken = spaced and not quoted and not _starts_line(data, match.start())
        span = named_span(data, name, start, spoken=spoken, colon=colon)
        if span is not None:
            yield span
            done = span.end


def _is_blank(data: bytes, start: int) -> bool:
    end = data.find(b"\n", start, start + _BLANK_WIDTH)
    return end >= 0 and not data[start:end].strip(BLANK)


def _starts_line(data: bytes, position: int) -> bool:
    before = data[max(0, position - 64) : position]
    newline = before.rfind(b"\n")
    if newline < 0 and position > 64:
        return False
    return not before[newline + 1 :].strip(b" \t\r-+#>*|\"'{[(\\")


def _authorization(data: bytes, start: int) -> Span | None:
    found = value_at(data, start)
    scheme = _SCHEME.match(data, found.start)
    if scheme is None:
        value = data[found.start : found.end]
        if found.cut or _is_secret("token", "", value, quoted=found.quoted, spoken=True, colon=True):
            return Span(found.start, whole_value_at(data, start).end, "authorization")
        return None
    begin = scheme.end()
    if scheme.group(1):
        end = whole_value_at(data, begin).end
    else:
        rest = _REST.match(data, begin)
        end = rest.end() if rest is not None else begin
    if end - begin <= LOOK and is_harmless(data[begin:end]):
        return None
    return Span(begin, end, "authorization")


def _elements(data: bytes) -> Iterator[Span]:
    if b"</" not in data:
        return
    for match in _ELEMENT.finditer(data):
        kind = kind_of(match.group(1)[-128:].decode("ascii"))
        start, end = match.span(2)
        if kind is not None and not is_harmless(data[start : min(end, start + LOOK)]):
            yield Span(start, end, kind)


def _sentences(data: bytes) -> Iterator[Span]:
    for match in _SAID.finditer(data):
        found = value_at(data, match.start(2))
        value = data[found.start : found.end]
        plain = value.isalpha() or value.isdigit() or is_object_name(value) or is_harmless(value) or is_code(value)
        if found.cut or not plain:
            end = whole_value_at(data, match.start(2)).end
            yield Span(found.start, end, kind_of(match.group(1).decode("ascii")) or "key")
    for match in _BESIDE.finditer(data):
        start, end = match.span(2)
        if looks_random(data[start:end]):
            yield Span(start, end, kind_of(match.group(1).decode("ascii")) or "key")


def _urls(data: bytes) -> Iterator[Span]:
    if b"@" not in data:
        return
    for pattern in (_URL, _URL_DATABASE):
        for match in pattern.finditer(data):
            start, end = match.span(1)
            value = data[start : min(end, start + LOOK)]
            if not is_harmless(value) and _PORT.match(value) is None:
                yield Span(start, end, "url-password")
    for match in _URL_TOKEN.finditer(data):
        start, end = match.span(1)
        value = data[start:end]
        if looks_random(value) or (len(value) >= 32 and not value.strip(b"0123456789abcdef")):
            yield Span(start, end, "url-token")


def _headers(data: bytes) -> Iterator[Span]:
    for match in _BEARER.finditer(data):
        start, end = match.span(1)
        value = data[start : min(end, start + LOOK)]
        if len(value) >= 20 or not value.replace(b"-", b"").replace(b"_", b"").isalpha():
            yield Span(start, end, "authorization")
    for pattern in (_BASIC, _DOCKER_AUTH):
        for match in pattern.finditer(data):
            start, end = match.span(1)
            if decodes_to_login(data[start:end]):
                yield Span(start, end, "basic-auth", True)


def _unless_harmless(data: bytes, pattern: Any, kind: str) -> Iterator[Span]:
    for match in pattern.finditer(data):
        start, end = match.span(1)
        if not is_harmless(data[start : min(end, start + LOOK)]):
            yield Span(start, end, kind)
