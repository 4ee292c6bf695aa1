"""Secrets that take several lines: PEM keys, Kubernetes Secrets, block scalars, name/value pairs, wrapped tokens."""

from bisect import bisect_right
from collections.abc import Callable, Iterator

from bot.redact.assignments import named_span
from bot.redact.names import kind_of
from bot.redact.patterns import compile_bytes
from bot.redact.spans import Span
from bot.redact.values import LOOK, is_harmless, whole_value_at

PEM_REACH = 16 << 10
"""Bytes within which a key's END line is looked for: an 8192-bit RSA key takes 6.4 KB."""

_PEM_BEGIN = compile_bytes(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = compile_bytes(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_HEADERS = rb"(?:(?:Proc-Type|DEK-Info|Version|Comment): ?[^\r\n\\]*)"
_PEM_BREAK = rb"(?:[\s\"'+,>|\-]|\\+[nrt])"
_PEM_TRUNCATED = compile_bytes(
    rb"(?:" + _PEM_BREAK + rb"*(?:" + _PEM_HEADERS + rb"|[A-Za-z0-9+/=]{16,}))*"
    rb"(?:" + _PEM_BREAK + rb"{1,16}[A-Za-z0-9+/=]{1,15}(?:[\r\n\"'\\]|$))?"
)
_AWS_PAIR = compile_bytes(
    rb"A[KS]IA[A-Z0-9]{16}(?:[\s,:;|\"'=]|[A-Za-z_]{3,24}[ \t]*[=:]){1,12}([A-Za-z0-9+/]{40})(?:$|[^A-Za-z0-9+/=])"
)
_PAIR = compile_bytes(
    rb"\b(?i:name|key|header)\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?([A-Za-z0-9_.\-]+)\\*[\"']?[ \t]*,?"
    rb"(?:\\+n|[\s+\-]){0,80}\\*[\"']?(?i:value)\\*[\"']?[ \t]*[:=][ \t]*"
)
_FLAG = compile_bytes(
    rb"(?:^|[\s\"'\[,=(])--?([A-Za-z0-9\-]*(?i:password|passwd|passphrase|token|secret|api-?key|access-?key))"
    rb"(?:[ \t]+|[\"']?,[ \t]*|[\"']?,?\s*\n\s*(?:-[ \t]+)?)[\"']?([^\s\"'\-,][^\s\"',]*)"
)
_BLOCK_SCALAR = compile_bytes(rb"(?:^|\n)([^\n]*?)([A-Za-z0-9_.\-]+)[\"']?:[ \t]*[|>][+\-0-9]{0,2}[ \t]*\r?\n")
_KIND_YAML = compile_bytes(rb"(?:^|\n)([ \t+\-]*)[\"']?kind[\"']?:[ \t]*[\"']?Secret[\"']?[ \t]*(?:\r?\n|$)")
_KIND_JSON = compile_bytes(rb"\\*\"kind\\*\"\s*:\s*\\*\"Secret\\*\"")
_DATA_YAML = compile_bytes(rb"([ \t+\-]*)(?:data|stringData):[ \t]*\r?")
_ENTRY_YAML = compile_bytes(rb"[ \t+\-]*[\"']?[A-Za-z0-9_.\-]+[\"']?:[ \t]*")
_DATA_JSON = compile_bytes(rb"\\*\"(?:data|stringData)\\*\"\s*:\s*\{")
_KEY_JSON = compile_bytes(rb"[\s,]*(?:\\n\s*)?\\*\"[^\"\\]*\\*\"\s*:\s*")
_QUOTE = compile_bytes(rb"\\*\"")


def find_blocks(data: bytes) -> Iterator[Span]:
    """Yield every secret that takes, or is given away by, more than one line."""
    if b"PRIVATE KEY" in data:
        yield from _pem_keys(data)
    if b"Secret" in data:
        yield from _secrets_yaml(data)
        yield from _secrets_json(data)
    if b"AKIA" in data or b"ASIA" in data:
        for match in _AWS_PAIR.finditer(data):
            start, end = match.span(1)
            yield Span(start, end, "aws-key", True)
    if b"alue" in data:
        for match in _PAIR.finditer(data):
            name = match.group(1)[-128:].decode("ascii")
            span = named_span(data, name, match.end(), spoken=False, colon=False)
            if span is not None:
                yield span
    if b"-" in data:
        for match in _FLAG.finditer(data):
            name = match.group(1)[-128:].decode("ascii")
            span = named_span(data, name, match.start(2), spoken=True, colon=True)
            if span is not None:
                yield span
    if b"|" in data or b">" in data:
        yield from _block_scalars(data)


def find_wrapped(data: bytes, find: Callable[[bytes], Iterator[Span]]) -> Iterator[Span]:
    """Yield what `find` sees only once the line breaks, and the white space around them, are taken out."""
    lines = data.split(b"\n")
    if len(lines) == 1:
        return
    stripped = [line.strip(b" \t\r") for line in lines]
    spans = list(find(b"".join(stripped)))
    if not spans:
        return
    starts, offsets, joined, original = [], [], 0, 0
    for line, text in zip(lines, stripped, strict=True):
        if text:
            starts.append(joined)
            offsets.append(original + line.find(text))
        joined += len(text)
        original += len(line) + 1
    for span in spans:
        first = bisect_right(starts, span.start) - 1
        last = bisect_right(starts, span.end - 1) - 1
        if first != last:
            start = offsets[first] + span.start - starts[first]
            end = offsets[last] + span.end - starts[last]
            yield Span(start, end, span.kind, span.precise, span.value)


def _pem_keys(data: bytes) -> Iterator[Span]:
    done = 0
    for begin in _PEM_BEGIN.finditer(data):
        if begin.start() < done:
            continue
        reach = min(len(data), begin.end() + PEM_REACH)
        end = _PEM_END.search(data, begin.end(), reach)
        again = _PEM_BEGIN.search(data, begin.end(), reach)
        if end is not None and (again is None or end.start() < again.start()):
            done = end.end()
        else:
            done = _PEM_TRUNCATED.match(data, begin.end()).end()
            while data[done - 1 : done] in (b"\r", b"\n", b'"', b"'", b"\\"):
                done -= 1
        yield Span(begin.start(), done, "private-key", True)


def _secrets_yaml(data: bytes) -> Iterator[Span]:
    kinds = [(match.start(1), len(match.group(1))) for match in _KIND_YAML.finditer(data)]
    if not kinds:
        return
    lines, starts, position = data.split(b"\n"), [], 0
    for line in lines:
        starts.append(position)
        position += len(line) + 1
    done = -1
    for where, indent in kinds:
        row = bisect_right(starts, where) - 1
        if row <= done:
            continue
        first, last = row, row + 1
        while first > done + 1 and not _begins_item(lines[first], indent) and _belongs(lines[first - 1], indent):
            first -= 1
        while last < len(lines) and _belongs(lines[last], indent) and not _begins_item(lines[last], indent):
            last += 1
        done = last - 1
        yield from _data_entries(lines[first:last], starts[first:last], indent)


def _data_entries(lines: list[bytes], starts: list[int], indent: int) -> Iterator[Span]:
    inside = False
    for line, start in zip(lines, starts, strict=True):
        if not line.strip():
            continue
        if _indent(line) <= indent:
            inside = _DATA_YAML.fullmatch(line) is not None
        elif inside:
            entry = _ENTRY_YAML.match(line)
            low = entry.end() if entry is not None else _indent(line)
            value = whole_value_at(line, low)
            low, high = (value.start, value.end) if value.quoted else (low, len(line.rstrip()))
            if not is_harmless(line[low:high]):
                yield Span(start + low, start + high, "kubernetes-secret")


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t+-"))


def _begins_item(line: bytes, indent: int) -> bool:
    return _indent(line) == indent and line[:indent].rstrip(b" ").endswith(b"-") and indent >= 2


def _belongs(line: bytes, indent: int) -> bool:
    return not line.strip() or (_indent(line) >= indent and line.strip() != b"---")


def _secrets_json(data: bytes) -> Iterator[Span]:
    if b"Data" not in data and b"data" not in data:
        return
    if _KIND_JSON.search(data) is None:
        return
    for head in _DATA_JSON.finditer(data):
        key = _KEY_JSON.match(data, head.end())
        while key is not None:
            value = whole_value_at(data, key.end())
            if value.end - value.start > LOOK or not is_harmless(data[value.start : value.end]):
                yield Span(value.start, value.end, "kubernetes-secret")
            closing = _QUOTE.match(data, value.end)
            key = _KEY_JSON.match(data, closing.end()) if closing is not None else None


def _block_scalars(data: bytes) -> Iterator[Span]:
    done = 0
    for match in _BLOCK_SCALAR.finditer(data):
        kind = kind_of(match.group(2)[-128:].decode("ascii"))
        if kind is None or match.end() < done:
            continue
        indent = _indent(match.group(1) + match.group(2))
        start = end = match.end()
        while end < len(data):
            stop = data.find(b"\n", end)
            line = data[end : stop if stop >= 0 else len(data)]
            if line.strip() and _indent(line) <= indent:
                break
            end += len(line) + 1
        done = end = min(end, len(data))
        block = data[start:end]
        if block.strip():
            start += len(block) - len(block.lstrip())
            yield Span(start, end - (len(block) - len(block.rstrip())), kind)
