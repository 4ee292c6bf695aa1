"""The one pass over a log: bytes in, a bounded memory of what was said, how often, when and where.

Lines are told apart by a key made in bulk: the line without its hexadecimal digits. A key seen before costs a
dictionary look-up; only a new one is read closely (header, shape, kind, loudness). So lines that differ in numbers and
ids only are one to us, and a line costs about a microsecond.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count, repeat
from typing import Any, Final, NamedTuple

from bot.condense.logs.clock import instant
from bot.condense.logs.grouping import group
from bot.condense.logs.header import RANK, Header, header
from bot.condense.logs.plain import LONGEST, plain
from bot.condense.logs.shape import STAR, Shape, shape
from bot.condense.logs.signs import ERROR, loudness
from bot.condense.logs.structured import fields
from bot.condense.logs.trace import Follower, Kind, kind

_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"
_DIGITS: Final = b"0123456789"
_HEX_WORDS: Final = rb"\b(?:dead|bad|DEAD|BAD|Dead|Bad)\b"
_SHORT: Final = 12
"""Bytes of a key; a shorter one would be shared by lines that have little in common."""
_NEW: Final = -1
_STAMP_WITHIN: Final = 4096
"""Bytes of a line in which its time is looked for."""
_SMALLEST: Final = 8_192
_LARGEST: Final = 262_144
"""Bytes of a block: small at first, so that a short log has a rate over time too."""
BINS: Final = 64
RAW: Final = 8 << 20
"""Bytes of the newest blocks that are kept whole; a log no longer than this is kept whole."""
WHOLE: Final = 20_000
"""Lines of a log that is kept line by line; of a longer one what is frequent is kept by example."""
KEPT: Final = 6 << 20
"""Bytes of older lines that are kept since they were rare or near something rare."""
RARE: Final = 12
"""A message seen no more often than this is kept with its neighbours wherever it stood."""
NEIGHBOURS: Final = 5
SAMPLES: Final = 32
"""Lines kept of each message in its first block and one of each block after; thinned to twice this."""
SAMPLE_BYTES: Final = 6 << 20
"""Bytes of samples from which on a message keeps only its first, cut to ``SHORTENED``."""
SHORTENED: Final = 256
_KEYS: Final = 200_000
_KEY_BYTES: Final = 16 << 20
SHAPES: Final = 8_000
"""Distinct messages before they are grouped on the way."""
CROWDED: Final = 2 * SHAPES
"""Distinct messages after grouping from which on a new one is counted by its first words only."""
IDS: Final = 100_000
"""The same for all ids ever given."""


@dataclass(slots=True, eq=False, repr=False)
class Seen:
    """One distinct message: a shape at one level. ``first`` and ``last`` are line numbers from 1; ``before`` counts the
    same in the baseline; ``bins`` counts it by the slices of ``Reading.slices``."""

    shape: Shape
    level: str
    kind: Kind
    loud: int
    headed: bool
    count: int = 0
    first: int = 0
    last: int = 0
    before: int = 0
    bins: array[int] = field(default_factory=lambda: array("I"))
    samples: list[tuple[int, bytes]] = field(default_factory=list)
    sources: dict[int, int] = field(default_factory=dict)


class Slice(NamedTuple):
    """A stretch of the log: its first line, how many, and the first and last time found in it (microseconds)."""

    first: int
    lines: int
    start: int | None
    end: int | None


class Line(NamedTuple):
    """A line that was kept. ``id`` names its message (see ``Reading.resolve``)."""

    number: int
    id: int
    raw: bytes


class _Block(NamedTuple):
    first: int
    ids: array[int]
    raw: bytes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reading:
    """What is known after the pass. ``seen`` holds live messages by id; ``alias`` maps every id ever given to a live
    one; ``template`` maps a live id to its template's number, templates being numbered by first appearance."""

    lines: int
    records: int
    size: int
    skipped: int
    whole: bool
    seen: dict[int, Seen]
    alias: array[int]
    template: dict[int, int]
    shapes: list[Shape]
    slices: list[Slice]
    sources: list[tuple[str, int]]
    kept: list[Line]
    baseline: int

    def fingerprint(self) -> bytes:
        """Return 32 bytes that depend on the kept lines alone: a key for placeholders that are the same for one log."""
        import hashlib

        digest = hashlib.blake2b(digest_size=32)
        for line in self.kept:
            digest.update(line.raw)
        return digest.digest()

    def resolve(self, number: int) -> int:
        """Return the template of an id as it was given while reading."""
        return self.template[_root(self.alias, number)]


def _root(alias: array[int], number: int) -> int:
    while alias[number] != number:
        number = alias[number]
    return number


