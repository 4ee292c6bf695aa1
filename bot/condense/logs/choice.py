"""Which lines to show first: every kept line gets a worth, and the order of worth is the same for every budget.

Signals are weighed by how much they tell in this very log, in bits. Where every third line says ``error`` that word
tells little, and being rare tells much; in a build log nearly every line is unique, and the word tells all. So one rule
serves both. A line near a worthy one is worth a part of it, and each repetition of a message less than the one before.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from bot.condense.logs.plain import plain
from bot.condense.logs.reader import Reading, read
from bot.condense.logs.signs import ERROR, FATAL, QUIET, WARNING, is_red, loudness
from bot.condense.logs.structured import fields
from bot.condense.logs.trace import Kind, Records, kind

LOUD: Final = {WARNING: 0.4, ERROR: 1.0, FATAL: 1.25}
RARE: Final = 1.0
NEW: Final = 0.6
TRACE: Final = 2.0
BURST: Final = 1.0
UNSEEN: Final = 8.0
REPEAT: Final = 1.6
BEFORE: Final = 1.0
STEP_BEFORE: Final = 0.7
AFTER: Final = 2.0
STEP_AFTER: Final = 1.0
LENGTH: Final = 0.7
COMMON: Final = 1.5
CAP: Final = 11.0
EXIT = re.compile(r"##\[error\]|\bexit(?:ed)?\b.{0,30}\b[1-9]\d{0,2}\b", re.I)


class Shown(NamedTuple):
    """A line as it is shown: number, text without its time, and what time it carried."""

    number: int
    text: str
    time: str


class Record(NamedTuple):
    """One line, or a trace with all of its lines. ``worth`` is in bits, the most worthy first."""

    lines: tuple[Shown, ...]
    template: int
    loud: int
    worth: float


def records(reading: Reading) -> list[Record]:
    """Return every kept record, the most worthy first. Deterministic."""
    totals: Counter[int] = Counter()
    for number, seen in reading.seen.items():
        totals[reading.template[number]] += seen.count
    raw = _assemble(reading, totals)
    own = _weigh(reading, raw, totals)
    worth = _spread(raw, own, [COMMON * math.log2(max(1, totals[template])) for _, template, _ in raw])
    ranked = []
    for (lines, template, loud), value in zip(raw, worth, strict=True):
        size = sum(len(line.text) for line in lines)
        ranked.append(Record(lines, template, loud, value - LENGTH * math.log2(1 + size / 120)))
    ranked.sort(key=lambda record: (-record.worth, record.lines[0].number))
    return ranked


def _assemble(reading: Reading, totals: Mapping[int, int]) -> list[tuple[tuple[Shown, ...], int, int]]:
    found: list[tuple[list[Shown], int, int]] = []
    follow = Records()
    before = 0
    script = False
    for line in reading.kept:
        text = plain(line.raw)
        head, _ = read(text)
        shown = text[head.shown :]
        what = kind(shown)
        loud = loudness(shown, head.level)
        if shown.startswith("##[group]"):
            script = shown.startswith("##[group]Run ")
        elif shown.startswith("##[endgroup]"):
            script = False
        if script:
            loud = QUIET
        elif is_red(line.raw):
            loud = max(loud, ERROR)
        if line.number != before + 1:
            follow = Records()
        before = line.number
        joined = follow.continues(what, severe=loud >= ERROR, headed=bool(head.level))
        if shown.startswith("{"):
            parsed = fields(shown)
            shown = (parsed.shown or shown) if parsed else shown
        item = Shown(line.number, shown.rstrip(), head.time)
        if joined and found:
            lines, template, most = found[-1]
            lines.append(item)
            if what not in (Kind.INDENTED, Kind.BLANK):
                template = min(template, reading.resolve(line.id), key=totals.__getitem__)
            found[-1] = (lines, template, max(most, loud))
        else:
            found.append(([item], reading.resolve(line.id), loud))
    return [(tuple(lines), template, loud) for lines, template, loud in found]


def _weigh(
    reading: Reading, raw: Sequence[tuple[tuple[Shown, ...], int, int]], totals: Mapping[int, int]
) -> list[float]:
    before: Counter[int] = Counter()
    first: dict[int, int] = {}
    bins: dict[int, list[int]] = {}
    loud_lines = [0, 0, 0, 0]
    for number, seen in reading.seen.items():
        template = reading.template[number]
        before[template] += seen.before
        if seen.count:
            first[template] = min(first.get(template, seen.first), seen.first)
            loud_lines[seen.loud] += seen.count
            counts = bins.setdefault(template, [0] * 64)
            for i, n in enumerate(seen.bins):
                counts[i] += n
    all_lines = max(1, reading.lines)
    as_rare = _as_rare(totals.values())
    late = _late(first, totals)
    loud_bits = [0.0] * 4
    for level in (WARNING, ERROR, FATAL):
        as_loud = sum(loud_lines[level:])
        loud_bits[level] = LOUD[level] * min(CAP, math.log2(all_lines / max(1, as_loud)))
    end = max((lines[0].number for lines, _, loud in raw if loud == FATAL and EXIT.search(lines[0].text)), default=0)
    slices = max(1, len(reading.slices))
    seen_times: Counter[int] = Counter()
    worth = []
    for lines, template, loud in raw:
        total = totals[template]
        value = loud_bits[loud]
        value += RARE * min(CAP, math.log2(all_lines / max(1, as_rare[total])))
        if not end or lines[0].number <= end:
            value += NEW * min(CAP, math.log2(all_lines / max(1, late[template])))
        if len(lines) > 1:
            value += TRACE
        if total >= 20 and slices >= 8:
            value += BURST * max(0.0, math.log2(max(bins[template]) / total * slices) - 1)
        if reading.baseline and not before[template]:
            value += UNSEEN
        value -= REPEAT * math.log2(1 + seen_times[template])
        seen_times[template] += 1
        if not any(line.text for line in lines):
            value = -99.0
        worth.append(value)
    return worth


def _as_rare(totals: Iterable[int]) -> dict[int, int]:
    """Map each count to the lines whose message is at most as frequent."""
    lines: dict[int, int] = {}
    running = 0
    for total, messages in sorted(Counter(totals).items()):
        running += total * messages
        lines[total] = running
    return lines


def _late(first: Mapping[int, int], totals: Mapping[int, int]) -> dict[int, int]:
    """Map each template to the lines whose message was first seen no earlier."""
    late: dict[int, int] = {}
    running = 0
    for template in sorted(first, key=lambda template: -first[template]):
        running += totals[template]
        late[template] = running
    return late


def _spread(raw: Sequence[tuple[tuple[Shown, ...], int, int]], own: list[float], dull: list[float]) -> list[float]:
    """Let a worthy record lend worth to its neighbours, less with distance."""
    worth = list(own)
    for order, near, step in ((range(len(raw)), AFTER, STEP_AFTER), (range(len(raw) - 1, -1, -1), BEFORE, STEP_BEFORE)):
        lent, last = -99.0, 0
        for i in order:
            number = raw[i][0][0].number
            lent -= step * min(60, abs(number - last))
            worth[i] = max(worth[i], lent - dull[i])
            if own[i] - near > lent:
                lent = own[i] - near
            last = number
    return worth