class Reader:
    """Feed it blocks of bytes in any portions, then ``finish``. The result depends on the bytes only.

    ``year`` completes times that have none; ``assigned`` is given the ids of each block's lines, in order, to be
    resolved after the end.
    """

    def __init__(self, *, year: int, assigned: Callable[[array[int]], None] | None = None) -> None:
        self._year = year
        self._since: int | None = None
        self._assigned = assigned
        self._pending = bytearray()
        self._searched = 0
        self._overlong = False
        self._keys: dict[bytes, int] = {}
        self._key_bytes = 0
        self._ids: dict[tuple[Shape, str, Kind], int] = {}
        self._seen: dict[int, Seen] = {}
        self._alias: array[int] = array("I")
        self._watched = bytearray()
        self._learned: dict[tuple[int, str], list[int]] = {}
        self._regroup_at = SHAPES
        self._sample_bytes = 0
        self._blocks: deque[_Block] = deque()
        self._raw_bytes = 0
        self._kept: list[Line] = []
        self._kept_bytes = 0
        self._rare = RARE
        self._slices: list[Slice] = []
        self._per_bin = 1
        self._block_count = 0
        self._lines = 0
        self._skipped = 0
        self._bytes = 0
        self._joined = 0
        self._records = Follower()
        self._sources: list[tuple[str, int]] = []
        self._baseline = 0
        self._whole = True

    def source(self, name: str) -> None:
        """Say that what follows comes from ``name`` (a file, a pod and container). Ends the line before it."""
        self._flush()
        self._sources.append((name, self._lines + 1))
        self._records = Follower()

    def skip_before(self, since: int) -> None:
        """Skip what stands before the first line whose time is at or after ``since`` (UTC microseconds)."""
        self._flush()
        self._since = since

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._bytes += len(data)
        if self._overlong:
            newline = data.find(b"\n")
            if newline < 0:
                return
            data = data[newline + 1 :]
            self._overlong = False
        self._pending += data
        while True:
            size = min(max(_SMALLEST, self._bytes_done() // 32), _LARGEST)
            if len(self._pending) < size:
                return
            end = self._pending.rfind(b"\n", 0, size) + 1
            if not end:
                end = self._pending.find(b"\n", max(size, self._searched), _LARGEST) + 1
            if not end and len(self._pending) < _LARGEST:
                self._searched = len(self._pending)
                return
            self._searched = 0
            block = bytes(self._pending[: end - 1] if end else self._pending[:LONGEST])
            if not end:  # the line is overlong: what follows of it goes unread
                end = self._pending.find(b"\n", _LARGEST) + 1
                self._overlong = not end
            del self._pending[: end or None]
            self._block(block)

    def mark_baseline(self) -> None:
        """Say that all so far was the healthy time or pod to compare with: it is remembered, not shown."""
        self._flush()
        self._baseline = self._lines
        for seen in self._seen.values():
            seen.before += seen.count
            seen.count = seen.first = seen.last = 0
            seen.bins = array("I")
            seen.samples = []
            seen.sources = {}
        self._watched = bytearray(b"\x01" * len(self._watched))
        self._sample_bytes = 0
        self._blocks, self._raw_bytes = deque(), 0
        self._kept, self._kept_bytes, self._rare = [], 0, RARE
        self._slices, self._per_bin, self._block_count = [], 1, 0
        self._lines = self._joined = self._bytes = self._skipped = 0
        self._records = Follower()
        self._sources = []
        self._whole = True

    def finish(self) -> Reading:
        """End the last line, group the messages into templates and return what is known."""
        self._flush()
        groups = group(dict.fromkeys(seen.shape for seen in self._seen.values()))
        numbers: dict[Shape, int] = {}
        template: dict[int, int] = {}
        for number, seen in sorted(self._seen.items(), key=lambda item: (item[1].first or 1 << 62, item[0])):
            template[number] = numbers.setdefault(groups[seen.shape], len(numbers))
        totals: Counter[int] = Counter()
        for number, seen in self._seen.items():
            totals[template[number]] += seen.count
        kept = self._kept
        whole = self._whole and self._lines <= WHOLE
        if not whole:
            alias = self._alias
            for block in self._blocks:
                kept.extend(self._select(block, lambda number: totals[template[_root(alias, number)]] <= RARE))
        else:
            for block in self._blocks:
                raw = block.raw.split(b"\n")
                kept.extend(Line(block.first + i, number, raw[i][:LONGEST]) for i, number in enumerate(block.ids))
        return Reading(
            lines=self._lines,
            records=self._lines - self._joined,
            size=self._bytes,
            skipped=self._skipped,
            whole=whole,
            seen=self._seen,
            alias=self._alias,
            template=template,
            shapes=list(numbers),
            slices=self._slices,
            sources=self._sources,
            kept=self._complete(kept),
            baseline=self._baseline,
        )

    def _bytes_done(self) -> int:
        return self._bytes - len(self._pending)

    def _flush(self) -> None:
        self._overlong = False
        self._searched = 0
        if self._pending:
            block = bytes(self._pending)
            self._pending.clear()
            self._block(block.removesuffix(b"\n"))

    def _block(self, block: bytes) -> None:
        """Take a block of whole lines, its last newline removed."""
        lines = block.split(b"\n")
        if self._since is not None:
            lines = self._from(self._since, lines)
            if not lines:
                return
            block = b"\n".join(lines)
        keys = _keys(block, lines)
        ids = list(map(self._keys.get, keys, repeat(_NEW)))
        if _NEW in ids:
            for i, known in enumerate(ids):
                if known == _NEW:
                    ids[i] = self._learn(keys[i], lines[i])
        first = self._lines + 1
        self._lines += len(lines)
        self._count(ids, first, lines)
        packed = array("I", ids)
        self._blocks.append(_Block(first, packed, block))
        self._raw_bytes += len(block)
        while self._raw_bytes > RAW:
            oldest = self._blocks.popleft()
            self._raw_bytes -= len(oldest.raw)
            self._keep(oldest)
        if self._assigned is not None:
            self._assigned(packed)
        if len(self._seen) > self._regroup_at:
            self._regroup()

    def _from(self, since: int, lines: list[bytes]) -> list[bytes]:
        """Drop lines until the first one at or after ``since``; then stop looking."""
        last = self._instant(lines[-1:])
        if last is None or last >= since:
            for i, raw in enumerate(lines):
                when = self._instant([raw])
                if when is not None and when >= since:
                    self._since = None
                    self._skipped += i
                    return lines[i:]
        self._skipped += len(lines)
        return []

    def _learn(self, key: bytes, raw: bytes) -> int:
        """Read a line closely and return the id of its message."""
        known = self._keys.get(key)
        if known is not None:
            return known
        head, message, shown = read(plain(raw))
        form = shape(message)
        what = kind(shown)
        number = self._ids.get((form, head.level, what))
        if number is None:
            number = self._absorb(form, head, what) if self._learned else None
        if number is None:
            loud = loudness(shown, head.level)
            if len(self._seen) >= CROWDED or len(self._alias) >= IDS:
                number = self._coarse(form, "error" if loud >= ERROR else head.level, what, loud)
            else:
                number = self._new(form, head.level, what, loud)
        if len(self._keys) >= _KEYS or self._key_bytes > _KEY_BYTES:
            self._keys.clear()
            self._key_bytes = 0
        self._keys[key] = number
        self._key_bytes += len(key)
        return number

    def _new(self, form: Shape, level: str, what: Kind, loud: int) -> int:
        number = len(self._alias)
        self._alias.append(number)
        self._watched.append(1)
        self._ids[form, level, what] = number
        self._seen[number] = Seen(form, level, what, loud, bool(level))
        return number

    def _coarse(self, form: Shape, level: str, what: Kind, loud: int) -> int:
        """Return the id for all messages that begin like this one, or for all others: there are too many kinds."""
        rough = (*form[:3], STAR)
        if (rough, level, what) not in self._ids and len(self._seen) >= CROWDED + SHAPES:
            rough = (STAR,)
        number = self._ids.get((rough, level, what))
        return self._new(rough, level, what, loud) if number is None else number

    def _absorb(self, form: Shape, head: Header, what: Kind) -> int | None:
        """Find a template learned on the way that this shape fits."""
        for number in self._learned.get(_entry(form), ()):
            seen = self._seen[number]
            if (
                seen.level == head.level
                and seen.kind == what
                and len(seen.shape) == len(form)
                and all(a in (b, STAR) for a, b in zip(seen.shape, form, strict=True))
            ):
                return number
        return None

    def _count(self, ids: list[int], first: int, lines: list[bytes]) -> None:
        slot = self._block_count // self._per_bin
        if slot >= BINS:
            self._halve()
            slot = self._block_count // self._per_bin
        self._block_count += 1
        start, end = self._instant(lines[:20]), self._instant(lines[:-21:-1])
        if slot < len(self._slices):
            old = self._slices[slot]
            self._slices[slot] = Slice(old.first, old.lines + len(ids), old.start or start, end or old.end)
        else:
            self._slices.append(Slice(first, len(ids), start, end))
        source = len(self._sources) - 1
        counts = Counter(ids)
        lasts = dict(zip(ids, count(first)))
        for number, last in lasts.items():
            seen = self._seen[number]
            seen.count += counts[number]
            seen.last = max(seen.last, last)
            bins = seen.bins
            if len(bins) <= slot:
                bins.extend([0] * (slot + 1 - len(bins)))
            bins[slot] += counts[number]
            if source >= 0:
                seen.sources[source] = seen.sources.get(source, 0) + counts[number]
            if not self._watched[number]:
                self._sample(seen, last, lines[last - first])
        watched = self._watched
        self._follow(ids, [i for i, number in enumerate(ids) if watched[number]], first, lines)

    def _follow(self, ids: list[int], places: list[int], first: int, lines: list[bytes]) -> None:
        """Look at each line whose message is new, or may belong to a trace; count those that continue a record."""
        before = -1
        seen_by_id, watched, records = self._seen, self._watched, self._records
        for i in places:
            number = ids[i]
            seen = seen_by_id[number]
            if not seen.first:
                seen.first = first + i
            if len(seen.samples) < SAMPLES and (self._sample_bytes < SAMPLE_BYTES or not seen.samples):
                self._sample(seen, first + i, lines[i])
            elif seen.kind is Kind.PLAIN:
                watched[number] = 0
            if i != before + 1 and i:
                above = seen_by_id[ids[i - 1]]
                records.continues(Kind.PLAIN, severe=above.loud >= ERROR, headed=above.headed)
            before = i
            if records.continues(seen.kind, severe=seen.loud >= ERROR, headed=seen.headed):
                self._joined += 1
        if before != len(ids) - 1:
            above = seen_by_id[ids[-1]]
            records.continues(Kind.PLAIN, severe=above.loud >= ERROR, headed=above.headed)

    def _at(self, number: int) -> Seen:
        return self._seen.get(number) or self._seen[_root(self._alias, number)]

    def _sample(self, seen: Seen, number: int, raw: bytes) -> None:
        samples = seen.samples
        crowded = self._sample_bytes >= SAMPLE_BYTES
        if samples and (crowded or samples[-1][0] >= number):
            return
        raw = raw[: SHORTENED if crowded else LONGEST]
        samples.append((number, raw))
        self._sample_bytes += len(raw)
        if len(samples) > 2 * SAMPLES:
            self._sample_bytes -= sum(len(sample[1]) for sample in samples[SAMPLES // 2 :: 2])
            del samples[SAMPLES // 2 :: 2]

    def _instant(self, lines: list[bytes]) -> int | None:
        """Return the first instant found on these lines. Gives up after three times that are none."""
        tried = 0
        for raw in lines:
            stamp = read(plain(raw[:_STAMP_WITHIN])).head.time
            if stamp:
                when = instant(stamp, self._year)
                tried += 1
                if when is not None or tried == 3:
                    return when
        return None

    def _halve(self) -> None:
        """Join the slices two by two, so that a log of any length has at most ``BINS``."""
        self._per_bin *= 2
        pairs = [self._slices[i : i + 2] for i in range(0, len(self._slices), 2)]
        self._slices = [
            Slice(p[0].first, sum(s.lines for s in p), p[0].start or p[-1].start, p[-1].end or p[0].end) for p in pairs
        ]
        for seen in self._seen.values():
            bins = seen.bins
            if len(bins) % 2:
                bins.append(0)
            seen.bins = array("I", [bins[i] + bins[i + 1] for i in range(0, len(bins), 2)])

    def _regroup(self) -> None:
        """Group what was seen so far, so that the memory of messages stays bounded."""
        forms = dict.fromkeys(seen.shape for seen in self._seen.values())
        groups = group(forms)
        if len(set(groups.values())) > SHAPES // 2:
            groups = group(forms, coarse=True)
        homes: dict[tuple[Shape, str, Kind], int] = {}
        for number, seen in list(self._seen.items()):
            target = (groups[seen.shape], seen.level, seen.kind)
            home = homes.setdefault(target, number)
            if home == number:
                continue
            self._alias[number] = home
            self._merge(self._seen[home], self._seen.pop(number))
        self._ids = {}
        self._learned = {}
        for (form, level, what), number in homes.items():
            self._seen[number].shape = form
            self._ids[form, level, what] = number
            if STAR in form:
                self._learned.setdefault(_entry(form), []).append(number)
        for key, number in self._keys.items():
            self._keys[key] = _root(self._alias, number)
        self._regroup_at = len(self._seen) + SHAPES if len(self._seen) < CROWDED else sys.maxsize

    def _merge(self, into: Seen, other: Seen) -> None:
        into.count += other.count
        into.first = min(into.first or other.first, other.first or into.first)
        into.last = max(into.last, other.last)
        into.before += other.before
        into.loud = max(into.loud, other.loud)
        longer, shorter = (into.bins, other.bins) if len(into.bins) >= len(other.bins) else (other.bins, into.bins)
        for i, n in enumerate(shorter):
            longer[i] += n
        into.bins = longer
        for source, n in other.sources.items():
            into.sources[source] = into.sources.get(source, 0) + n
        both = sorted({*into.samples, *other.samples})
        into.samples = both[:SAMPLES]
        self._sample_bytes -= sum(len(raw) for _, raw in both[SAMPLES:])

    def _keep(self, block: _Block) -> None:
        self._whole = False
        lines = list(self._select(block, lambda number: self._at(number).count <= self._rare))
        self._kept.extend(lines)
        self._kept_bytes += sum(len(line.raw) for line in lines)
        while self._kept_bytes > KEPT:
            self._tighten()

    def _tighten(self) -> None:
        """Make room among the older lines: drop those that are rare no more, then ask for more, then every second."""
        self._regroup()
        fresh = [line for line in self._kept if self._at(line.id).count <= self._rare]
        if len(fresh) > len(self._kept) // 2:
            self._rare = max(1, self._rare // 2)
            loud = [line for line in fresh if self._at(line.id).loud >= ERROR]
            fresh = loud if 0 < len(loud) <= len(fresh) // 2 else fresh[::2]
        self._kept = fresh
        self._kept_bytes = sum(len(line.raw) for line in fresh)

    def _select(self, block: _Block, rare: Callable[[int], bool]) -> Iterator[Line]:
        """Yield the lines of a block that are rare and their neighbours."""
        ids = block.ids
        wanted = {number for number in set(ids) if rare(number)}
        places = [i for i, number in enumerate(ids) if number in wanted] if wanted else []
        if not places:
            return
        raw = block.raw.split(b"\n")
        done = 0
        for place in places:
            for i in range(max(done, place - NEIGHBOURS), min(place + NEIGHBOURS + 1, len(raw))):
                yield Line(block.first + i, ids[i], raw[i][:LONGEST])
            done = max(done, min(place + NEIGHBOURS + 1, len(raw)))

    def _complete(self, kept: list[Line]) -> list[Line]:
        """Add the first and last sample of every message to the kept lines, and put all in order."""
        have = {line.number for line in kept}
        for number, seen in self._seen.items():
            for at, raw in (*seen.samples[:1], *seen.samples[-1:]):
                if at not in have:
                    have.add(at)
                    kept.append(Line(at, number, raw))
        return sorted(kept, key=lambda line: line.number)


@cache
def _hex_words() -> Any:
    """Compile the pattern with RE2: it runs over every byte, five times as fast as ``re``."""
    import re2

    return re2.compile(_HEX_WORDS)


def _keys(block: bytes, lines: list[bytes]) -> list[bytes]:
    """Return what tells the lines apart: each without its hexadecimal digits.

    Of a very short line too little would be left, so only decimal digits go there; and the words of trouble that are
    made of hexadecimal letters stay.
    """
    keys = block.translate(None, _HEX_DIGITS).split(b"\n")
    if min(map(len, keys)) < _SHORT:
        keys = [
            key if len(key) >= _SHORT else line[:LONGEST].translate(None, _DIGITS)
            for key, line in zip(keys, lines, strict=True)
        ]
    line = at = 0
    for found in _hex_words().finditer(block):
        line += block.count(b"\n", at, found.start())
        at = found.start()
        keys[line] += found.group().lower()
    if max(map(len, keys)) > LONGEST:
        keys = [key[:LONGEST] for key in keys]
    return keys


def _entry(form: Shape) -> tuple[int, str]:
    return len(form), form[0] if form else ""


class Parsed(NamedTuple):
    """A plain line taken apart: its header, the message it is grouped by, and what of it is shown."""

    head: Header
    message: str
    shown: str


def read(text: str) -> Parsed:
    """Take a plain line apart. Never raises."""
    head = header(text)
    rest = text[head.message :]
    found = fields(rest) if rest.startswith("{") or "=" in rest else None
    if found is None:
        return Parsed(head, rest, text[head.shown :])
    level = found.level if RANK[found.level] > RANK[head.level] else head.level
    head = head._replace(level=level, time=head.time or found.time)
    return Parsed(head, found.message, text[head.shown :] if found.shown is None else found.shown)
